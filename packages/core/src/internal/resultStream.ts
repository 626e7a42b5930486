/** Results as they are stored: read from the journal, so that whoever asks sees all of them, however late. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { JobResult, RunId } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import type { Changes } from "./changes.js"

/** `isLast`: there will be no more than there are. */
export const make = (
  journal: JobQueueService,
  runId: RunId,
  changes: Changes,
  isLast: () => boolean
): Stream.Stream<JobResult, StorageError> => {
  const next = (
    cursor: number
  ): Effect.Effect<Option.Option<readonly [ReadonlyArray<JobResult>, number]>, StorageError> =>
    Effect.suspend(() => {
      const seen = changes.now()
      const last = isLast()
      return Effect.flatMap(journal.results(runId, cursor), (found) => {
        const end = found.at(-1)
        if (end !== undefined) return Effect.succeedSome([found.map(({ result }) => result), end.cursor] as const)
        return last ? Effect.succeedNone : Effect.zipRight(changes.after(seen), next(cursor))
      })
    })
  return Stream.unfoldEffect(0, next).pipe(Stream.flattenIterables)
}
