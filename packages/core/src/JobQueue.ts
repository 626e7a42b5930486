/**
 * The journal of runs, jobs and attempts. What it says has happened: an intent is written before a process is started, a
 * result before anyone is told. Every change is one write transaction, and leaves an event in the feed.
 *
 * A job that is running is held under a lease: by one owner, until a time, with the attempt's number as the fencing token.
 * Whoever writes for an attempt that is not the current one any more is refused (`LeaseLost`). Leases are measured on the
 * host's monotonic clock, so that neither a jump of the wall clock nor a suspended machine ends one.
 */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { ProcessIdentity } from "./AgentProcess.js"
import * as internal from "./internal/jobQueue.js"
import * as privateJournal from "./internal/privateJournal.js"
import type { Job, JobId, JobReason, JobResult, JobSpec, JobStatus, RunId, RunStatus } from "./Job.js"
import type { LeaseLost, NotFound, RunOwned } from "./OrchestratorError.js"
import type { Usage } from "./ToolAdapter.js"

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
  /** How the run was asked for, so that `resume` goes on in the same way. */
  readonly settings: RunSettings
  /** When the owner last renewed its leases, on the monotonic clock; milliseconds. */
  readonly heartbeat: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly endedAt: number | null
}

/** What holds for a run as a whole, as JSON; the journal keeps it and does not look into it. */
export type RunSettings = { readonly [name: string]: unknown }

export interface RunQuery {
  readonly project?: string
  readonly status?: RunStatus
  /** Default 20. */
  readonly limit?: number
}

/** A job's or, where `jobId` is null, a run's change of state. `sequence` grows by commit order over all processes. */
export interface JobEvent {
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly runId: RunId
  readonly project: string
  readonly jobId: JobId | null
  readonly agentId: string | null
  readonly role: string | null
  readonly tool: string | null
  readonly status: JobStatus | RunStatus
  /** Attempts begun by then. */
  readonly attempt: number
  readonly reason: string | null
  readonly error: string | null
}

export interface JobEventQuery {
  /** Only events after this sequence; default 0. */
  readonly since?: number
  readonly project?: string
  readonly runId?: string
  /** Default false: oldest first. */
  readonly newestFirst?: boolean
  /** Default 100, at most 1000. */
  readonly limit?: number
}

/** One try at a job, as the journal knows it. */
export interface AttemptRecord {
  /** From 1; also the fencing token. */
  readonly number: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly endedAt: number | null
  /** Null while it goes on, and where the job completed. */
  readonly reason: string | null
  readonly error: string | null
  /** False: it does not count against the job's retries (a usage limit, the death of the orchestrator). */
  readonly charged: boolean
  readonly process: ProcessIdentity | null
}

/** Who holds a job, and for how long unless it is renewed. */
export interface Lease {
  readonly owner: ProcessIdentity
  readonly millis: number
}

export interface Claimed extends Job {
  /** Of a parked tool whose time is over it is the one that tries. */
  readonly probe: boolean
}

/** Why an attempt ended without ending the job, and what the next one is to know. */
export interface Interruption {
  readonly reason: JobReason
  readonly error: string
  /** Whether it counts against the job's retries; default true. */
  readonly charged?: boolean
  /** Milliseconds before the next attempt may begin; default 0. */
  readonly delay?: number
  /** Session of the program that the next attempt continues; null: it begins anew; default: as the last one did. */
  readonly session?: string | null | undefined
  /** What the attempt used, as far as its program told. */
  readonly usage?: Usage | null
}

/** What the attempts of a job or run have used. */
export interface Spent {
  readonly costUsd: number
  readonly tokens: number
  /** Ended attempts that had an agent and of which no cost is known. */
  readonly unknown: number
}

/** A tool whose provider refuses all work until a time. */
export interface Parked {
  readonly tool: string
  /** Milliseconds since the epoch. */
  readonly until: number
  readonly since: number
  readonly message: string
  /** The one job that tries whether the limit is over; null before `until` and where nobody has tried. */
  readonly probe: JobId | null
}

/** How many jobs of a run are in each state. */
export type Counts = Readonly<Record<JobStatus, number>>

/** What a run waits for that has pending jobs and none that can be claimed now. */
export interface Waiting {
  /** Milliseconds until the earliest of them is due; null where none waits for a time of its own. */
  readonly due: number | null
  /** The parked tools that some of them need. */
  readonly parked: ReadonlyArray<Parked>
}

/** `lane`: see `JobQueueService.add`. */
export interface NewJob {
  readonly jobId: JobId
  readonly spec: JobSpec
  readonly lane?: string | null
}

