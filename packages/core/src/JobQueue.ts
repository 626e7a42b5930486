/**
 * The journal of runs, jobs and attempts. What it says has happened: an intent is written before a process is started, a
 * result before anyone is told. Every change is one write transaction.
 */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { ProcessIdentity } from "./AgentProcess.js"
import * as internal from "./internal/jobQueue.js"
import type { Job, JobId, JobReason, JobResult, JobSpec, RunId, RunStatus } from "./Job.js"
import type { LeaseLost, NotFound } from "./OrchestratorError.js"

/** One orchestrating process over many jobs. */
export interface Run {
  readonly runId: RunId
  readonly project: string
  readonly status: RunStatus
  /** The orchestrating process. */
  readonly owner: ProcessIdentity
  /** Every attempt of the run carries this marker, a hyphen, its job and its number. */
  readonly marker: string
  readonly containment: string
  /** Sockets and temporary files of the run; gone with its process. */
  readonly runtimeDir: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly endedAt: number | null
}

export interface RunQuery {
  readonly project?: string
  readonly status?: RunStatus
  /** Default 20. */
  readonly limit?: number
}

export interface JobQueueService {
  readonly open: (run: Omit<Run, "status" | "createdAt" | "endedAt">) => Effect.Effect<void, StorageError>
  readonly close: (runId: RunId, status: Exclude<RunStatus, "running">) => Effect.Effect<void, StorageError>
  /** Stores them all or none, in this order, as pending. */
  readonly add: (
    runId: RunId,
    jobs: ReadonlyArray<{ readonly jobId: JobId; readonly spec: JobSpec }>
  ) => Effect.Effect<void, StorageError>
  /** Takes the oldest pending job of the run and writes down that its next attempt begins. */
  readonly claim: (runId: RunId) => Effect.Effect<Option.Option<Job>, StorageError>
  /** The attempt's process, as soon as it is known. */
  readonly identify: (
    jobId: JobId,
    attempt: number,
    process: ProcessIdentity
  ) => Effect.Effect<void, LeaseLost | StorageError>
  /** The attempt failed and the job waits for another one. */
  readonly retry: (
    jobId: JobId,
    attempt: number,
    failure: { readonly reason: JobReason; readonly error: string }
  ) => Effect.Effect<void, LeaseLost | StorageError>
  /** Stores the outcome of the current attempt (0: of a job that was never claimed) as the job's, for good. */
  readonly settle: (result: JobResult) => Effect.Effect<void, LeaseLost | StorageError>
  readonly job: (jobId: string) => Effect.Effect<Job, NotFound | StorageError>
  /** In the order in which they were added. */
  readonly jobs: (runId: string) => Effect.Effect<ReadonlyArray<Job>, NotFound | StorageError>
  /** The processes of attempts that have begun and not ended, as far as they are known. */
  readonly processes: (runId: RunId) => Effect.Effect<ReadonlyArray<ProcessIdentity>, StorageError>
  /** Newest first. */
  readonly runs: (query: RunQuery) => Effect.Effect<ReadonlyArray<Run>, StorageError>
}

export class JobQueue extends Context.Tag("@contextfs/core/JobQueue")<JobQueue, JobQueueService>() {}

/** Keeps the journal in one SQLite file, made if missing. */
export const layerSqlite = (options: { readonly path: string }): Layer.Layer<JobQueue, StorageError> =>
  Layer.scoped(JobQueue, internal.make(options.path))

/** The same in this process only: nothing outlives the layer. */
export const layerMemory: Layer.Layer<JobQueue, StorageError> = Layer.scoped(JobQueue, internal.make(":memory:"))
