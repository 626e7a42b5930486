import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import { JobQueue, layerSqlite } from "../src/JobQueue.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const agent = (tool: string, task = "do it") => ({ role: "custom", directory: ".", task, tool })

const tools = Effect.promise(async () => ({
  fails: await home.tool([{ do: "delay", ms: 300 }, say.started, say.failed("boom")], "events"),
  hangs: await home.tool([say.started, { do: "delay", ms: 600_000 }], "events"),
  works: await home.tool([say.started, say.done("done")], "events")
}))

describe("fail fast", () => {
  it.live("starts no further job, cancels those that run, says why, and stores what it says", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent> = []
      const result = yield* run(
        home,
        {
          workers: 2,
          retries: 0,
          grace: 0.2,
          tools: yield* tools,
          agents: [agent("works"), agent("hangs"), agent("fails"), ...Array.from({ length: 20 }, () => agent("works"))]
        },
        (event) => events.push(event),
        { failFast: true }
      )
      const why = "cancelled because custom-3 did not complete (fail-fast)"
      expect(result.status).toBe("failed")
      expect(result.results.map(({ attempts, reason, status }) => ({ attempts, reason, status }))).toEqual([
        { status: "completed", reason: null, attempts: 1 },
        { status: "cancelled", reason: "JobCancelled", attempts: 1 },
        { status: "failed", reason: "AgentReported", attempts: 1 },
        ...Array.from({ length: 20 }, () => ({ status: "cancelled", reason: "JobCancelled", attempts: 0 }))
      ])
      const [, hung, failed, ...rest] = result.results
      expect(failed?.error).toContain("boom")
      for (const { error } of hung === undefined ? [] : [hung, ...rest]) expect(error).toBe(why)

      const end = events.findIndex((event) => event.kind === "jobEnded" && event.result.status === "failed")
      expect(events.slice(end).filter((event) => event.kind === "jobStarted")).toEqual([])
      const toldErrors = events.flatMap((event) => (event.kind === "jobEnded" ? [event.result.error] : []))
      expect(toldErrors.filter((error) => error === why)).toHaveLength(21)
      const stored = yield* Effect.flatMap(JobQueue, (journal) => journal.jobs(result.runId)).pipe(
        Effect.provide(layerSqlite({ path: path.join(home.dataDir, "orchestrator.db") }))
      )
      expect(stored.map((job) => job.result)).toEqual(result.results)
      expect(yield* Effect.promise(() => Census.survivors({ env: `CONTEXTFS_DATA_DIR=${home.dataDir}` }))).toEqual([])
    })
  )

  it.live("changes nothing where all complete, and without it the others go on", () =>
    Effect.gen(function* () {
      const known = yield* tools
      const good = yield* run(home, { tools: known, agents: [agent("works"), agent("works")] }, undefined, {
        failFast: true
      })
      expect(good.status).toBe("completed")
      const mixed = yield* run(home, {
        workers: 1,
        retries: 0,
        tools: known,
        agents: [agent("fails"), agent("works")]
      })
      expect(mixed.results.map(({ status }) => status)).toEqual(["failed", "completed"])
    })
  )
})
