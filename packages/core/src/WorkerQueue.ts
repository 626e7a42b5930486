/**
 * N workers over a bounded queue of jobs. Jobs and results are durable in the `JobQueue`; this is the part that runs them.
 * Closing the scope cancels what runs, ends every process and stores a result for every job that had begun.
 */
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { AgentProcess } from "./AgentProcess.js"
import * as internal from "./internal/openQueue.js"
import { Budget, type Job, type JobId, type JobResult, type JobSpec, type RunId } from "./Job.js"
import type { JobQueue, Parked, RunSettings } from "./JobQueue.js"
import type { RunEvent } from "./Orchestrator.js"
import type {
  AgentUnavailable,
  HostUnfit,
  NotFound,
  Overlapping,
  PolicyRefused,
  QueueClosed,
  RunOwned,
  Undecided
} from "./OrchestratorError.js"
import type { Workplace } from "./Workplace.js"

export interface Options extends Working {
  readonly project: string
  /** Stored together before any worker starts; `maxQueueSize` does not hold for them. */
  readonly jobs?: ReadonlyArray<JobSpec>
  /** What the journal keeps of how the run was asked for; default nothing. */
  readonly settings?: RunSettings
}

/** What a whole run may spend; null is "no limit". When it is reached, what has not begun is failed, unstarted. */
export const RunBudget = Schema.Struct({ ...Budget.fields, unknownCost: Schema.Literal("warn", "refuse") })
export type RunBudget = typeof RunBudget.Type

/** About jobs that may write the same files: tell, let no two of them run at the same time, or do not start at all. */
export const OverlapPolicy = Schema.Literal("warn", "serialize", "refuse")
export type OverlapPolicy = typeof OverlapPolicy.Type

/** How jobs are worked off. */
export interface Working {
  /** Concurrent workers; default 3. */
  readonly numWorkers?: number
  /** How many jobs may wait before `submit` does; 0, the default, is "no limit". */
  readonly maxQueueSize?: number
  /**
   * False: when nothing is left but jobs of parked tools, or jobs for which this machine lacks room, the queue ends without
   * them. Default true: it waits for a tool as long as it takes, and for room 5 minutes once no agent is at work.
   */
  readonly wait?: boolean
  /**
   * As soon as one job ends otherwise than completed, no further one starts and those that run are cancelled; their errors
   * name it. Default false.
   */
  readonly failFast?: boolean
  /** Default none. */
  readonly budget?: RunBudget | null
  /** Further attempts of all its jobs together, on top of what each may have; null, the default, is "no limit". */
  readonly runRetries?: number | null
  /** Default `warn`. */
  readonly overlap?: OverlapPolicy
  /** Called synchronously with what happens, in order; a result is stored before it is told. */
  readonly onEvent?: (event: RunEvent) => void
}

export interface ResumeOptions extends Working {
  /**
   * For jobs of which nothing tells whether they were done, or that were cut short, by job id or agent id. `skip` settles
   * one as failed.
   */
  readonly decide?: ReadonlyMap<string, "rerun" | "skip">
}

export interface WorkerQueue {
  readonly runId: RunId
  readonly project: string
  /** Checks the job, stores it, and waits while the queue is full. */
  readonly submit: (
    spec: JobSpec
  ) => Effect.Effect<JobId, QueueClosed | AgentUnavailable | PolicyRefused | StorageError>
  readonly getJob: (jobId: string) => Effect.Effect<Job, NotFound | StorageError>
  /**
   * Ends a pending or running job, and waits until what became of it is stored. True: it was cancelled; false where it had
   * ended before, was done all the same when its agent was told to end, or is unknown.
   */
  readonly cancel: (jobId: string) => Effect.Effect<boolean, StorageError>
  readonly pendingCount: Effect.Effect<number>
  readonly runningCount: Effect.Effect<number>
  /**
   * In the order of completion, from the first result of the queue on, however late one looks. Ends when the queue is
   * closed or every submitted job is terminal, jobs submitted meanwhile included.
   */
  readonly results: Stream.Stream<JobResult, StorageError>
  /** Waits until every submitted job is terminal; results in the order of submission. */
  readonly join: Effect.Effect<ReadonlyArray<JobResult>, StorageError>
  /** Gives back a worker while the effect waits for other jobs of the queue, so that one worker is enough for both. */
  readonly lend: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Looks again after every change of a job of the queue, until there is something. */
  readonly until: <A, E, R>(look: Effect.Effect<Option.Option<A>, E, R>) => Effect.Effect<A, E | StorageError, R>
  /** The parked tools for which jobs of this queue wait. */
  readonly parked: Effect.Effect<ReadonlyArray<Parked>, StorageError>
  /** What this machine lacks to start the jobs that are left, once the queue waits for it no longer; else null. */
  readonly shortage: Effect.Effect<string | null>
}

/** Why a queue is not opened; nothing has been started then. */
export type Failure = AgentUnavailable | HostUnfit | Overlapping | PolicyRefused | StorageError

type Services = AgentProcess | JobQueue | MemoryStore | RoleRegistry | Workplace

export const make = (options: Options): Effect.Effect<WorkerQueue, Failure, Scope.Scope | Services> =>
  internal.make(options)

/**
 * Takes a run over whose process is gone: what has ended stays, what its agents have finished since is judged from their
 * output before anything is started, what was cut short runs again as a further attempt.
 */
export const resume = (
  runId: string,
  options: ResumeOptions
): Effect.Effect<WorkerQueue, Failure | NotFound | RunOwned | Undecided, Scope.Scope | Services> =>
  internal.resume(runId, options)
