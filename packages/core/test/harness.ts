/** A data folder of its own, and runs in it by scripted agents. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import { builtIn as roles } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Live from "../src/Live.js"
import { Orchestrator, type RunEvent, type RunOptions } from "../src/Orchestrator.js"
import * as RunConfig from "../src/RunConfig.js"

export interface Home {
  readonly root: string
  readonly dataDir: string
  /** An existing folder for agents to work in. */
  readonly work: string
  readonly env: Readonly<Record<string, string>>
  /** A tool that plays the scenario, as it stands in `tools`. */
  readonly tool: (
    steps: Scenario,
    output?: "text" | "events"
  ) => Promise<{ command: ReadonlyArray<string>; output: "text" | "events" }>
  readonly remove: () => void
}

export const makeHome = (): Home => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-core-"))
  const dataDir = path.join(root, "data")
  const work = path.join(root, "work")
  fs.mkdirSync(work)
  let count = 0
  return {
    root,
    dataDir,
    work,
    env: { PATH: process.env["PATH"] ?? "", HOME: root, TMPDIR: os.tmpdir() },
    tool: async (steps, output = "text") => ({ command: [await writeAgent(root, steps, `agent-${++count}`)], output }),
    remove: () => fs.rmSync(root, { recursive: true, force: true })
  }
}

/** The events of our own event lines, for scripted agents with `output: "events"`. */
export const say = {
  started: { do: "print", line: { type: "started", sessionId: "s1", model: "m" } },
  message: (text: string) => ({ do: "print", line: { type: "message", text } }) as const,
  done: (text: string) => ({ do: "print", line: { type: "result", ok: true, text } }) as const,
  failed: (message: string) =>
    ({ do: "print", line: { type: "result", ok: false, error: { class: "other", message } } }) as const
} as const

export const decode = (home: Home, input: unknown) =>
  RunConfig.fromInput(input, {
    roles,
    tools: ["mock", "claude", "codex"],
    directory: home.work
  })

/** Runs the configuration in the home's data folder; everything that happened, and what came of it. */
export const run = (
  home: Home,
  input: unknown,
  onEvent: (event: RunEvent) => void = () => undefined,
  options: Omit<RunOptions, "onEvent"> = {}
) =>
  Effect.gen(function* () {
    const config = yield* decode(home, input)
    const orchestrator = yield* Orchestrator
    return yield* orchestrator.run(config, { ...options, onEvent })
  }).pipe(Effect.provide(Live.layer({ dataDir: home.dataDir, env: home.env })))
