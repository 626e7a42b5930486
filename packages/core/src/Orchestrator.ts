/** A run: many jobs of one configuration, worked off by a queue, with one shared memory. */

import type { StorageError } from "@contextfs/memory/MemoryError"
import type { Named } from "@contextfs/memory/MemoryModule"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AgentProcess, ProcessIdentity } from "./AgentProcess.js"
import * as internal from "./internal/orchestrator.js"
import type { Overlap, SharedFile } from "./internal/overlap.js"
import * as reconcile from "./internal/reconcile.js"
import type { Job, JobId, JobResult, RunId, RunStatus } from "./Job.js"
import type { JobQueue, JobQueueService, Parked, Run, Spent } from "./JobQueue.js"

export type { Overlap, SharedFile } from "./internal/overlap.js"

import type {
  AgentUnavailable,
  HostUnfit,
  NotFound,
  Overlapping,
  PolicyRefused,
  RunOwned,
  Undecided
} from "./OrchestratorError.js"
import type { RunConfig } from "./RunConfig.js"
import type { AgentEvent } from "./ToolAdapter.js"
import type { Workplace } from "./Workplace.js"

/** A job as it is told of before anything has come of it. */
export interface JobHead {
  readonly jobId: JobId
  readonly agentId: string
  readonly role: string
  readonly tool: string
  readonly directory: string
  /** The job whose agent asked for it; null where the user did. */
  readonly parent: JobId | null
}

/** What happens in a run, as it happens. Times are milliseconds since the epoch. */
export type RunEvent =
  | {
      readonly kind: "runStarted"
      readonly at: number
      readonly runId: RunId
      readonly project: string
      readonly workers: number
      readonly containment: string
      /** Agents that may write the same files. */
      readonly overlaps: ReadonlyArray<Overlap>
      /** How many of its jobs had ended before: a resumed run. */
      readonly earlier: number
      /** Those that have not ended. */
      readonly jobs: ReadonlyArray<JobHead>
    }
  /** Submitted after the start. */
  | ({ readonly kind: "jobAdded"; readonly at: number } & JobHead)
  | {
      readonly kind: "jobStarted"
      readonly at: number
      readonly jobId: JobId
      readonly agentId: string
      readonly attempt: number
    }
  | {
      readonly kind: "agentEvent"
      readonly at: number
      readonly jobId: JobId
      readonly agentId: string
      readonly event: AgentEvent
    }
  | {
      readonly kind: "jobRetrying"
      readonly at: number
      readonly jobId: JobId
      readonly agentId: string
      readonly reason: string
      readonly error: string
    }
  /** Its provider refuses all work until then; its jobs wait, the others go on. */
  | {
      readonly kind: "toolParked"
      readonly at: number
      readonly tool: string
      /** Milliseconds since the epoch. */
      readonly until: number
      readonly message: string
    }
  | { readonly kind: "toolReleased"; readonly at: number; readonly tool: string }
  /** Nothing is started while this machine lacks something; null: it has it again. */
  | { readonly kind: "held"; readonly at: number; readonly shortage: string | null }
  /** Of the run's budget this much is spent: 0.8 and more warns, 1 and more stops. `unknown`: jobs of unknown cost. */
  | { readonly kind: "budget"; readonly at: number; readonly part: number; readonly spent: Spent }
  | { readonly kind: "jobEnded"; readonly at: number; readonly result: JobResult }
  | { readonly kind: "runEnded"; readonly at: number; readonly runId: RunId; readonly status: RunStatus }

export interface RunResult {
  readonly runId: RunId
  readonly project: string
  readonly status: RunStatus
  /** Seconds. */
  readonly duration: number
  /** Of the jobs that have ended, in the order of the configuration. */
  readonly results: ReadonlyArray<JobResult>
  /** The other jobs, in the same order: `resume` goes on with them. */
  readonly pending: ReadonlyArray<JobHead>
  /** The tools for which the jobs that are left wait, where nobody wanted to wait for them. */
  readonly parked: ReadonlyArray<Parked>
  /** What this machine lacked to start the jobs that are left, where it was waited for no longer; else null. */
  readonly shortage: string | null
  /** The time for the whole run was up. */
  readonly timedOut: boolean
  /** Files in the folder of more than one agent that changed while those were at work. */
  readonly shared: ReadonlyArray<SharedFile>
  readonly spent: Spent
}

