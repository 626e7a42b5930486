import * as Effect from "effect/Effect"
import type { RunOptions, RunResult } from "../Orchestrator.js"
import type * as RunConfig from "../RunConfig.js"
import * as WorkerQueue from "../WorkerQueue.js"
import { runStatus } from "./workerQueue.js"

/** One queue takes all jobs and is closed behind us. */
export const run = (config: RunConfig.RunConfig, options: RunOptions = {}) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const begun = clock.unsafeCurrentTimeMillis()
    const { jobs, project, workers } = config
    const queue = yield* WorkerQueue.make({ ...options, project, jobs, numWorkers: workers })
    const results = yield* queue.join
    const status = runStatus(results)
    const at = clock.unsafeCurrentTimeMillis()
    options.onEvent?.({ kind: "runEnded", at, runId: queue.runId, status })
    return { runId: queue.runId, project, status, duration: (at - begun) / 1_000, results } satisfies RunResult
  }).pipe(Effect.scoped)
