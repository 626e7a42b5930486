/** Claims a job whenever a worker is free, the budget is not spent and the machine has room; else waits for that. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Claimed, Lease, Waiting } from "../JobQueue.js"
import type { Working } from "../WorkerQueue.js"
import type { Desk } from "./desk.js"
import { cancelled, firmly, unattempted } from "./jobRunner.js"
import { betweenLooks, longestShortage, makeLook } from "./shortage.js"

/** How long a parked tool is waited for before the clock on the wall is looked at again; milliseconds. */
const longestWait = 30_000

/** Never ends by itself. `begin` gives a claimed job to a worker and returns at once. */
export const dispatch = (
  desk: Desk,
  lease: Lease,
  options: Working,
  begin: (job: Claimed) => Effect.Effect<void>
): Effect.Effect<never, StorageError> => {
  const { board, changes, gate, journal, now, runId, shop, tell, wall } = desk
  const numWorkers = options.numWorkers ?? 3
  const lookForRoom = makeLook(shop.workplace, (shortage) => tell({ kind: "held", at: wall(), shortage }))

  const claimOne = Effect.gen(function* () {
    const claimed = yield* journal.claim(runId, lease)
    if (Option.isNone(claimed)) return false
    // A job that another owner had lost hold of was not pending.
    if (board.counts.pending > 0) board.counts.pending -= 1
    board.counts.running += 1
    board.used += 1
    board.held.add(claimed.value.jobId)
    yield* begin(claimed.value)
    return true
  }).pipe(Effect.uninterruptible)

  const restTime = ({ due, parked }: Waiting) => {
    const times = parked.flatMap(({ probe, until }) => (probe === null ? [until - wall()] : []))
    if (due !== null) times.push(due)
    return `${Math.ceil(Math.max(10, Math.min(longestWait, ...times)))} millis` as const
  }

  const giveUp = (shortage: string | null) =>
    Effect.gen(function* () {
      board.gaveUp = true
      board.shortage = shortage
      yield* changes.tell
      yield* changes.after(changes.now())
    })

  /** Since when room is short and no agent is at work that could give any back. */
  let shortSince: number | undefined
  const isHopeless = () => {
    if (board.used > 0) shortSince = undefined
    else shortSince ??= now()
    if (shortSince === undefined) return false
    return (options.wait === false && board.running.size === 0) || now() - shortSince >= longestShortage
  }

  /** One claim, or a rest until there may be something to claim. */
  const next = Effect.gen(function* () {
    const seen = changes.now()
    if (board.closed || board.counts.pending === 0) return yield* changes.after(seen)
    if (gate.isSpent() || board.culprit !== undefined) return yield* failPending(desk)
    if (board.used >= numWorkers) return yield* changes.after(seen)
    const shortage = lookForRoom()
    if (shortage !== null) {
      if (isHopeless()) return yield* giveUp(shortage)
      return yield* Effect.asVoid(Effect.timeoutOption(changes.after(seen), betweenLooks))
    }
    shortSince = undefined
    if (yield* claimOne) return
    const waiting = yield* journal.waiting(runId)
    const onlyParked = board.running.size === 0 && waiting.due === null && waiting.parked.length > 0
    if (options.wait === false && onlyParked) return yield* giveUp(null)
    yield* changes.after(seen).pipe(Effect.timeoutOption(restTime(waiting)))
  })
  return Effect.forever(next)
}

/** What has not begun ends here. */
const failPending = ({ board, explain, finish, journal, room, runId }: Desk): Effect.Effect<void, StorageError> =>
  Effect.gen(function* () {
    for (const job of yield* journal.jobs(runId).pipe(Effect.catchTag("NotFound", Effect.die))) {
      if (job.status !== "pending") continue
      const result = explain(unattempted(job, board.culprit === undefined ? overspent : cancelled, 0))
      const settled = yield* firmly(journal.settle(result)).pipe(
        Effect.as(true),
        // Cancelled in this very moment, and told already.
        Effect.catchTag("LeaseLost", () => Effect.succeed(false))
      )
      if (!settled) continue
      board.counts.pending -= 1
      yield* room.leave(job.jobId)
      yield* finish(result)
    }
  }).pipe(Effect.uninterruptible)

const overspent = {
  status: "failed",
  reason: "BudgetExceeded",
  error: "the budget of the run is spent – nothing more was started – raise the budget and run again what is left"
} as const
