/** A run as a picture that is drawn again and again: pure, from what is known of it. */
import { activity } from "./activity.js"
import { clean, firstLine } from "./clean.js"
import { amount, clock, dollars, moment, seconds } from "./format.js"
import { cut, pad, type Style, width } from "./layout.js"
import type { JobRecord, RunRecord } from "./runRecord.js"
import { statusColour, tokens } from "./runSummary.js"

export interface Options {
  readonly columns: number
  readonly rows: number
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly style: Style
  /** The agents are being ended. */
  readonly ending: boolean
}

export const endingNote = "ending the agents – once more ends them at once"

/** At most `rows` lines, each at most `columns` wide. */
export const render = (run: RunRecord, options: Options): ReadonlyArray<string> => {
  const jobs = [...run.jobs.values()]
  const head = heading(run, jobs, options)
  const room = Math.max(1, options.rows - head.length)
  // Where not all fit, those at work come first, then those that failed.
  const shown =
    jobs.length <= room ? jobs : [...jobs].sort((one, other) => rank(one) - rank(other)).slice(0, Math.max(0, room - 1))
  const widths = {
    agent: widest(shown, name, 24),
    role: widest(shown, ({ role }) => clean(role), 12),
    tool: widest(shown, ({ tool }) => clean(tool), 12)
  }
  const rows = shown.map((job) => row(job, widths, options))
  const left = jobs.length - shown.length
  const more = left === 0 ? [] : [options.style.dim(cut(`  … and ${left} more`, options.columns))]
  return [...head, ...rows, ...more].slice(0, options.rows)
}

/** An agent that another one asked for stands below it. */
const name = ({ agentId, depth }: JobRecord): string => `${"  ".repeat(depth)}${clean(agentId)}`

const rank = ({ result, startedAt }: JobRecord): number => {
  if (result !== undefined) return result.status === "completed" ? 3 : 1
  return startedAt === undefined ? 2 : 0
}

const widest = (jobs: ReadonlyArray<JobRecord>, text: (job: JobRecord) => string, most: number): number =>
  Math.min(most, Math.max(0, ...jobs.map((job) => width(text(job)))))

const heading = (run: RunRecord, jobs: ReadonlyArray<JobRecord>, options: Options): ReadonlyArray<string> => {
  const { columns, ending, now, style } = options
  const results = jobs.flatMap(({ result }) => (result === undefined ? [] : [result]))
  const working = jobs.filter(({ result, startedAt }) => result === undefined && startedAt !== undefined).length
  const failed = results.filter(({ status }) => status !== "completed").length
  const used = sum(results.map(({ usage }) => tokens(usage)))
  const cost = sum(results.map(({ usage }) => usage?.costUsd))
  const facts = [
    clean(run.started.project),
    `${results.length + run.started.earlier} of ${jobs.length + run.started.earlier} done`,
    ...(working === 0 ? [] : [`${working} at work`]),
    ...(failed === 0 ? [] : [`${failed} not completed`]),
    clock(now - run.started.at),
    ...(used === undefined ? [] : [`${amount(used)} tokens`]),
    ...(cost === undefined ? [] : [dollars(cost)])
  ]
  const first = cut(`run ${run.started.runId} · ${facts.join(" · ")}`, columns)
  const short = run.shortage === null ? [] : [`nothing is started: ${clean(run.shortage)}`]
  const parked = [...run.parked].map(([tool, until]) => `${clean(tool)} waits until ${moment(until)} UTC for its limit`)
  return [
    style.bold(first),
    ...[...short, ...parked].slice(0, 3).map((text) => style.yellow(cut(text, columns))),
    ...(ending ? [style.yellow(cut(endingNote, columns))] : [])
  ]
}

/** Undefined where nobody knows. */
const sum = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((one, other) => one + other, 0)
}

const row = (
  job: JobRecord,
  widths: { readonly agent: number; readonly role: number; readonly tool: number },
  { columns, now, style }: Options
): string => {
  const { result, startedAt } = job
  const time = result?.duration ?? (startedAt === undefined ? undefined : (now - startedAt) / 1000)
  const mark = result === undefined ? (startedAt === undefined ? "·" : "●") : result.status === "completed" ? "✓" : "✗"
  // A running clock has whole seconds; a tenth that never stands still is noise.
  const shownTime =
    time === undefined ? "" : result === undefined && time < 60 ? `${Math.floor(time)} s` : seconds(time)
  const cells = [
    mark,
    pad(cut(name(job), widths.agent), widths.agent),
    pad(cut(clean(job.role), widths.role), widths.role),
    pad(cut(clean(job.tool), widths.tool), widths.tool),
    shownTime.padStart(10)
  ]
  const left = `${cells[0]} ${cells.slice(1).join("  ")}  `
  const text = doing(job)
  if (width(left) + 8 > columns) return cut(`${mark} ${name(job)}  ${text}`, columns)
  const colour = result === undefined ? (startedAt === undefined ? style.dim : style.bold) : statusColour(style, result)
  const rest = cut(text, columns - width(left))
  return `${colour(left)}${result === undefined ? style.dim(rest) : colour(rest)}`
}

const doing = ({ last, result, startedAt }: JobRecord): string => {
  if (result !== undefined) {
    if (result.status !== "completed") return `${result.reason ?? result.status}: ${firstLine(result.error ?? "")}`
    const notes = [
      ...(result.denials.length === 0 ? [] : [`${result.denials.length} denied`]),
      ...(result.warnings.length === 0 ? [] : [`${result.warnings.length} to look at`])
    ].map((note) => `(${note}) `)
    return `${notes.join("")}${firstLine(result.result ?? "")}`
  }
  if (startedAt === undefined) return "waiting"
  if (last === undefined) return "starting"
  return last.kind === "retry" ? `trying again after ${clean(last.reason)}: ${firstLine(last.error)}` : activity(last)
}
