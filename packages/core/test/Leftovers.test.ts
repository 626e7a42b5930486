/** kill -9 of the orchestrating process: who is left, and what the next start does about it. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Census from "@contextfs/fixtures/Census"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as JobQueue from "../src/JobQueue.js"
import { makeHome, run } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const program = fileURLToPath(new URL("./programs/orchestrate.mjs", import.meta.url))

describe.each(["auto", "group"] as const)("kill -9 of the orchestrator, containment %s", (containment) => {
  it.live("leaves no agent, and the next start puts the run in order", () =>
    Effect.gen(function* () {
      const census = path.join(home.root, `census-${containment}`)
      const dataDir = path.join(home.root, `data-${containment}`)
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "ignore", signals: ["SIGTERM"] },
          { do: "escape", kind: "setsid", count: 2, census },
          { do: "escape", kind: "stubborn", count: 2, census },
          { do: "print", line: "up" },
          { do: "delay", ms: 600_000 }
        ])
      )
      yield* Effect.promise(async () => {
        const agents = [{ role: "custom", task: "go", tool: "s" }]
        const input = JSON.stringify({ tools: { s: tool }, containment, agents })
        const child = spawn(process.execPath, [program, dataDir, home.work, input], {
          env: home.env,
          stdio: ["ignore", "pipe", "inherit"]
        })
        await once(child.stdout, "data")
        expect(await Census.survivors({ folder: census })).toHaveLength(4)
        child.kill("SIGKILL")
        await once(child, "exit")
        // The reaper of the group level gives the agents a second to leave.
        await Census.waitForNone({ folder: census }, containment === "auto" ? 1_000 : 4_000)
      })

      const runs = Effect.flatMap(JobQueue.JobQueue, (journal) => journal.runs({})).pipe(
        Effect.provide(JobQueue.layerSqlite({ path: path.join(dataDir, "orchestrator.db") }))
      )
      const [dead] = yield* runs
      expect(dead?.status).toBe("running")
      expect(fs.existsSync(dead?.runtimeDir ?? "")).toBe(true)
      const ok = yield* Effect.promise(() => home.tool([{ do: "print", line: "ok" }]))
      yield* run(
        { ...home, dataDir },
        { tools: { s: ok }, agents: [{ role: "custom", directory: ".", task: "go", tool: "s" }] }
      )
      expect((yield* runs).map((each) => each.status).sort()).toEqual(["completed", "interrupted"])
      expect(fs.existsSync(dead?.runtimeDir ?? "")).toBe(false)
    })
  )
})
