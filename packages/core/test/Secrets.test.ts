import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, expect } from "vitest"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

it.live("reaches no sink: events, result, error, files, journal, memory", () =>
  Effect.gen(function* () {
    const canary = "canary-7c1e-0123456789"
    const tool = yield* Effect.promise(() =>
      home.tool(
        [
          say.started,
          say.message(`the key is ${canary}`),
          { do: "print", line: canary, to: "stderr" },
          say.done(`done with ${canary}`)
        ],
        "events"
      )
    )
    const failing = yield* Effect.promise(() =>
      home.tool([
        { do: "print", line: `bad ${canary}`, to: "stderr" },
        { do: "exit", code: 2 }
      ])
    )
    const events: Array<RunEvent> = []
    const result = yield* run(
      home,
      {
        retries: 0,
        tools: { s: { ...tool, env: { THE_KEY: canary } }, f: { ...failing, env: { THE_KEY: canary } } },
        agents: ["s", "f"].map((name) => ({ role: "docs", directory: ".", task: "go", tool: name }))
      },
      (event) => events.push(event)
    )
    expect(result.results.map((job) => job.status)).toEqual(["completed", "failed"])
    expect(JSON.stringify([result, events])).toContain("[redacted: THE_KEY]")
    expect(JSON.stringify([result, events])).not.toContain(canary)
    const files = fs
      .readdirSync(home.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(4)
    const leaks = files.filter((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)).includes(canary))
    expect(leaks.map((entry) => path.join(entry.parentPath, entry.name))).toEqual([])
    for (const entry of files) {
      expect(fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o077).toBe(0)
    }
  })
)
