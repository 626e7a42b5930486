/** A run: many jobs of one configuration, worked off by a queue, with one shared memory. */

import type { StorageError } from "@contextfs/memory/MemoryStore"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobId, JobResult, RunId, RunStatus } from "./Job.js"
import type { RunConfig } from "./RunConfig.js"
import type { AgentEvent } from "./ToolAdapter.js"

/** The program of a known tool is not there or cannot be started. Nothing has been started. */
export class AgentUnavailable extends Schema.TaggedError<AgentUnavailable>("@contextfs/core/AgentUnavailable")(
  "AgentUnavailable",
  { tool: Schema.String, message: Schema.String, hint: Schema.String }
) {}

/** What was asked is against our policy or beyond what the tool can honour. Nothing has been started. */
export class PolicyRefused extends Schema.TaggedError<PolicyRefused>("@contextfs/core/PolicyRefused")("PolicyRefused", {
  message: Schema.String,
  hint: Schema.String
}) {}

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
    ) => Effect.Effect<RunResult, AgentUnavailable | PolicyRefused | StorageError>
  }
>() {}
