/** What is known of a run while it goes on, gathered from what happens. */
import type { Job, JobResult } from "@contextfs/core/Job"
import type { Spent } from "@contextfs/core/JobQueue"
import { type JobHead, type RunEvent, type RunResult, resultsOf } from "@contextfs/core/Orchestrator"
import type { AgentEvent } from "@contextfs/core/ToolAdapter"

export interface JobRecord {
  readonly agentId: string
  readonly role: string
  readonly tool: string
  /** How many agents asked for it, one for the other; 0 where the user did. */
  readonly depth: number
  /** Milliseconds since the epoch; undefined while it waits. */
  startedAt: number | undefined
  /** The last thing it did or met. */
  last: AgentEvent | { readonly kind: "retry"; readonly reason: string; readonly error: string } | undefined
  result: JobResult | undefined
}

export interface RunRecord {
  readonly started: Extract<RunEvent, { kind: "runStarted" }>
  /** By job id, in the order of the configuration, those that an agent asked for right after it. */
  jobs: Map<string, JobRecord>
  /** Tools that wait for the end of a usage limit, until when: milliseconds since the epoch. */
  readonly parked: Map<string, number>
  /** What this machine lacks, so that nothing is started. */
  shortage: string | null
}

/** Takes in what happened; the record is changed in place, since a talkative agent makes many events. */
export const record = (run: RunRecord | undefined, event: RunEvent): RunRecord | undefined => {
  if (event.kind === "runStarted") {
    const jobs = event.jobs.reduce(added, new Map<string, JobRecord>())
    return { started: event, jobs, parked: new Map(), shortage: null }
  }
  if (event.kind === "jobAdded") {
    if (run !== undefined) run.jobs = added(run.jobs, event)
    return run
  }
  if (event.kind === "runEnded" || event.kind === "budget") return run
  if (event.kind === "held") {
    if (run !== undefined) run.shortage = event.shortage
    return run
  }
  if (event.kind === "toolParked" || event.kind === "toolReleased") {
    if (event.kind === "toolParked") run?.parked.set(event.tool, event.until)
    else run?.parked.delete(event.tool)
    return run
  }
  const job = run?.jobs.get(event.kind === "jobEnded" ? event.result.jobId : event.jobId)
  if (job === undefined) return run
  switch (event.kind) {
    case "jobStarted":
      job.startedAt ??= event.at
      job.last = undefined
      break
    case "agentEvent":
      // What a tool answered, or what it all cost, is not what the agent does.
      if (event.event.kind !== "usage" && event.event.kind !== "finished") {
        if (event.event.kind !== "toolResult" || !event.event.ok) job.last = event.event
      }
      break
    case "jobRetrying":
      job.last = { kind: "retry", reason: event.reason, error: event.error }
      break
    case "jobEnded":
      job.result = event.result
  }
  return run
}

/** With one more job: at the end, or below the one whose agent asked for it and what that had asked for before. */
const added = (jobs: Map<string, JobRecord>, head: JobHead): Map<string, JobRecord> => {
  const { agentId, jobId, parent, role, tool } = head
  const above = parent === null ? undefined : jobs.get(parent)
  const depth = above === undefined ? 0 : above.depth + 1
  const job: JobRecord = { agentId, role, tool, depth, startedAt: undefined, last: undefined, result: undefined }
  if (above === undefined) return jobs.set(jobId, job)
  const entries = [...jobs]
  const from = entries.findIndex(([id]) => id === parent)
  const next = entries.findIndex(([, other], index) => index > from && other.depth < depth)
  return new Map(entries.toSpliced(next === -1 ? entries.length : next, 0, [jobId, job]))
}

/** The result of a run that was interrupted, from its jobs as they are in the journal. */
export const interrupted = (
  { at: begun, project, runId }: Pick<RunRecord["started"], "at" | "project" | "runId">,
  jobs: ReadonlyArray<Job>,
  spent: Spent,
  at: number
): RunResult => ({
  runId,
  project,
  status: "interrupted",
  duration: (at - begun) / 1000,
  ...resultsOf(jobs),
  parked: [],
  shortage: null,
  timedOut: false,
  shared: [],
  spent
})
