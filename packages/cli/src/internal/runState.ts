/** Runs and jobs as they are: one whose process is gone is interrupted, whether anybody has marked it or not. */
import * as path from "node:path"
import { isAlive, isStopped } from "@contextfs/core/AgentProcess"
import type { Job, JobResult, JobStatus, RunStatus } from "@contextfs/core/Job"
import type { AttemptRecord, JobQueueService, Run } from "@contextfs/core/JobQueue"
import { shortage } from "@contextfs/core/Workplace"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface JobState {
  readonly jobId: string
  readonly runId: string
  readonly agentId: string
  readonly role: string
  readonly tool: string
  readonly directory: string
  readonly task: string
  readonly status: JobStatus | "interrupted"
  /** Attempts begun so far. */
  readonly attempts: number
  /** Of the first attempt, milliseconds since the epoch; null where none was begun, or where nobody asked. */
  readonly startedAt: number | null
  /** Seconds so far, or until it ended; null where no attempt was begun. */
  readonly duration: number | null
  /** Folder of the last attempt's files; null where none was begun. */
  readonly folder: string | null
  /** Also of the last attempt of a job that waits for another one. */
  readonly reason: string | null
  readonly error: string | null
  readonly result: JobResult | null
}

export interface RunState {
  readonly runId: string
  readonly project: string
  readonly status: RunStatus
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly endedAt: number | null
  /** Seconds so far, or until it ended; null where nobody knows when that was. */
  readonly duration: number | null
  readonly containment: string
  /** Process id of the orchestrating process. */
  readonly owner: number
  /** That process was stopped, by Ctrl-Z or SIGSTOP, and does nothing until it is woken. */
  readonly stopped: boolean
  /** What is short on this machine, so that none of the jobs that wait is started; else null. */
  readonly shortage: string | null
  /** Folder of everything that its agents printed. */
  readonly folder: string
  /** The command that goes on with it, where there is something to go on with. */
  readonly resume: string | null
  readonly jobs: ReadonlyArray<JobState>
}

export const statusOf = (run: Run): RunStatus =>
  run.status === "running" && isAlive(run.owner) === false ? "interrupted" : run.status

export const resumeCommand = (runId: string): string => `contextfs orchestrator resume ${runId}`

interface Around {
  readonly dataDir: string
  /** Of its run. */
  readonly status: RunStatus
  /** Milliseconds since the epoch. */
  readonly now: number
}

const folderOf = (dataDir: string, ...below: ReadonlyArray<string>): string => path.join(dataDir, "runs", ...below)

/** A job that has ended tells everything itself: only of another one the attempts are needed. */
export const jobState = (
  job: Job,
  attempts: ReadonlyArray<AttemptRecord>,
  { dataDir, now, status: run }: Around
): JobState => {
  const { jobId, result, runId, spec, status } = job
  const startedAt = attempts[0]?.startedAt ?? null
  const last = attempts.at(-1)
  const until = status === "running" && run !== "interrupted" ? now : (last?.endedAt ?? null)
  return {
    jobId,
    runId,
    agentId: spec.agentId,
    role: spec.role,
    tool: spec.tool,
    directory: spec.directory,
    task: spec.task,
    status: status === "running" && run === "interrupted" ? "interrupted" : status,
    attempts: job.attempts,
    startedAt,
    duration:
      job.attempts === 0
        ? null
        : (result?.duration ?? (startedAt === null || until === null ? null : (until - startedAt) / 1000)),
    folder: job.attempts === 0 ? null : folderOf(dataDir, runId, jobId, `${job.attempts}`),
    reason: result === null ? (last?.reason ?? null) : result.reason,
    error: result === null ? (last?.error ?? null) : result.error,
    result
  }
}

export const runState = (journal: JobQueueService, run: Run, dataDir: string) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const status = yield* Effect.sync(() => statusOf(run))
    const { containment, createdAt, endedAt, owner, project, runId } = run
    const jobs = yield* Effect.forEach(yield* journal.jobs(runId), (job) =>
      Effect.gen(function* () {
        const attempts = job.result === null && job.attempts > 0 ? yield* journal.attempts(job.jobId) : []
        return jobState(job, attempts, { dataDir, status, now })
      })
    )
    // Only of a process of ours and of here can be told what it has left.
    const waits = jobs.some((job) => job.status === "pending") && isAlive(owner) === true
    const until = endedAt ?? (status === "running" ? now : null)
    return {
      runId,
      project,
      status,
      createdAt,
      endedAt,
      duration: until === null ? null : (until - createdAt) / 1000,
      containment,
      owner: owner.pid,
      stopped: status === "running" && isStopped(owner),
      shortage: status === "running" && waits ? shortage(dataDir, { pid: owner.pid }) : null,
      folder: folderOf(dataDir, runId),
      resume: status === "interrupted" ? resumeCommand(runId) : null,
      jobs
    } satisfies RunState
  })
