/** The budget of a run as its gate: once it is spent, nothing more is started. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import type { RunId } from "../Job.js"
import type { JobQueueService, Spent } from "../JobQueue.js"
import type { RunBudget } from "../WorkerQueue.js"
import { part } from "./budget.js"

/** Said once, before all is spent. */
const almost = 0.8

export interface Gate {
  readonly isSpent: () => boolean
  /** Looks at what the journal holds by now; to be called whenever an attempt has ended. */
  readonly account: Effect.Effect<void, StorageError>
}

/** `tell`: the part of the budget that is spent, when it is almost all and when it is all. */
export const make = (
  journal: JobQueueService,
  runId: RunId,
  budget: RunBudget | null,
  tell: (part: number, spent: Spent) => void
): Gate => {
  let before = 0
  return {
    isSpent: () => before >= 1,
    account: Effect.gen(function* () {
      if (budget === null || before >= 1) return
      const spent = yield* journal.spent(runId)
      const unknown = budget.unknownCost === "refuse" && budget.maxCostUsd !== null && spent.unknown > 0
      const now = unknown ? Math.max(1, part(budget, spent)) : part(budget, spent)
      if ((now >= 1 && before < 1) || (now >= almost && before < almost)) tell(now, spent)
      before = now
    })
  }
}
