/**
 * What became of an attempt whose orchestrator died: read from the files it has left, which the agent wrote without us.
 * An agent that said it was done is judged as if we had been there; one that was cut short runs again.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import type { Redactor } from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import type { Job } from "../Job.js"
import type { ToolAdapter } from "../ToolAdapter.js"
import { judge } from "../Verdict.js"
import type { WorkplaceService } from "../Workplace.js"
import { exitFileName, jobFileName } from "./agentProcess.js"
import { type AttemptOutcome, attemptFolder, redactorOf } from "./attempt.js"
import * as containment from "./containment.js"
import { LineSplitter } from "./follower.js"
import { endingName } from "./marker.js"
import * as outputFiles from "./outputFiles.js"
import { Watch } from "./watch.js"

export type Harvest =
  /** It ended by itself, and this is what it came to. */
  | {
      readonly kind: "ended"
      readonly outcome: AttemptOutcome
      /** Milliseconds since the epoch, by the clock of its files. */
      readonly endedAt: number
    }
  /** It was still at work when it was ended; `session` is what it can go on from. */
  | { readonly kind: "cut"; readonly session: string | null }
  /** Nothing tells whether it was done. */
  | { readonly kind: "unknown" }

/** How long the waiter of a process that has just been ended may take to write down its exit code; milliseconds. */
const exitPatience = 1_000

/** The codes of a process that a signal ended: the kernel's KILL when our lifeline was cut, or the reaper's TERM. */
const killed: ReadonlySet<number> = new Set([137, 143])
/** Those of a signal that a program hears, and may speak of as its last word: HUP, INT, TERM. */
const heard: ReadonlySet<number> = new Set([129, 130, 143])

/** Call it when nothing of the attempt runs any more. */
export const harvest = (workplace: WorkplaceService, adapter: ToolAdapter, job: Job): Effect.Effect<Harvest> =>
  Effect.gen(function* () {
    const { spec } = job
    const folder = attemptFolder(workplace, job)
    const files = ["stdout", "stderr"].map((name) => path.join(folder, name))
    const size = (file: string) => outputFiles.look(file)?.size
    // Claimed, and never launched: what starts an agent is emptied first of all. Gone, so that no late launcher finds it.
    const unread = (size(path.join(folder, jobFileName)) ?? 0) > 0
    if (unread) outputFiles.remove(path.join(folder, jobFileName))
    if (unread || size(path.join(folder, exitFileName)) === undefined) return { kind: "cut", session: null }
    const reported = yield* readExit(path.join(folder, exitFileName))

    const redactor = redactorOf(workplace, job)
    const forever = Number.POSITIVE_INFINITY
    const clocks = { start: forever, idle: forever, total: null, retry: forever, drain: forever }
    const watch = new Watch(clocks, forever, adapter.decoder(), () => undefined, 0)
    yield* Effect.sync(() => read(files[0] ?? "", watch, redactor))
    watch.grew("stderr", size(files[1] ?? "") ?? 0, 0)
    const said = outputFiles.tail(files[1] ?? "", 8 * 1024, redactor)
    const { exitCode, stderr } =
      spec.containment === "group" ? { exitCode: reported, stderr: said } : containment.truly(reported, said)
    const byUs = begunBefore(path.join(folder, endingName), exitCode === null ? null : path.join(folder, exitFileName))
    const cut = byUs || exitCode === null || killed.has(exitCode)
    // What a decoder makes of the end of a program that was cut short is no word of the program.
    if (!cut) watch.complete(exitCode, stderr, 0)
    const { finished, sessionId } = watch.tally

    if (finished === null && cut) {
      const unseen = exitCode === null && !byUs && adapter.output === "text"
      return unseen ? { kind: "unknown" } : { kind: "cut", session: sessionId }
    }
    // An error that the program had by itself stands; one that it spoke of while it was being ended may be an echo of that.
    const echo = byUs
      ? begunBefore(path.join(folder, endingName), files[0] ?? "")
      : exitCode !== null && heard.has(exitCode)
    if (finished?.ok === false && echo) return { kind: "cut", session: sessionId }
    const verdict = judge({
      tool: adapter.name,
      output: adapter.output,
      exitAbove128: adapter.exitAbove128,
      tally: watch.tally,
      exit: { code: exitCode, signal: null },
      ended: finished !== null && exitCode !== null && cut ? "drain" : "self",
      stderr
    })
    // Nobody has read it while it was there.
    const lost = files.flatMap((file) => (outputFiles.look(file)?.isFile() === true ? [] : outputFiles.gone(file, 1)))
    for (const file of files) {
      if (size(file) === undefined) continue
      yield* outputFiles.clip(file, spec.maxOutput / 2, redactor)
    }
    return {
      kind: "ended",
      endedAt: outputFiles.look(path.join(folder, exitFileName))?.mtimeMs ?? 0,
      outcome: {
        verdict: {
          ...verdict,
          warnings: [...verdict.warnings, ...lost, "read from its output after the orchestrator had died"]
        },
        watch,
        evidence: {
          rule: verdict.rule,
          exitCode,
          sent: null,
          ended: "self",
          lastEvent: watch.tally.lastEvent,
          stdoutBytes: watch.stdoutBytes,
          stderrBytes: watch.stderrBytes,
          noise: watch.noise,
          toolCalls: watch.tally.toolCalls,
          survivors: 0,
          containment: spec.containment,
          folder
        },
        memory: null,
        unconnected: false,
        filesChanged: null,
        short: false
      }
    }
  })

/** Whether we had begun to end the agent before the file was last written; null: before anything that is not known. */
const begunBefore = (mark: string, file: string | null): boolean => {
  const begun = outputFiles.look(mark)
  if (begun?.isDirectory() !== true) return false
  const written = file === null ? undefined : outputFiles.look(file)
  // Clocks of files tick slowly: at the same tick it may have been.
  return written === undefined || written.mtimeMs >= begun.mtimeMs
}

/** Null where nobody saw the end. */
const readExit = (file: string): Effect.Effect<number | null> =>
  Effect.gen(function* () {
    for (let waited = 0; waited < exitPatience; waited += 25) {
      const text = outputFiles.last(file, 16).trim()
      if (text !== "") return /^\d{1,3}$/.test(text) ? Number(text) : null
      yield* Effect.sleep("25 millis")
    }
    return null
  })

const read = (file: string, watch: Watch, redactor: Redactor): void => {
  const redact = redactor.lines()
  const splitter = new LineSplitter({
    line: (line) => watch.line(redact(line), 0),
    grew: () => undefined,
    overlong: () => watch.overlong()
  })
  const fd = PrivateFiles.open(file)
  if (fd === undefined) return
  try {
    const buffer = Buffer.allocUnsafe(256 * 1024)
    for (let read = fs.readSync(fd, buffer); read > 0; read = fs.readSync(fd, buffer)) {
      watch.grew("stdout", read, 0)
      splitter.push(buffer.subarray(0, read))
    }
    splitter.end()
  } finally {
    fs.closeSync(fd)
  }
}
