import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { afterAll, expect } from "vitest"
import { JobId, type JobResult, JobSpec, RunId } from "../src/Job.js"
import * as JobQueue from "../src/JobQueue.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-queue-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const runId = RunId.make("run1")
const owner = { pid: 1, startTime: "1", bootId: "b" }
const lease = { owner, millis: 60_000 }
const jobId = (number: number) => JobId.make(`run1-${number}`)
const spec: JobSpec = {
  agentId: "a-1",
  project: "p",
  role: "test",
  tool: "mock",
  directory: "/",
  task: "do it",
  model: null,
  session: null,
  permission: "read",
  timeout: null,
  startTimeout: 1,
  idleTimeout: 1,
  retryTimeout: 1,
  grace: 1,
  maxOutput: 1,
  delegate: "none",
  tools: {},
  parent: null,
  depth: 0,
  retries: 0,
  containment: "auto",
  env: {},
  memory: true,
  budget: null,
  settings: {}
}
const result = (number: number, attempts: number, status: JobResult["status"] = "completed"): JobResult => ({
  jobId: jobId(number),
  runId,
  agentId: "a-1",
  role: "test",
  tool: "mock",
  directory: "/",
  status,
  reason: null,
  result: "done",
  error: null,
  warnings: [],
  duration: 1.5,
  attempts,
  usage: { inputTokens: 3 },
  sessionId: null,
  filesChanged: null,
  denials: [],
  memory: null,
  evidence: null
})

const opened = Effect.gen(function* () {
  const queue = yield* JobQueue.JobQueue
  yield* queue.open({
    runId,
    project: "p",
    owner,
    settings: { workers: 3 },
    marker: "m",
    containment: "G",
    runtimeDir: "/nowhere"
  })
  yield* queue.add(
    runId,
    [1, 2, 3].map((number) => ({ jobId: jobId(number), spec }))
  )
  return queue
})

let files = 0
const layers = {
  sqlite: () => JobQueue.layerSqlite({ path: path.join(root, `${++files}`, "orchestrator.db") }),
  memory: () => JobQueue.layerMemory
}

