/** Runs and jobs as people read them. Everything that agents or files say is made clean here. */
import type { AttemptRecord, Parked } from "@contextfs/core/JobQueue"
import { clean, cleanLines, firstLine } from "./clean.js"
import { ago, amount, dollars, moment, plural, seconds, unknown } from "./format.js"
import { type Cell, grid } from "./grid.js"
import { cut, type Style, table } from "./layout.js"
import type { JobState, RunState } from "./runState.js"
import { tokens } from "./runSummary.js"

export interface Look {
  readonly style: Style
  readonly columns: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

type Status = JobState["status"] | RunState["status"]
type Paint = (text: string) => string

export const statusPaint = (style: Style, status: Status): Paint => {
  switch (status) {
    case "completed":
      return style.green
    case "failed":
    case "timeout":
      return style.red
    case "cancelled":
    case "interrupted":
      return style.yellow
    case "running":
      return style.bold
    case "pending":
      return style.dim
  }
}

export const statusMark = (status: Status): string =>
  status === "completed" ? "✓" : status === "running" ? "●" : status === "pending" ? "·" : "✗"

/** Of a job that completed with something to look at: yellow. */
const jobPaint = (style: Style, { result, status }: JobState): Paint =>
  status === "completed" && result !== null && result.denials.length + result.warnings.length > 0
    ? style.yellow
    : statusPaint(style, status)

const elapsed = (duration: number | null): string => (duration === null ? unknown : seconds(duration))

/** What it came to, or what keeps it. */
const outcome = ({ error, reason, result, status }: JobState): string => {
  if (status === "completed") return firstLine(result?.result ?? "")
  if (reason === null) return status === "interrupted" ? "its process is gone" : ""
  const failure = `${clean(reason)}: ${firstLine(error ?? "")}`
  return status === "pending" ? `waits for another attempt after ${failure}` : failure
}

/** Below this there is no room for who does it and with what. */
const narrow = 72

const jobRow = (job: JobState, { columns, style }: Look, retried: boolean): ReadonlyArray<Cell> => {
  const paint = jobPaint(style, job)
  return [
    { text: `  ${statusMark(job.status)} ${clean(job.agentId)}`, paint },
    { text: job.status, paint },
    ...(columns < narrow ? [] : [{ text: clean(job.role) }, { text: clean(job.tool) }]),
    ...(retried ? [{ text: job.attempts > 1 ? `attempt ${job.attempts}` : "" }] : []),
    { text: elapsed(job.duration) },
    { text: outcome(job), paint: job.status === "completed" ? undefined : paint }
  ]
}

const heading = (run: RunState, { columns, now, style }: Look, project: boolean): string => {
  const { jobs } = run
  const count = (status: JobState["status"]) => jobs.filter((job) => job.status === status).length
  const facts = [
    ...(project ? [`project ${clean(run.project)}`] : []),
    `${count("completed")} of ${jobs.length} completed`,
    ...(count("running") === 0 ? [] : [`${count("running")} at work`]),
    ...(count("pending") === 0 ? [] : [`${count("pending")} waiting`]),
    ...(run.duration === null ? [] : [seconds(run.duration)]),
    ...(run.status === "running" ? [] : [ago(now - run.createdAt)])
  ].join(" · ")
  const left = `run ${run.runId} ${run.status}`
  return `run ${style.bold(run.runId)} ${statusPaint(style, run.status)(run.status)}${cut(` · ${facts}`, columns - left.length)}`
}

const resumeLine = ({ resume }: RunState, { columns, style }: Look): ReadonlyArray<string> =>
  resume === null ? [] : [style.yellow(cut(`  go on with it: ${resume}`, columns))]

/** What keeps a run that is at work from getting on. */
const heldLine = ({ owner, shortage, stopped }: RunState, { columns, style }: Look): ReadonlyArray<string> => {
  const why = stopped
    ? `process ${owner} is ${asleep(owner)}`
    : shortage === null
      ? undefined
      : `nothing is started: ${clean(shortage)}`
  return why === undefined ? [] : [style.yellow(cut(`  ${why}`, columns))]
}

const asleep = (pid: number): string => `stopped: kill -CONT ${pid} wakes it`

/** Of a run with more jobs, those that need a look or are at work come first. */
const mostJobs = 12
const rank: Readonly<Record<JobState["status"], number>> = {
  running: 0,
  interrupted: 0,
  failed: 1,
  timeout: 1,
  cancelled: 2,
  pending: 3,
  completed: 4
}

const lines = (all: ReadonlyArray<string>): string => all.map((line) => `${line}\n`).join("")

const parkedLines = (parked: ReadonlyArray<Parked>, { columns, style }: Look): ReadonlyArray<string> =>
  parked.map(({ message, tool, until }) =>
    style.yellow(cut(`${clean(tool)} waits until ${moment(until)} UTC: ${firstLine(message)}`, columns))
  )

/** Newest first, each with its jobs. `projects`: say of each which it belongs to. */
export const listText = (
  runs: ReadonlyArray<RunState>,
  parked: ReadonlyArray<Parked>,
  look: Look,
  projects: boolean
): string => {
  const blocks = runs.map((run) => {
    const shown =
      run.jobs.length <= mostJobs
        ? run.jobs
        : [...run.jobs].sort((a, b) => rank[a.status] - rank[b.status]).slice(0, mostJobs - 1)
    const more = run.jobs.length - shown.length
    const retried = shown.some(({ attempts }) => attempts > 1)
    return lines([
      heading(run, look, projects),
      ...resumeLine(run, look),
      ...heldLine(run, look),
      ...grid(
        shown.map((job) => jobRow(job, look, retried)),
        look.columns
      ),
      ...(more === 0
        ? []
        : [look.style.dim(cut(`  … and ${more} more: contextfs orchestrator status ${run.runId}`, look.columns))])
    ])
  })
  const waits = parkedLines(parked, look)
  return [...(waits.length === 0 ? [] : [lines(waits)]), ...blocks].join("\n")
}

type Fact = readonly [name: string, value: string]

const block = (title: string, facts: ReadonlyArray<Fact>): ReadonlyArray<string> => [
  title,
  ...table(facts.map(([name, value]) => [`  ${name}`, value]))
]

const jobTitle = (job: JobState, style: Style): string =>
  jobPaint(style, job)(`${statusMark(job.status)} ${clean(job.agentId)} ${job.status}`)

const jobFacts = (job: JobState, { columns }: Look): ReadonlyArray<Fact> => {
  const { attempts, error, reason, result } = job
  const short = (text: string) => cut(firstLine(text), columns - 13)
  const used = tokens(result?.usage ?? null)
  const cost = result?.usage?.costUsd
  const memory = result?.memory ?? null
  const files = result?.filesChanged ?? null
  return [
    ["job", job.jobId],
    ["as", `${clean(job.role)} with ${clean(job.tool)}`],
    ["directory", clean(job.directory)],
    ["task", short(job.task)],
    ...(job.folder === null ? [] : [["logs", clean(job.folder)] satisfies Fact]),
    ["time", [elapsed(job.duration), ...(attempts > 1 ? [plural(attempts, "attempt")] : [])].join(", ")],
    ...(used === undefined && cost === undefined
      ? []
      : [["used", `${amount(used)} tokens, ${dollars(cost)}`] satisfies Fact]),
    ...(memory === null
      ? []
      : [["memory", `${memory.saved.length} saved, ${plural(memory.searches, "search", "searches")}`] satisfies Fact]),
    ...(memory?.ignored ?? []).map((step): Fact => ["did not", clean(step)]),
    ...(files === null || files.length === 0
      ? []
      : [["changed", short(files.map((file) => clean(file)).join(", "))] satisfies Fact]),
    ...(reason === null ? [] : [["error", `${clean(reason)}: ${clean(error ?? "")}`] satisfies Fact]),
    ...(result?.denials ?? []).map(({ message, tool }): Fact => ["denied", `${clean(tool)}: ${clean(message)}`]),
    ...(result?.warnings ?? []).map((warning): Fact => ["warning", clean(warning)])
  ]
}

/** Everything about one run, its jobs in their order. */
export const runText = (run: RunState, look: Look): string => {
  const { now, style } = look
  const when = `${moment(run.createdAt)} UTC, ${ago(now - run.createdAt)}`
  return lines([
    ...block(heading(run, look, false), [
      ["project", clean(run.project)],
      ["started", when],
      ["contained", clean(run.containment)],
      ["process", `${run.owner}${run.stopped ? `, ${asleep(run.owner)}` : run.status === "running" ? "" : ", gone"}`],
      ...(run.shortage === null ? [] : [["waits", `nothing is started: ${clean(run.shortage)}`] satisfies Fact]),
      ["logs", clean(run.folder)],
      ...(run.resume === null ? [] : [["go on", run.resume] satisfies Fact])
    ]),
    ...run.jobs.flatMap((job) => {
      const result: ReadonlyArray<Fact> =
        job.result?.result == null ? [] : [["result", cut(firstLine(job.result.result), look.columns - 13)]]
      return ["", ...block(jobTitle(job, style), [...jobFacts(job, look), ...result])]
    })
  ])
}

/** Everything about one job; what the agent answered comes last and whole. */
export const jobText = (job: JobState, attempts: ReadonlyArray<AttemptRecord>, look: Look): string => {
  const { style } = look
  const evidence = job.result?.evidence ?? null
  const session = job.result?.sessionId ?? null
  const answer = job.result?.result ?? null
  return lines([
    ...block(jobTitle(job, style), [["run", job.runId], ...jobFacts(job, look)]),
    ...(attempts.length === 0
      ? []
      : [
          "",
          style.bold("attempts"),
          ...table(
            attempts.map(({ charged, endedAt, error, number, process, reason, startedAt }) => [
              `  ${number}`,
              `${moment(startedAt)} UTC`,
              endedAt === null ? "not ended" : seconds((endedAt - startedAt) / 1000),
              process === null ? "" : `pid ${process.pid}`,
              `${reason === null ? "" : `${clean(reason)}: ${clean(error ?? "")}`}${charged ? "" : " (not counted)"}`
            ])
          )
        ]),
    ...(evidence === null
      ? []
      : [
          "",
          ...block(style.bold("evidence"), [
            ["rule", clean(evidence.rule)],
            ["exit", evidence.exitCode === null ? unknown : `${evidence.exitCode}`],
            ["ended", `${clean(evidence.ended)}${evidence.sent === null ? "" : `, ${evidence.sent} sent`}`],
            ["last event", clean(evidence.lastEvent ?? unknown)],
            ["output", `${amount(evidence.stdoutBytes)} bytes, stderr ${amount(evidence.stderrBytes)} bytes`],
            ["calls", plural(evidence.toolCalls, "tool call")],
            ["contained", `${clean(evidence.containment)}, ${plural(evidence.survivors, "survivor")} ended`],
            ...(session === null ? [] : [["session", clean(session)] satisfies Fact])
          ])
        ]),
    ...(answer === null ? [] : ["", style.bold("result"), cleanLines(answer).trimEnd()])
  ])
}
