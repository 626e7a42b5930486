/** A bounded queue: whoever submits a job waits until one that waits has begun. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import type { JobId } from "../Job.js"
import type { Changes } from "./changes.js"

export interface Room {
  /** Waits for a place, or until `closed`. */
  readonly wait: (closed: () => boolean) => Effect.Effect<void, StorageError>
  /** Holds a place while the job is being stored. */
  readonly reserve: <A, E>(store: Effect.Effect<A, E>) => Effect.Effect<A, E>
  readonly enter: (jobId: JobId) => void
  /** The job has begun or has ended; of one that never entered nothing changes. */
  readonly leave: (jobId: JobId) => Effect.Effect<void>
}

/** `most`: how many jobs may wait. */
export const make = (most: number, changes: Changes): Room => {
  /** Jobs that were submitted and have not begun. */
  const housed = new Set<JobId>()
  let reserved = 0
  return {
    wait: (closed) =>
      Effect.gen(function* () {
        for (let seen = changes.now(); !closed() && housed.size + reserved >= most; seen = changes.now()) {
          yield* changes.after(seen)
        }
      }),
    reserve: (store) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          reserved += 1
        }),
        () => store,
        () =>
          Effect.sync(() => {
            reserved -= 1
          })
      ),
    enter: (jobId) => void housed.add(jobId),
    leave: (jobId) => Effect.suspend(() => (housed.delete(jobId) ? changes.tell : Effect.void))
  }
}
