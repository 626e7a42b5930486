/**
 * What agents tell in numbers, and the session they name, goes into sums, a journal, clocks and arguments. What cannot be
 * true is left out of the event, so that it counts as unknown, and is told.
 */
import * as Schema from "effect/Schema"
import { SessionId } from "../Job.js"
import type { AgentEvent, AgentFailure, Limit, Usage } from "../ToolAdapter.js"
import { oneLine } from "./failure.js"
import * as json from "./json.js"

/** More than any attempt has cost, in dollars: sums of it stay numbers. */
const maxCostUsd = 1_000_000
/** The last moment that a date can tell, in milliseconds. */
const maxTime = 8.64e15

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isCost = (value: number): boolean => value >= 0 && value <= maxCostUsd
const isTime = (value: number): boolean => value >= 0 && value <= maxTime
const isStatus = (value: number): boolean => Number.isInteger(value) && value >= 100 && value <= 999
const isSession = Schema.is(SessionId)

/** Hears of what was left out: its name and what was said. */
export type Tell = (name: string, said: string) => void

/** The event without what cannot be true. */
export const believable = (event: AgentEvent, tell: Tell): AgentEvent => {
  const number = (name: string, value: number | undefined, holds: (value: number) => boolean): number | undefined => {
    if (value === undefined) return undefined
    // There is a zero below zero, too.
    if (holds(value)) return value + 0
    tell(name, `${value}`)
    return undefined
  }

  const usage = (told: Usage): Usage =>
    json.defined<Required<Usage>>({
      inputTokens: number("inputTokens", told.inputTokens, isCount),
      outputTokens: number("outputTokens", told.outputTokens, isCount),
      cachedTokens: number("cachedTokens", told.cachedTokens, isCount),
      costUsd: number("costUsd", told.costUsd, isCost),
      turns: number("turns", told.turns, isCount)
    })

  const failure = ({ class: name, message, resetsAt, status }: AgentFailure): AgentFailure => {
    const time = number("resetsAt", resetsAt, isTime)
    return {
      class: name,
      message,
      ...json.defined<{ status: number; resetsAt: number }>({
        status: number("status", status, isStatus),
        resetsAt: time === undefined ? undefined : Math.round(time)
      })
    }
  }

  const limit = (told: Limit): Limit => ({
    ...failure(told),
    ...json.defined<{ attempt: number; retryInMs: number }>({
      attempt: number("attempt", told.attempt, isCount),
      retryInMs: number("retryInMs", told.retryInMs, isTime)
    })
  })

  switch (event.kind) {
    case "usage":
      return { ...event, usage: usage(event.usage) }
    case "limit":
      return { ...event, limit: limit(event.limit) }
    case "finished":
      return event.error === undefined ? event : { ...event, error: failure(event.error) }
    case "started": {
      const { sessionId, ...rest } = event
      if (sessionId === undefined || isSession(sessionId)) return event
      tell("sessionId", oneLine(JSON.stringify(sessionId), 60))
      return rest
    }
    default:
      return event
  }
}