for (const [name, layer] of Object.entries(layers)) {
  describe(name, () => {
    it.effect("hands out pending jobs once each, oldest first", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        const claims = yield* Effect.all(
          [1, 2, 3, 4].map(() => queue.claim(runId, lease)),
          { concurrency: 4 }
        )
        expect(claims.map(Option.map((job) => job.jobId))).toEqual([
          Option.some(jobId(1)),
          Option.some(jobId(2)),
          Option.some(jobId(3)),
          Option.none()
        ])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("opens a run with all of its jobs, or not at all", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        const run = { project: "p", owner, settings: {}, marker: "m", containment: "G", runtimeDir: "/x" }
        const of = (id: string, ...numbers: ReadonlyArray<number>) => ({
          run: { ...run, runId: RunId.make(id) },
          jobs: numbers.map((number) => ({ jobId: JobId.make(`${id}-${number}`), spec }))
        })
        const [whole, half] = [of("whole", 1, 2), of("half", 1, 2, 2)]
        yield* queue.open(whole.run, whole.jobs)
        expect((yield* queue.jobs("whole")).map((job) => job.jobId)).toEqual(["whole-1", "whole-2"])
        expect(yield* Effect.flip(queue.open(half.run, half.jobs))).toMatchObject({ _tag: "StorageError" })
        expect(yield* Effect.flip(queue.run("half"))).toMatchObject({ _tag: "NotFound" })
        expect(yield* queue.events({ runId: "half" })).toEqual([])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("lets nobody into a lane but those whom the one in it has asked for", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        const run = RunId.make("lanes")
        yield* queue.open({
          runId: run,
          project: "p",
          owner,
          settings: {},
          marker: "m",
          containment: "G",
          runtimeDir: "/x"
        })
        const of = (number: number, lane: string | null, depth = 0) => ({
          jobId: JobId.make(`lanes-${number}`),
          spec: { ...spec, depth },
          lane
        })
        yield* queue.add(run, [of(1, "/a"), of(2, "/a/b"), of(3, "/ab"), of(4, "/a", 1), of(5, "/a/c", 1), of(6, "")])
        const claims = yield* Effect.all(Array.from({ length: 6 }, () => queue.claim(run, lease)))
        expect(claims.flatMap(Option.toArray).map((job) => job.jobId)).toEqual(["lanes-1", "lanes-3", "lanes-4"])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("keeps a result as it was given, and never changes it", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        yield* queue.claim(runId, lease)
        yield* queue.settle(result(1, 1))
        const again = yield* Effect.flip(queue.settle(result(1, 1, "failed")))
        expect(again._tag).toBe("LeaseLost")
        const job = yield* queue.job(jobId(1))
        expect(job.status).toBe("completed")
        expect(job.result).toEqual(result(1, 1))
      }).pipe(Effect.provide(layer()))
    )

    it.effect("takes no word from an attempt that is not the current one", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        yield* queue.claim(runId, lease)
        yield* queue.retry(jobId(1), 1, { reason: "AgentExit", error: "exit code 1" })
        const second = yield* queue.claim(runId, lease)
        expect(Option.getOrThrow(second)).toMatchObject({ jobId: jobId(1), attempts: 2, status: "running" })
        const stale = [
          queue.settle(result(1, 1)),
          queue.identify(jobId(1), 1, { pid: 2, startTime: null, bootId: null }),
          queue.retry(jobId(1), 1, { reason: "AgentExit", error: "" })
        ]
        for (const effect of stale) expect((yield* Effect.flip(effect))._tag).toBe("LeaseLost")
        yield* queue.settle(result(1, 2))
      }).pipe(Effect.provide(layer()))
    )

    it.effect("cancels what was never claimed, and what waits for another attempt", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        yield* queue.settle(result(2, 0, "cancelled"))
        yield* queue.claim(runId, lease)
        yield* queue.retry(jobId(1), 1, { reason: "AgentExit", error: "" })
        yield* queue.settle(result(1, 1, "cancelled"))
        expect(Option.getOrThrow(yield* queue.claim(runId, lease)).jobId).toBe(jobId(3))
        expect((yield* queue.jobs(runId)).map((job) => job.status)).toEqual(["cancelled", "cancelled", "running"])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("says what it does not know", () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue.JobQueue
        expect((yield* Effect.flip(queue.job("x")))._tag).toBe("NotFound")
        expect((yield* Effect.flip(queue.jobs("x")))._tag).toBe("NotFound")
        expect(yield* queue.runs({})).toEqual([])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("closes a run once", () =>
      Effect.gen(function* () {
        const queue = yield* opened
        yield* queue.close(runId, "failed")
        yield* queue.close(runId, "completed")
        expect(yield* queue.runs({ project: "p" })).toMatchObject([{ runId, status: "failed", containment: "G" }])
        expect(yield* queue.runs({ project: "other" })).toEqual([])
      }).pipe(Effect.provide(layer()))
    )
  })
}

it.effect("is there after a restart", () =>
  Effect.gen(function* () {
    const layer = () => JobQueue.layerSqlite({ path: path.join(root, "kept", "orchestrator.db") })
    yield* opened.pipe(
      Effect.flatMap((queue) => queue.claim(runId, lease)),
      Effect.provide(layer())
    )
    const jobs = yield* JobQueue.JobQueue.pipe(
      Effect.flatMap((queue) => queue.jobs(runId)),
      Effect.provide(layer())
    )
    expect(jobs.map((job) => job.status)).toEqual(["running", "pending", "pending"])
  })
)

it("a job that was stored when there were no sessions is read", () => {
  const { session, ...old } = Schema.encodeSync(JobSpec)(spec)
  expect(session).toBe(null)
  expect(Schema.decodeUnknownSync(JobSpec)(old)).toEqual(spec)
})
