/** A run as plain lines, one for each thing that happens. Nothing an agent prints gets through unclean. */
import type { RunEvent } from "@contextfs/core/Orchestrator"
import type { AgentEvent } from "@contextfs/core/ToolAdapter"
import { clean, firstLine } from "./clean.js"
import { amount, clock, dollars, plural, seconds, unknown } from "./format.js"
import { cut, pad, type Style, table, width } from "./layout.js"
import { statusColour } from "./runSummary.js"

export interface Options {
  readonly style: Style
  /** Lines are cut at this width. */
  readonly columns: number
}

/** What the lines of a run refer back to. */
export interface State {
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
        plural(Math.min(event.workers, event.jobs.length), "worker"),
        `containment ${clean(event.containment)}`
      ].join(" · ")
      const rows = event.jobs.map((job) => [
        `  ${clean(job.agentId)}`,
        clean(job.role),
        clean(job.tool),
        clean(job.directory)
      ])
      return [{ startedAt: event.at, agentColumns }, [head, ...table(rows).map((row) => cut(row, options.columns))]]
    }
    case "jobStarted":
      return [
        state,
        [line(state, options, event, event.attempt === 1 ? "started" : `attempt ${event.attempt} started`)]
      ]
    case "agentEvent": {
      const text = ofAgent(event.event)
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
        ...(result.usage === null ? [] : [tokens(result.usage)]),
        ...(result.usage?.costUsd === undefined ? [] : [dollars(result.usage.costUsd)]),
        ...(result.reason === null ? [] : [result.reason])
      ].join(", ")
      const at = { at: event.at, agentId: result.agentId }
      return [state, [line(state, options, at, facts, statusColour(style, result))]]
    }
    case "runEnded":
      return [state, []]
  }
}

const tokens = (usage: { readonly inputTokens?: number; readonly outputTokens?: number }): string => {
  const { inputTokens, outputTokens } = usage
  if (inputTokens === undefined && outputTokens === undefined) return `${unknown} tokens`
  return `${amount((inputTokens ?? 0) + (outputTokens ?? 0))} tokens`
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

const ofAgent = (event: AgentEvent): string => {
  switch (event.kind) {
    case "started": {
      const facts = [
        ...(event.model === undefined ? [] : [`model ${clean(event.model)}`]),
        ...(event.sessionId === undefined ? [] : [`session ${clean(event.sessionId)}`]),
        ...(event.failedServers ?? []).map((server) => `MCP server ${clean(server)} did not start`)
      ]
      return facts.join(", ")
    }
    // Pieces of a message come whole with the result.
    case "message":
      return event.delta === true ? "" : firstLine(event.text)
    case "toolCall":
      return `→ ${clean(event.name)}${inputOf(event.input)}`
    case "toolResult": {
      if (event.ok) return ""
      const what = event.denied === true ? "denied" : "failed"
      const name = event.name === undefined ? "tool call" : clean(event.name)
      return `✗ ${name} ${what}${event.message === undefined ? "" : `: ${firstLine(event.message)}`}`
    }
    case "limit": {
      const { attempt, message, retryInMs } = event.limit
      const again = retryInMs === undefined ? "" : `, again in ${seconds(retryInMs / 1000)}`
      return `! ${firstLine(message)}${attempt === undefined ? "" : ` (retry ${attempt}${again})`}`
    }
    case "usage":
    case "finished":
      return ""
  }
}

/** The texts of a call's input, the short way: `{"query":"auth"}` as ` auth`. */
const inputOf = (input: unknown): string => {
  if (input === undefined || input === null) return ""
  const texts =
    typeof input === "object" ? Object.values(input).filter((value) => typeof value === "string") : [`${input}`]
  const shown = texts.map((text) => firstLine(text)).find((text) => text !== "")
  return shown === undefined ? "" : ` ${cut(shown, 120)}`
}