export interface RunOptions {
  /** The module of the memory backend in use, for the journal: whoever resumes the run loads it again. */
  readonly memoryModule?: Named
  /** False: end when nothing is left but jobs of parked tools. Default true. */
  readonly wait?: boolean
  /** Milliseconds for the whole run, then it is interrupted; null is "no limit". Default as the configuration says. */
  readonly runTimeout?: number | null
  /** Called synchronously with what happens, in order; a result is stored before it is told. */
  readonly onEvent?: (event: RunEvent) => void
  /**
   * As soon as one job ends otherwise than completed, no further one starts and those that run are cancelled; their errors
   * name it. Default false.
   */
  readonly failFast?: boolean
}

export interface ResumeOptions extends RunOptions {
  /** Default as the run was begun with. */
  readonly workers?: number
  /**
   * For jobs of which nothing tells whether they were done, or that were cut short, by job id or agent id. `skip` settles
   * one as failed; a word about any other job is refused.
   */
  readonly decide?: ReadonlyMap<string, "rerun" | "skip">
  /** Only if the run is still this process's, else `RunOwned`. Default: whose it is when it is looked at. */
  readonly from?: ProcessIdentity
}

export class Orchestrator extends Context.Tag("@contextfs/core/Orchestrator")<
  Orchestrator,
  {
    /**
     * Runs every agent of the configuration. Every result is stored before it is told. Interruption ends every agent,
     * writes a terminal record for each job and marks the run `interrupted`.
     */
    readonly run: (config: RunConfig, options?: RunOptions) => Effect.Effect<RunResult, Failure>
    /** Stores a run for another process to `resume`; nothing is started. */
    readonly enqueue: (config: RunConfig, options?: RunOptions) => Effect.Effect<RunId, Failure>
    /**
     * Ends a job, or all jobs of a run, whoever runs it: its own process sees the word within a second and is waited for,
     * with the grace of its agents; where it is dead, what it has left is ended here. How many jobs were cancelled, which
     * are not those that were done all the same.
     */
    readonly cancel: (id: string) => Effect.Effect<number, NotFound | StorageError>
    /**
     * Goes on with a run that was interrupted or whose process died. What has ended stays, what finished meanwhile is
     * judged from its output, what was cut short runs again. Of a run that has ended nothing is started.
     */
    readonly resume: (
      runId: string,
      options?: ResumeOptions
    ) => Effect.Effect<RunResult, Failure | NotFound | RunOwned | Undecided>
  }
>() {}

type Failure = AgentUnavailable | HostUnfit | Overlapping | PolicyRefused | StorageError

/** What has come of the jobs of a run so far, and which are left. */
export const resultsOf: (jobs: ReadonlyArray<Job>) => Pick<RunResult, "results" | "pending"> = internal.resultsOf

/** What `resume` checks of `decide` before the run is touched. */
export const checkDecisions: (
  journal: JobQueueService,
  run: string,
  decide: ReadonlyMap<string, "rerun" | "skip">
) => Effect.Effect<void, NotFound | StorageError | Undecided> = reconcile.checkDecisions

/** The module of the memory backend that a run was begun with; undefined: SQLite in the data folder. */
export const memoryModuleOf: (run: Run) => Named | undefined = internal.memoryModuleOf

export const layer: Layer.Layer<Orchestrator, never, AgentProcess | JobQueue | MemoryStore | RoleRegistry | Workplace> =
  Layer.effect(
    Orchestrator,
    Effect.map(
      Effect.context<AgentProcess | JobQueue | MemoryStore | RoleRegistry | Workplace>(),
      (context): Context.Tag.Service<Orchestrator> => ({
        run: (config, options) => Effect.provide(internal.run(config, options), context),
        enqueue: (config, options) => Effect.provide(internal.enqueue(config, options), context),
        cancel: (id) => Effect.provide(internal.cancel(id), context),
        resume: (runId, options) => Effect.provide(internal.resume(runId, options), context)
      })
    )
  )
