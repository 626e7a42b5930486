/** Jobs at work that try whether a parked tool can be used again: the first word of one opens the tool for all. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Job, JobId } from "../Job.js"
import type { Claimed, JobQueueService } from "../JobQueue.js"
import type { RunEvent } from "../Orchestrator.js"

export interface Probes {
  /** How the job's events are told from here on: as ever, but of a probe they are listened to. */
  readonly telling: (job: Claimed, tell: (event: RunEvent) => void) => Effect.Effect<(event: RunEvent) => void>
  /** The job was a probe and got through. */
  readonly release: (job: Job) => Effect.Effect<void, StorageError>
  /** The job has ended, and nobody knows by it; the next one tries. */
  readonly forget: (jobId: JobId) => void
}

/** `released` is told of a tool before it is opened. */
export const make = (journal: JobQueueService, released: (tool: string) => Effect.Effect<void>): Probes => {
  const probing = new Set<JobId>()
  const release: Probes["release"] = ({ jobId, spec: { tool } }) =>
    Effect.suspend(() => (probing.delete(jobId) ? Effect.zipRight(journal.unpark(tool), released(tool)) : Effect.void))
  return {
    release,
    forget: (jobId) => void probing.delete(jobId),
    telling: (job, tell) =>
      Effect.gen(function* () {
        if (!job.probe) return tell
        probing.add(job.jobId)
        const answered = yield* Deferred.make<void>()
        yield* Effect.fork(Effect.zipRight(Effect.interruptible(Deferred.await(answered)), release(job)))
        return (event: RunEvent) => {
          tell(event)
          const said = event.kind === "agentEvent" ? event.event.kind : null
          if (said === "message" || said === "toolCall") Deferred.unsafeDone(answered, Effect.void)
        }
      })
  }
}
