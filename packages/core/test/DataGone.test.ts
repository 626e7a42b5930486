/** The data folder goes away under a run: what cannot be written down is no success, and no agent works on for nothing. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import { StorageError } from "@contextfs/memory/MemoryError"
import { it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, describe, expect } from "vitest"
import * as Live from "../src/Live.js"
import * as WorkerQueue from "../src/WorkerQueue.js"
import { decode, makeHome, run, say } from "./harness.js"

const homes: Array<ReturnType<typeof makeHome>> = []
const home = () => {
  const made = makeHome()
  homes.push(made)
  return made
}
afterAll(() => {
  for (const { remove } of homes) remove()
})

const survivors = ({ dataDir }: { dataDir: string }) =>
  Effect.promise(() => Census.survivors({ env: `CONTEXTFS_DATA_DIR=${dataDir}` }))

describe("a run whose data goes away", () => {
  it.live.each([
    ["the folder is deleted", (dataDir: string) => fs.rmSync(dataDir, { recursive: true })],
    ["the journal is deleted", (dataDir: string) => fs.rmSync(path.join(dataDir, "orchestrator.db"))],
    [
      "the journal is replaced",
      (dataDir: string) => {
        const file = path.join(dataDir, "orchestrator.db")
        fs.copyFileSync(file, `${file}.copy`)
        fs.renameSync(`${file}.copy`, file)
      }
    ]
  ] as const)("%s: it ends with StorageError, and its agents end", ([_, lose]) =>
    Effect.gen(function* () {
      const at = home()
      const gate = path.join(at.root, "gone")
      const tools = {
        hangs: yield* Effect.promise(() => at.tool([say.started, { do: "delay", ms: 600_000 }], "events")),
        ends: yield* Effect.promise(() =>
          at.tool([say.started, { do: "await", path: gate }, say.done("all is well")], "events")
        )
      }
      const started = new Set<string>()
      const both = yield* Deferred.make<void>()
      const agents = Object.keys(tools).map((tool) => ({ role: "custom", directory: ".", task: "go", tool }))
      const fiber = yield* Effect.fork(
        Effect.flip(
          run(at, { workers: 2, grace: 0.2, tools, agents }, (event) => {
            if (event.kind === "agentEvent") started.add(event.jobId)
            if (started.size === 2) Deferred.unsafeDone(both, Effect.void)
            // Nothing is told that is stored nowhere.
            expect(event).not.toMatchObject({ kind: "jobEnded", result: { status: "completed" } })
          })
        )
      )
      yield* Deferred.await(both)
      lose(at.dataDir)
      fs.writeFileSync(gate, "")
      const error = yield* Fiber.join(fiber)
      expect(error).toBeInstanceOf(StorageError)
      expect(error.message).toContain(path.join(at.dataDir, "orchestrator.db"))
      expect(yield* survivors(at)).toEqual([])
    })
  )

  const alone = home()
  it.live("a queue that nobody waits for ends its agents by itself", () =>
    Effect.gen(function* () {
      const at = alone
      const tool = yield* Effect.promise(() => at.tool([say.started, { do: "delay", ms: 600_000 }], "events"))
      const { jobs, project } = yield* decode(at, {
        grace: 0.2,
        tools: { tool },
        agents: [{ role: "custom", directory: ".", task: "go", tool: "tool" }]
      })
      const begun = yield* Deferred.make<void>()
      const queue = yield* WorkerQueue.make({
        project,
        jobs,
        onEvent: (event) => {
          if (event.kind === "agentEvent") Deferred.unsafeDone(begun, Effect.void)
        }
      })
      yield* Deferred.await(begun)
      fs.rmSync(at.dataDir, { recursive: true })
      while ((yield* queue.runningCount) > 0) yield* Effect.sleep("20 millis")
      expect(yield* survivors(at)).toEqual([])
      expect(yield* Effect.flip(queue.join)).toBeInstanceOf(StorageError)
      const [spec] = jobs
      if (spec !== undefined) expect(yield* Effect.flip(queue.submit(spec))).toBeInstanceOf(StorageError)
    }).pipe(Effect.scoped, Effect.provide(Live.layer({ dataDir: alone.dataDir, env: alone.env })))
  )
})

describe("a run whose folder of outputs goes away", () => {
  it.live.each([
    ["vanishes", "rm -rf"],
    ["becomes a plain file", "echo x >"]
  ])(
    "%s: what was read counts, with a warning; other agents are followed on, and the next one hears of it",
    ([_, how]) =>
      Effect.gen(function* () {
        const at = home()
        const runs = path.join(at.dataDir, "runs")
        const [gate, ready] = [path.join(at.root, "gone"), path.join(at.root, "ready")]
        const lose = `rm -rf '${runs}'; ${how} '${runs}'; echo >'${gate}'`
        const tool = (script: string) => ({ command: ["/bin/sh", "-c", script] })
        const tools = {
          loses: tool(`echo said; until [ -e '${ready}' ]; do sleep 0.05; done; ${lose}`),
          // Both are at work when it goes.
          other: tool(
            `echo first; echo >'${ready}'; until [ -e '${gate}' ]; do sleep 0.05; done; sleep 0.3; echo last`
          ),
          next: tool("echo next")
        }
        const agents = ["loses", "other", "next"].map((tool) => ({ role: "custom", directory: ".", task: "go", tool }))
        const { results } = yield* run(at, { workers: 2, retries: 0, tools, agents })
        const [loses, other, next] = ["loses", "other", "next"].map((name) => results.find(({ tool }) => tool === name))
        for (const [result, text] of [
          [loses, "said"],
          [other, "first\nlast"]
        ] as const) {
          expect(result).toMatchObject({ status: "completed", result: text })
          expect(result?.warnings).toContainEqual(
            expect.stringMatching(/^the output of this attempt is gone: \/.+\/stdout was removed/)
          )
        }
        // A folder that is gone is made anew; a file in its place is somebody's.
        if (how === "rm -rf") return expect(next).toMatchObject({ status: "completed" })
        expect(next).toMatchObject({ status: "failed", reason: "WorkspaceError" })
        expect(next?.error).toContain(`${runs}: this is no folder`)
      })
  )
})
