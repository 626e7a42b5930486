/** Agents that may write the same files: told of, kept apart, or not started. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run, say } from "./harness.js"
import { inTime, layer, simulate, simulatedClock } from "./simulation.js"

const home = makeHome()
afterAll(home.remove)
for (const name of ["a/b", "c"]) fs.mkdirSync(path.join(home.work, name), { recursive: true })
fs.symlinkSync(path.join(home.work, "a"), path.join(home.work, "link"))

const agent = (id: string, directory: string, more: object = {}) => ({
  role: "custom",
  directory,
  task: "go",
  id,
  tool: "t",
  ...more
})

describe("serialize", () => {
  it.live("lets no two run at once of which one is in the other's folder, and all others as wide as they may", () =>
    Effect.gen(function* () {
      const at = { ...home, dataDir: path.join(home.root, "serialized") }
      const simulation = {
        clock: simulatedClock(0),
        script: () =>
          [
            [1_000, { type: "started" }],
            [9_000, { type: "result", ok: true, text: "ok" }]
          ] as const
      }
      const told: Array<RunEvent> = []
      const input = {
        workers: 8,
        overlap: "serialize",
        tools: { t: { command: ["/bin/sh"], output: "events" } },
        agents: [
          agent("outer", "a"),
          agent("inner", "a/b"),
          agent("linked", "link"),
          agent("other", "c"),
          agent("looks", "a", { permission: "read" })
        ]
      }
      const { results } = yield* inTime(
        simulation,
        simulate(at, simulation, input, {}, (event) => told.push(event)).pipe(Effect.provide(layer(at, simulation)))
      )
      expect(results.map(({ status }) => status)).toEqual(Array(5).fill("completed"))
      const open = new Set<string>()
      let most = 0
      for (const event of told) {
        if (event.kind === "jobStarted") open.add(event.agentId)
        if (event.kind === "jobEnded") open.delete(event.result.agentId)
        expect(["outer", "inner", "linked"].filter((id) => open.has(id)).length).toBeLessThanOrEqual(1)
        most = Math.max(most, open.size)
      }
      expect(most).toBe(3)
    })
  )
})

describe("refuse and warn", () => {
  it.live("name the pairs: before anything starts, or with the start", () =>
    Effect.gen(function* () {
      const t = yield* Effect.promise(() => home.tool([say.started, say.done("ok")], "events"))
      const agents = [agent("one", "a"), agent("two", "link"), agent("three", "a/b"), agent("four", "c")]
      const events: Array<RunEvent> = []
      const error = yield* Effect.flip(
        run(home, { overlap: "refuse", tools: { t }, agents }, (event) => events.push(event))
      )
      expect(error).toMatchObject({
        _tag: "Overlapping",
        pairs: [{ agents: ["one", "two"] }, { agents: ["two", "three"] }]
      })
      expect(events).toEqual([])
      const result = yield* run(home, { tools: { t }, agents }, (event) => events.push(event))
      expect(result.status).toBe("completed")
      expect(events[0]).toMatchObject({
        kind: "runStarted",
        overlaps: [{ agents: ["one", "two"] }, { agents: ["two", "three"] }]
      })
    })
  )
})

it.live("afterwards the files are named that more than one agent changed", () =>
  Effect.gen(function* () {
    const repository = path.join(home.root, "repository")
    fs.mkdirSync(path.join(repository, "sub"), { recursive: true })
    execFileSync("git", ["init", "-q"], { cwd: repository, env: { ...home.env } })
    const writes = (...names: ReadonlyArray<string>) =>
      Effect.promise(() =>
        home.tool(
          [
            say.started,
            { do: "meet", folder: path.join(home.root, "met"), parties: 2 },
            ...names.map((name) => ({ do: "file", path: path.join(repository, name), text: name }) as const),
            { do: "meet", folder: path.join(home.root, "left"), parties: 2 },
            say.done("ok")
          ],
          "events"
        )
      )
    const result = yield* run(home, {
      workers: 2,
      tools: { t: yield* writes("sub/shared", "own"), u: yield* writes("sub/shared") },
      agents: [agent("one", repository), agent("two", path.join(repository, "sub"), { tool: "u" })]
    })
    expect(result.results.map(({ status }) => status)).toEqual(["completed", "completed"])
    expect(result.shared).toEqual([
      { file: path.join(fs.realpathSync(repository), "sub/shared"), agents: ["one", "two"] }
    ])
  })
)
