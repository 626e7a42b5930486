/** What may be spent, against what has been. */
import type { Budget } from "../Job.js"
import type { Spent } from "../JobQueue.js"
import type { Usage } from "../ToolAdapter.js"

/** No more than can be stored and read again. */
const whole = (tokens: number): number => Math.min(tokens, Number.MAX_SAFE_INTEGER)

/** Null where the program told neither. */
export const tokensOf = (usage: Usage | null): number | null =>
  usage?.inputTokens === undefined && usage?.outputTokens === undefined
    ? null
    : whole((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0))

/** The part of the budget that is spent: 1 and more is all of it. */
export const part = (budget: Budget, spent: Pick<Spent, "costUsd" | "tokens">): number =>
  Math.max(partOf(budget.maxCostUsd, spent.costUsd), partOf(budget.maxTokens, spent.tokens))

/** Of nothing all is spent. */
const partOf = (most: number | null, spent: number): number => (most === null ? 0 : most > 0 ? spent / most : 1)

export const plus = (spent: Pick<Spent, "costUsd" | "tokens">, usage: Usage | null) => ({
  costUsd: spent.costUsd + (usage?.costUsd ?? 0),
  tokens: whole(spent.tokens + (tokensOf(usage) ?? 0))
})
