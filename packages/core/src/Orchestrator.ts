/** A run: many jobs of one configuration, worked off by a queue, with one shared memory. */

import type { StorageError } from "@contextfs/memory/MemoryError"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AgentProcess } from "./AgentProcess.js"
import * as internal from "./internal/orchestrator.js"
import type { JobId, JobResult, RunId, RunStatus } from "./Job.js"
import type { JobQueue } from "./JobQueue.js"
import type { AgentUnavailable, HostUnfit, PolicyRefused } from "./OrchestratorError.js"
import type { RunConfig } from "./RunConfig.js"
import type { AgentEvent } from "./ToolAdapter.js"
import type { Workplace } from "./Workplace.js"

/** What happens in a run, as it happens. Times are milliseconds since the epoch. */
export type RunEvent =
  | {
      readonly kind: "runStarted"
      readonly at: number
      readonly runId: RunId
      readonly project: string
      readonly workers: number
      readonly containment: string
      readonly jobs: ReadonlyArray<{
        readonly jobId: JobId
        readonly agentId: string
        readonly role: string
        readonly tool: string
        readonly directory: string
      }>
    }
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
  | { readonly kind: "jobEnded"; readonly at: number; readonly result: JobResult }
  | { readonly kind: "runEnded"; readonly at: number; readonly runId: RunId; readonly status: RunStatus }

export interface RunResult {
  readonly runId: RunId
  readonly project: string
  readonly status: RunStatus
  /** Seconds. */
  readonly duration: number
  /** In the order of the configuration. */
  readonly results: ReadonlyArray<JobResult>
}

export interface RunOptions {
  /** Called synchronously with what happens, in order; a result is stored before it is told. */
  readonly onEvent?: (event: RunEvent) => void
  /**
   * As soon as one job ends otherwise than completed, no further one starts and those that run are cancelled; their errors
   * name it. Default false.
   */
  readonly failFast?: boolean
}

export class Orchestrator extends Context.Tag("@contextfs/core/Orchestrator")<
  Orchestrator,
  {
    /**
     * Runs every agent of the configuration. Every result is stored before it is told. Interruption ends every agent,
     * writes a terminal record for each job and marks the run `interrupted`.
     */
    readonly run: (
      config: RunConfig,
      options?: RunOptions
    ) => Effect.Effect<RunResult, AgentUnavailable | HostUnfit | PolicyRefused | StorageError>
  }
>() {}

export const layer: Layer.Layer<Orchestrator, never, AgentProcess | JobQueue | MemoryStore | RoleRegistry | Workplace> =
  Layer.effect(
    Orchestrator,
    Effect.map(
      Effect.context<AgentProcess | JobQueue | MemoryStore | RoleRegistry | Workplace>(),
      (context): Context.Tag.Service<Orchestrator> => ({
        run: (config, options) => Effect.provide(internal.run(config, options), context)
      })
    )
  )
