/** Runs a decoder over lines as the orchestrator does. */
import type { AgentEvent, ToolAdapter } from "@contextfs/core/ToolAdapter"
import * as Verdict from "@contextfs/core/Verdict"
import type { AdapterRecording } from "../AdapterConformance.js"

export const linesOf = (stdout: string): ReadonlyArray<string> => {
  const lines = stdout.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

export interface Decoded {
  /** Events of each line. */
  readonly byLine: ReadonlyArray<ReadonlyArray<AgentEvent>>
  readonly atEnd: ReadonlyArray<AgentEvent>
  readonly noise: number
}

export type End = Pick<AdapterRecording, "code" | "signal" | "stderr">

export const decode = (adapter: ToolAdapter, lines: ReadonlyArray<string>, end: End): Decoded => {
  const decoder = adapter.decoder()
  const byLine = lines.map((line) => decoder.line(line))
  const atEnd = decoder.end?.({ exitCode: end.code ?? -1, stderr: end.stderr ?? "" }) ?? []
  return { byLine, atEnd, noise: decoder.noise?.() ?? 0 }
}

export const eventsOf = (decoded: Decoded): ReadonlyArray<AgentEvent> => [...decoded.byLine.flat(), ...decoded.atEnd]

export const judge = (adapter: ToolAdapter, lines: ReadonlyArray<string>, end: End): Verdict.Verdict =>
  Verdict.judge({
    tool: adapter.name,
    output: adapter.output,
    exitAbove128: adapter.exitAbove128,
    tally: eventsOf(decode(adapter, lines, end)).reduce(Verdict.tally, Verdict.emptyTally),
    exit: { code: end.code, signal: end.signal ?? null },
    ended: "self",
    stderr: end.stderr ?? ""
  })

export const isFinished = (event: AgentEvent): boolean => event.kind === "finished"

/** A text for a message: one line, not too long. */
export const shown = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
