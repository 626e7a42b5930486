/** The built-in adapters with recordings of them: the real programs' own, and lines by hand for those without a program. */
import type { ToolAdapter } from "@contextfs/core/ToolAdapter"
import * as Tools from "@contextfs/core/Tools"
import { command } from "@contextfs/core/tools/command"
import { type ClientName, clientNames } from "@contextfs/fixtures/Clients"
import * as Recordings from "@contextfs/fixtures/Recordings"
import type { AdapterConformanceOptions, AdapterRecording } from "../src/AdapterConformance.js"

export const builtIn = (name: string): ToolAdapter => {
  const adapter = Tools.builtIn.get(name)
  if (adapter === undefined) throw new Error(`no tool ${name}`)
  return adapter
}

/** The fake model's last words: a run that has them and ended by itself with 0 was completed. */
const lastWords = "LAB-FINAL"

const recorded = async (client: ClientName): Promise<ReadonlyArray<AdapterRecording>> => {
  const names = await Recordings.recordings(client)
  const runs = await Promise.all(names.map((name) => Recordings.recording(client, name)))
  return runs.map(({ scenario, stdout, stderr, code, signal }) => ({
    name: scenario,
    stdout,
    stderr,
    code,
    signal,
    expected: code === 0 && stdout.includes(lastWords) ? "completed" : "failed"
  }))
}

const lines = (...events: ReadonlyArray<object>): string => events.map((event) => `${JSON.stringify(event)}\n`).join("")

/** Our own event lines, as `mock` and configured programs print them. */
export const eventLines: ReadonlyArray<AdapterRecording> = [
  {
    name: "saves",
    stdout: lines(
      { type: "started", sessionId: "s-1", model: "none" },
      { type: "tool_call", id: "1", name: "contextfs.contextfs_save", input: { content: "a finding" } },
      { type: "tool_result", id: "1", name: "contextfs.contextfs_save", ok: true, message: "saved" },
      { type: "message", text: "I have saved it." },
      { type: "usage", inputTokens: 10, outputTokens: 3, costUsd: 0.25 },
      { type: "result", ok: true, text: "done" }
    ),
    code: 0,
    expected: "completed"
  },
  {
    name: "no login",
    stdout: lines(
      { type: "started", sessionId: "s-2" },
      { type: "result", ok: false, error: { class: "auth", message: "not logged in" } }
    ),
    code: 1,
    expected: "AuthFailed"
  },
  { name: "dies early", stdout: lines({ type: "started" }), code: null, signal: "SIGKILL", expected: "AgentSignal" },
  { name: "forgets to say so", stdout: lines({ type: "started" }), code: 0, expected: "AgentProtocol" }
]

const text: ReadonlyArray<AdapterRecording> = [
  { name: "answers", stdout: "first\n\nlast\n", code: 0, expected: "completed" },
  { name: "breaks", stdout: "first\n", stderr: "out of luck\n", code: 3, expected: "AgentExit" }
]

export interface Subject {
  readonly title: string
  readonly adapter: ToolAdapter
  readonly options: AdapterConformanceOptions
}

export const subjects = async (): Promise<ReadonlyArray<Subject>> => [
  ...(await Promise.all(
    clientNames.map(async (name) => ({
      title: name,
      adapter: builtIn(name),
      options: { recordings: await recorded(name) }
    }))
  )),
  { title: "mock", adapter: builtIn("mock"), options: { recordings: eventLines, harmless: true } },
  { title: "command", adapter: command("mine"), options: { recordings: text } },
  {
    title: "command with events",
    adapter: command("mine", "events"),
    options: { recordings: eventLines.map((run) => ({ ...run, stdout: run.stdout.replace(',"costUsd":0.25', "") })) }
  }
]
