/** What happens in a project as lines, one for each thing. Nothing that agents say gets through unclean. */
import type { JobEvent } from "@contextfs/core/JobQueue"
import type { MemoryEvent } from "@contextfs/memory/MemoryStore"
import { clean, firstLine } from "./clean.js"
import { seconds, timeOfDay } from "./format.js"
import { cut, pad, type Style, width } from "./layout.js"
import { resumeCommand } from "./runState.js"
import { statusMark, statusPaint } from "./statusText.js"

/** A job that had begun and not ended when the monitor was started. */
export interface AtWork {
  readonly jobId: string
  readonly agentId: string
  readonly attempt: number
  /** Of its first attempt, milliseconds since the epoch. */
  readonly startedAt: number
}

export type Entry =
  | { readonly kind: "memory"; readonly event: MemoryEvent }
  | { readonly kind: "job"; readonly event: JobEvent }
  /** How a run stood when the monitor was started. */
  | {
      readonly kind: "running"
      readonly at: number
      readonly runId: string
      readonly createdAt: number
      readonly atWork: ReadonlyArray<AtWork>
      readonly waiting: number
      readonly ended: number
    }
  /** Its process is gone, and nobody has marked it. */
  | { readonly kind: "interrupted"; readonly at: number; readonly runId: string; readonly resume: string }

interface Options {
  readonly style: Style
  readonly columns: number
}

/** What later lines refer back to. */
export interface State {
  readonly agentColumns: number
  readonly startedAt: ReadonlyMap<string, number>
}

export const initial: State = { agentColumns: 10, startedAt: new Map() }

/** From here on a line also names the run, and of a memory id and tags. */
const wide = 100
const mostAgentColumns = 20

interface Line {
  readonly at: number
  readonly runId: string | null
  readonly who: string
  readonly text: string
  readonly paint?: (text: string) => string
}

/** The state after an entry, and the lines to show for it. */
export const step = (state: State, entry: Entry, options: Options): readonly [State, ReadonlyArray<string>] => {
  const [startedAt, lines] = told(state.startedAt, entry, options)
  const agentColumns = Math.min(
    mostAgentColumns,
    Math.max(state.agentColumns, ...lines.map(({ who }) => width(clean(who))))
  )
  return [{ agentColumns, startedAt }, lines.map((line) => render(line, agentColumns, options))]
}

const render = ({ at, paint, runId, text, who }: Line, agentColumns: number, { columns, style }: Options): string => {
  const time = timeOfDay(at)
  const run = columns < wide ? "" : `${pad(cut(clean(runId ?? ""), 8), 8)}  `
  const agent = pad(cut(clean(who), agentColumns), agentColumns)
  const shown = cut(text, Math.max(20, columns - width(time) - width(run) - agentColumns - 4))
  return `${style.dim(`${time}  ${run}`)}${style.bold(agent)}  ${paint === undefined ? shown : paint(shown)}`.trimEnd()
}

type Started = ReadonlyMap<string, number>

const told = (startedAt: Started, entry: Entry, options: Options): readonly [Started, ReadonlyArray<Line>] => {
  const { style } = options
  switch (entry.kind) {
    case "memory":
      return [startedAt, [memoryLine(entry.event, options)]]
    case "job":
      return jobLine(startedAt, entry.event, options)
    case "running": {
      const { at, atWork, createdAt, ended, runId, waiting } = entry
      const facts = [
        `● running for ${seconds((at - createdAt) / 1000)}`,
        `${atWork.length} at work`,
        ...(waiting === 0 ? [] : [`${waiting} waiting`]),
        ...(ended === 0 ? [] : [`${ended} ended`])
      ].join(" · ")
      const jobs = atWork.map(({ agentId, attempt, startedAt: since }): Line => {
        const again = attempt > 1 ? `, attempt ${attempt}` : ""
        const text = `● running for ${seconds((at - since) / 1000)}${again}`
        return { at, runId, who: agentId, text, paint: style.bold }
      })
      const known = new Map([...startedAt, ...atWork.map((job) => [job.jobId, job.startedAt] as const)])
      return [known, [{ at, runId, who: runName(runId, options), text: facts, paint: style.bold }, ...jobs]]
    }
    case "interrupted": {
      const { at, resume, runId } = entry
      const text = `✗ interrupted: its process is gone; go on with it: ${resume}`
      return [startedAt, [{ at, runId, who: runName(runId, options), text, paint: style.yellow }]]
    }
  }
}

const runName = (runId: string, { columns }: Options): string => (columns < wide ? `run ${runId}` : "run")

const verbs = {
  created: "saved",
  merged: "said again",
  updated: "updated",
  evolved: "evolved",
  linked: "linked",
  deleted: "deleted"
} as const

const memoryLine = ({ at, by, kind, memory }: MemoryEvent, { columns, style }: Options): Line => {
  const { content, id, summary, tags, type } = memory
  const named = columns < wide ? type : `${type} ${id}`
  const tagged = columns < wide || tags.length === 0 ? "" : ` (${tags.map((tag) => clean(tag)).join(", ")})`
  return {
    at,
    runId: by.runId ?? null,
    who: by.agentId ?? by.role ?? by.sourceTool,
    text: `${verbs[kind]} ${named}: ${firstLine(summary ?? content)}${tagged}`,
    ...(type === "error" ? { paint: style.red } : {})
  }
}

const jobLine = (startedAt: Started, event: JobEvent, options: Options): readonly [Started, ReadonlyArray<Line>] => {
  const { agentId, at, attempt, error, jobId, reason, runId, status } = event
  const paint = statusPaint(options.style, status)
  const line = (who: string, what: string): Line => ({ at, runId, who, text: `${statusMark(status)} ${what}`, paint })
  if (jobId === null) {
    const rest = status === "interrupted" ? `: go on with it: ${resumeCommand(runId)}` : ""
    return [startedAt, [line(runName(runId, options), `${status === "running" ? "started" : status}${rest}`)]]
  }
  const failure = reason === null ? "" : `${clean(reason)}: ${firstLine(error ?? "")}`
  const who = agentId ?? jobId
  if (status === "pending") {
    return [startedAt, [line(who, failure === "" ? "waiting" : `waits for another attempt after ${failure}`)]]
  }
  if (status === "running") {
    const known = startedAt.has(jobId) ? startedAt : new Map([...startedAt, [jobId, at]])
    return [known, [line(who, attempt > 1 ? `attempt ${attempt} started` : "started")]]
  }
  const since = startedAt.get(jobId)
  const after = since === undefined ? "" : ` after ${seconds((at - since) / 1000)}`
  const left = new Map([...startedAt].filter(([other]) => other !== jobId))
  return [left, [line(who, `${status}${after}${failure === "" ? "" : `: ${failure}`}`)]]
}
