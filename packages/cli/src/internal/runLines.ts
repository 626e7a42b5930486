/** A run as plain lines, one for each thing that happens. Nothing an agent prints gets through unclean. */
import type { RunEvent } from "@contextfs/core/Orchestrator"
import { activity } from "./activity.js"
import { clean } from "./clean.js"
import { amount, clock, dollars, moment, plural, seconds } from "./format.js"
import { cut, pad, type Style, table, width } from "./layout.js"
import { statusColour, tokens } from "./runSummary.js"

interface Options {
  readonly style: Style
  /** Lines are cut at this width. */
  readonly columns: number
}

/** What the lines of a run refer back to. */
interface State {
  readonly startedAt: number
  readonly agentColumns: number
}

export const initial: State = { startedAt: 0, agentColumns: 0 }

/** The state after an event, and the lines to show for it. */
export const step = (state: State, event: RunEvent, options: Options): readonly [State, ReadonlyArray<string>] => {
  const { style } = options
  switch (event.kind) {
    case "runStarted": {
      const agentColumns = Math.min(24, Math.max(0, ...event.jobs.map((job) => width(clean(job.agentId)))))
      const head = [
        `run ${style.bold(event.runId)}`,
        `project ${clean(event.project)}`,
        plural(event.jobs.length, "agent"),
        ...(event.earlier === 0 ? [] : [`${event.earlier} had ended before`]),
        plural(Math.min(event.workers, event.jobs.length), "worker"),
        `containment ${clean(event.containment)}`
      ].join(" · ")
      const rows = event.jobs.map((job) => [
        `  ${clean(job.agentId)}`,
        clean(job.role),
        clean(job.tool),
        clean(job.directory)
      ])
      const warned = overlapLines(event.overlaps).map((text) => style.yellow(cut(text, options.columns)))
      const listed = table(rows).map((row) => cut(row, options.columns))
      return [{ startedAt: event.at, agentColumns }, [head, ...listed, ...warned]]
    }
    case "jobAdded": {
      const agentColumns = Math.min(24, Math.max(state.agentColumns, width(clean(event.agentId))))
      const text = `added, as ${clean(event.role)} with ${clean(event.tool)} in ${clean(event.directory)}`
      const next = { ...state, agentColumns }
      return [next, [line(next, options, event, text)]]
    }
    case "jobStarted":
      return [
        state,
        [line(state, options, event, event.attempt === 1 ? "started" : `attempt ${event.attempt} started`)]
      ]
    case "agentEvent": {
      // Pieces of a message come whole with the result.
      const text = event.event.kind === "message" && event.event.delta === true ? "" : activity(event.event)
      return [state, text === "" ? [] : [line(state, options, event, text)]]
    }
    case "jobRetrying": {
      const text = `${event.reason}: ${clean(event.error)} – trying again`
      return [state, [line(state, options, event, text, style.yellow)]]
    }
    case "jobEnded": {
      const { result } = event
      const facts = [
        `${result.status} after ${seconds(result.duration)}`,
        ...(tokens(result.usage) === undefined ? [] : [`${amount(tokens(result.usage))} tokens`]),
        ...(result.usage?.costUsd === undefined ? [] : [dollars(result.usage.costUsd)]),
        ...(result.reason === null ? [] : [result.reason])
      ].join(", ")
      const at = { at: event.at, agentId: result.agentId }
      return [state, [line(state, options, at, facts, statusColour(style, result))]]
    }
    case "toolParked": {
      const text = `waits until ${moment(event.until)} UTC: ${clean(event.message)}`
      return [state, [line(state, options, { at: event.at, agentId: event.tool }, text, style.yellow)]]
    }
    case "toolReleased":
      return [state, [line(state, options, { at: event.at, agentId: event.tool }, "answers again")]]
    case "held": {
      return [state, [line(state, options, { at: event.at, agentId: "" }, heldText(event), style.yellow)]]
    }
    case "budget":
      return [state, [line(state, options, { at: event.at, agentId: "" }, budgetText(event), style.yellow)]]
    case "runEnded":
      return [state, []]
  }
}

export const heldText = ({ shortage }: Extract<RunEvent, { kind: "held" }>): string =>
  shortage === null ? "there is room again" : `nothing is started: ${clean(shortage)}`

const mostOverlaps = 5

/** Agents that may write the same files. */
export const overlapLines = (
  overlaps: Extract<RunEvent, { kind: "runStarted" }>["overlaps"]
): ReadonlyArray<string> => {
  const lines = overlaps
    .slice(0, mostOverlaps)
    .map(
      ({ agents, directory }) => `${agents.map((id) => clean(id)).join(" and ")} may both write in ${clean(directory)}`
    )
  const left = overlaps.length - lines.length
  return [
    ...lines.map((text) => `  warning: ${text}`),
    ...(left > 0 ? [`  warning: and ${left} more of the kind`] : []),
    ...(lines.length > 0
      ? ["  give them folders of their own, or --overlap serialize runs them one after the other"]
      : [])
  ]
}

const budgetText = ({ part, spent }: Extract<RunEvent, { kind: "budget" }>): string => {
  const unknown = spent.unknown === 0 ? "" : `, and ${plural(spent.unknown, "attempt")} of unknown cost`
  const sum = `${dollars(spent.costUsd)} and ${amount(spent.tokens)} tokens${unknown}`
  return part >= 1
    ? `the budget is spent (${sum}): nothing more is started`
    : `${Math.floor(part * 100)} % of the budget is spent (${sum})`
}

const line = (
  state: State,
  { columns, style }: Options,
  event: { readonly at: number; readonly agentId: string },
  text: string,
  colour: (text: string) => string = (same) => same
): string => {
  const time = clock(event.at - state.startedAt)
  const agent = pad(cut(clean(event.agentId), state.agentColumns), state.agentColumns)
  const room = Math.max(20, columns - width(time) - state.agentColumns - 4)
  return `${style.dim(time)}  ${style.bold(agent)}  ${colour(cut(text, room))}`
}
