/** How they wait who wait for something of a queue: each looks again after every change, and none waits for a dead journal. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { WorkerQueue } from "../WorkerQueue.js"

/** What is, until something changes. */
export type Moment = Deferred.Deferred<void>

export interface Changes {
  /** To be taken before one looks, so that no change is missed between the look and the wait. */
  readonly now: () => Moment
  /** Something has changed. */
  readonly tell: Effect.Effect<void>
  /** Waits for the first change after that moment. */
  readonly after: (seen: Moment) => Effect.Effect<void, StorageError>
  readonly until: WorkerQueue["until"]
  /** Completed when the queue cannot go on: its journal cannot be written, or something has died. Ends all waiting. */
  readonly broken: Deferred.Deferred<never, StorageError>
}

export const make: Effect.Effect<Changes> = Effect.gen(function* () {
  const broken = yield* Deferred.make<never, StorageError>()
  let moment: Moment = Deferred.unsafeMake(FiberId.none)

  const after = (seen: Moment) =>
    Effect.raceFirst(Deferred.await(seen), Deferred.await(broken)).pipe(Effect.interruptible)

  const until: WorkerQueue["until"] = (look) =>
    Effect.suspend(() => {
      const seen = moment
      return Effect.flatMap(look, (found) =>
        Option.isSome(found) ? Effect.succeed(found.value) : Effect.zipRight(after(seen), until(look))
      )
    })

  return {
    now: () => moment,
    tell: Effect.suspend(() => {
      const before = moment
      moment = Deferred.unsafeMake(FiberId.none)
      return Deferred.succeed(before, undefined)
    }),
    after,
    until,
    broken
  }
})
