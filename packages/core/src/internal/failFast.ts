/** One job that does not complete ends the run: from that moment no further one starts, and what runs is cancelled. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobId, JobResult } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import type { RunEvent } from "../Orchestrator.js"
import type { WorkerQueue } from "../WorkerQueue.js"

export const make = (journal: JobQueueService, onEvent: (event: RunEvent) => void = () => undefined) => {
  /** Agent id of the first that did not complete. */
  let culprit: string | undefined
  let jobs: ReadonlyArray<JobId> = []

  /** Says of a job that was cancelled for another's sake which one that was. */
  const explain = (result: JobResult): JobResult =>
    culprit === undefined || culprit === result.agentId || result.reason !== "JobCancelled"
      ? result
      : { ...result, error: `cancelled because ${culprit} did not complete (fail-fast)` }

  return {
    explain,
    /** A worker asks it for its next job after its last one's end was told, so none is given out any more. */
    journal: {
      ...journal,
      claim: (runId) => Effect.suspend(() => (culprit === undefined ? journal.claim(runId) : Effect.succeedNone)),
      settle: (result) => journal.settle(explain(result))
    } satisfies JobQueueService,
    onEvent: (event: RunEvent): void => {
      if (event.kind === "runStarted") jobs = event.jobs.map(({ jobId }) => jobId)
      const ended = event.kind === "jobEnded"
      if (ended && event.result.status !== "completed") culprit ??= event.result.agentId
      onEvent(ended ? { ...event, result: explain(event.result) } : event)
    },
    /** Ends with the first result that is not completed, all others having been cancelled, or with the queue. */
    cancelRest: (queue: WorkerQueue) =>
      queue.results.pipe(
        Stream.filter(({ status }) => status !== "completed"),
        Stream.take(1),
        Stream.runForEach(() => Effect.forEach(jobs, queue.cancel, { concurrency: "unbounded", discard: true })),
        // A journal that cannot be written is told by the queue itself.
        Effect.ignore
      )
  }
}
