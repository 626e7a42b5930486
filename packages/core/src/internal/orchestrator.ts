import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { JobQueue } from "../JobQueue.js"
import type { RunOptions, RunResult } from "../Orchestrator.js"
import type * as RunConfig from "../RunConfig.js"
import * as WorkerQueue from "../WorkerQueue.js"
import * as failFast from "./failFast.js"
import { runStatus } from "./workerQueue.js"

/** One queue takes all jobs and is closed behind us. */
export const run = (config: RunConfig.RunConfig, options: RunOptions = {}) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const begun = clock.unsafeCurrentTimeMillis()
    const { jobs, project, workers } = config
    const journal = yield* JobQueue
    const strict = options.failFast === true ? failFast.make(journal, options.onEvent) : undefined
    const onEvent = strict?.onEvent ?? options.onEvent
    const queue = yield* WorkerQueue.make({
      project,
      jobs,
      numWorkers: workers,
      ...(onEvent === undefined ? {} : { onEvent })
    }).pipe(Effect.provideService(JobQueue, strict?.journal ?? journal))
    if (strict !== undefined) yield* Effect.forkScoped(strict.cancelRest(queue))
    const results = (yield* queue.join).map(strict?.explain ?? identity)
    const status = runStatus(results)
    const at = clock.unsafeCurrentTimeMillis()
    onEvent?.({ kind: "runEnded", at, runId: queue.runId, status })
    return { runId: queue.runId, project, status, duration: (at - begun) / 1_000, results } satisfies RunResult
  }).pipe(Effect.scoped)
