import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RunSettings } from "../JobQueue.js"
import { JobQueue } from "../JobQueue.js"
import type { ResumeOptions, RunOptions, RunResult } from "../Orchestrator.js"
import type * as RunConfig from "../RunConfig.js"
import * as WorkerQueue from "../WorkerQueue.js"
import { statusOf } from "./workerQueue.js"

/** What a run was asked for beside its jobs, as the journal keeps it for `resume`. */
const Settings = Schema.Struct({ workers: Schema.Int, wait: Schema.Boolean })

const settingsOf = (config: RunConfig.RunConfig, options: RunOptions): RunSettings =>
  Schema.encodeSync(Settings)({ workers: config.workers, wait: options.wait ?? true })

/** One queue takes all jobs and is closed behind us. */
export const run = (config: RunConfig.RunConfig, options: RunOptions = {}) =>
  Effect.gen(function* () {
    const { jobs, project, workers } = config
    const settings = settingsOf(config, options)
    return yield* collect(WorkerQueue.make({ ...options, project, jobs, numWorkers: workers, settings }), options)
  })

/** Goes on as the run was asked for, unless told otherwise. */
export const resume = (runId: string, options: ResumeOptions = {}) =>
  Effect.gen(function* () {
    const { settings } = yield* Effect.flatMap(JobQueue, (journal) => journal.run(runId))
    const asked = yield* Effect.option(Schema.decodeUnknown(Settings)(settings))
    const kept = asked._tag === "Some" ? { numWorkers: asked.value.workers, wait: asked.value.wait } : {}
    const { workers, ...given } = options
    const queue = WorkerQueue.resume(runId, {
      ...kept,
      ...given,
      ...(workers === undefined ? {} : { numWorkers: workers })
    })
    return yield* collect(queue, options)
  })

const collect = <E, R>(open: Effect.Effect<WorkerQueue.WorkerQueue, E, R>, options: RunOptions) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const begun = clock.unsafeCurrentTimeMillis()
    const queue = yield* open
    const results = yield* queue.join
    const parked = yield* queue.parked
    const journal = yield* JobQueue
    const counts = yield* journal.counts(queue.runId)
    const status = counts.pending > 0 ? "interrupted" : statusOf(counts)
    const at = clock.unsafeCurrentTimeMillis()
    options.onEvent?.({ kind: "runEnded", at, runId: queue.runId, status })
    return {
      runId: queue.runId,
      project: queue.project,
      status,
      duration: (at - begun) / 1_000,
      results,
      parked: status === "interrupted" ? parked : []
    } satisfies RunResult
  }).pipe(Effect.scoped)