export interface JobQueueService {
  /** Stores a run, running, and its first jobs (default none): all of it or nothing. */
  readonly open: (
    run: Omit<Run, "status" | "createdAt" | "endedAt" | "heartbeat">,
    jobs?: ReadonlyArray<NewJob>
  ) => Effect.Effect<void, StorageError>
  readonly close: (runId: RunId, status: Exclude<RunStatus, "running">) => Effect.Effect<void, StorageError>
  /**
   * Marks a running run interrupted, if `owner` still owns it: its process is dead. The processes of attempts that had
   * begun and not ended then, as far as they are known; none where another has taken the run over.
   */
  readonly bury: (runId: RunId, owner: ProcessIdentity) => Effect.Effect<ReadonlyArray<ProcessIdentity>, StorageError>
  /**
   * Makes the run ours, if `expected` still owns it: status running, jobs that an interruption had cancelled pending
   * again, waits over, probes given up. Jobs whose attempt nobody has ended stay running, in our hands. As `bury`, it
   * tells their processes.
   */
  readonly takeOver: (
    run: Omit<Run, "status" | "createdAt" | "endedAt" | "heartbeat" | "project" | "settings">,
    expected: ProcessIdentity
  ) => Effect.Effect<ReadonlyArray<ProcessIdentity>, RunOwned | StorageError>
  /**
   * Stores them all or none, in this order, as pending. Of jobs with a `lane`, a folder, none is claimed while one in the
   * same folder, above or below it is running.
   */
  readonly add: (runId: RunId, jobs: ReadonlyArray<NewJob>) => Effect.Effect<void, StorageError>
  /**
   * Takes the oldest pending job of the run that is due and whose tool is not parked, or one whose lease has run out in
   * another's hands, and writes down that its next attempt begins. Of a tool whose parking is over, one job is the probe.
   */
  readonly claim: (runId: RunId, lease: Lease) => Effect.Effect<Option.Option<Claimed>, StorageError>
  /** Prolongs every lease of the owner in the run; the jobs that are still its own. */
  readonly renew: (runId: RunId, lease: Lease) => Effect.Effect<ReadonlySet<JobId>, StorageError>
  /** The attempt's process, as soon as it is known. */
  readonly identify: (
    jobId: JobId,
    attempt: number,
    process: ProcessIdentity
  ) => Effect.Effect<void, LeaseLost | StorageError>
  /** The attempt ended without an outcome and the job waits for another one. */
  readonly retry: (
    jobId: JobId,
    attempt: number,
    interruption: Interruption
  ) => Effect.Effect<void, LeaseLost | StorageError>
  /**
   * Stores the outcome of the current attempt (0: of a job that was never claimed) as the job's, for good. `resumable`:
   * the job was cancelled only because its run was interrupted, so that taking the run over makes it pending again.
   */
  readonly settle: (
    result: JobResult,
    options?: { readonly resumable?: boolean }
  ) => Effect.Effect<void, LeaseLost | StorageError>
  readonly job: (jobId: string) => Effect.Effect<Job, NotFound | StorageError>
  /** In the order in which they were added. */
  readonly jobs: (runId: string) => Effect.Effect<ReadonlyArray<Job>, NotFound | StorageError>
  readonly run: (runId: string) => Effect.Effect<Run, NotFound | StorageError>
  readonly counts: (runId: RunId) => Effect.Effect<Counts, StorageError>
  readonly waiting: (runId: RunId) => Effect.Effect<Waiting, StorageError>
  /** Results in the order in which they were stored, after a cursor (0: from the first); at most 100 at once. */
  readonly results: (
    runId: RunId,
    after: number
  ) => Effect.Effect<ReadonlyArray<{ readonly cursor: number; readonly result: JobResult }>, StorageError>
  /** Of a run or a job. */
  readonly spent: (id: string) => Effect.Effect<Spent, StorageError>
  /** Oldest first. */
  readonly attempts: (jobId: string) => Effect.Effect<ReadonlyArray<AttemptRecord>, StorageError>
  /** Newest first. */
  readonly runs: (query: RunQuery) => Effect.Effect<ReadonlyArray<Run>, StorageError>
  /** The feed of all changes. */
  readonly events: (query: JobEventQuery) => Effect.Effect<ReadonlyArray<JobEvent>, StorageError>
  /**
   * Leaves word for the owner that a job, or every job of a run, shall end for good, those too that only an interruption
   * has cancelled; how many jobs that were.
   */
  readonly requestCancel: (id: string) => Effect.Effect<number, StorageError>
  /** The jobs for which such word was left and that have not ended. */
  readonly cancelRequests: (runId: RunId) => Effect.Effect<ReadonlyArray<JobId>, StorageError>
  /** No job of the tool is claimed before `until`, in any run. */
  readonly park: (parking: Omit<Parked, "since" | "probe">) => Effect.Effect<void, StorageError>
  readonly unpark: (tool: string) => Effect.Effect<void, StorageError>
  readonly parked: Effect.Effect<ReadonlyArray<Parked>, StorageError>
}

export class JobQueue extends Context.Tag("@contextfs/core/JobQueue")<JobQueue, JobQueueService>() {}

/** Its file in the data folder. */
export const databaseName = "orchestrator.db"

export interface Options {
  /** Milliseconds of a clock that all processes of the host share and nobody sets; default the kernel's since boot. */
  readonly monotonic?: Effect.Effect<number>
}

/** Keeps the journal in one SQLite file, made if missing; `readOnly`: see `Sqlite`. */
export const layerSqlite = (
  options: Options & { readonly path: string; readonly readOnly?: boolean }
): Layer.Layer<JobQueue, StorageError> => Layer.scoped(JobQueue, internal.make(options))

/**
 * The same journal without the secrets that jobs are given: it holds placeholders, and what they stand for lies in a file
 * of its own below the data folder until the job has ended. `env`: the user's environment.
 */
export const withoutSecrets: (
  journal: JobQueueService,
  options: { readonly dataDir: string; readonly env: Readonly<Record<string, string | undefined>> }
) => JobQueueService = privateJournal.make

/** The same in this process only: nothing outlives the layer. */
export const layerMemory: Layer.Layer<JobQueue, StorageError> = layerSqlite({ path: ":memory:" })
