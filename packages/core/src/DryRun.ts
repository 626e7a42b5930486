/** What a run would do, without doing it: nothing is started and nothing is written, not even the data folder. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import type * as Effect from "effect/Effect"
import type { Level } from "./AgentProcess.js"
import * as internal from "./internal/dryRun.js"
import type { JobSpec } from "./Job.js"
import type { Options } from "./Live.js"
import type { AgentUnavailable, HostUnfit, PolicyRefused } from "./OrchestratorError.js"
import type { RunConfig } from "./RunConfig.js"

/** An agent as its first attempt would be. `RUN` in a path stands for the id of the run. Times are seconds. */
export interface PlannedAgent {
  readonly agentId: string
  readonly role: string
  readonly tool: string
  /** Absolute. */
  readonly directory: string
  readonly permission: JobSpec["permission"]
  /** Null: the program's own choice. */
  readonly model: string | null
  readonly containment: Level
  /** Null: no limit. */
  readonly timeout: number | null
  readonly startTimeout: number
  readonly idleTimeout: number
  readonly retryTimeout: number
  readonly grace: number
  readonly retries: number
  /** Bytes of output. */
  readonly maxOutput: number
  /**
   * How it takes part in the shared memory: `tools` has the MCP tools, `environment` has the variables with which `contextfs memory`
   * acts for it, `none` has been asked for.
   */
  readonly memory: "tools" | "environment" | "none"
  /** The program by absolute path and its arguments; secrets are replaced. */
  readonly command: ReadonlyArray<string>
  /** Files that are made for it in the attempt's folder, by name. */
  readonly files: ReadonlyArray<string>
  /** Names of the variables it gets, sorted; never their values. */
  readonly variables: ReadonlyArray<string>
  /** The whole prompt, with what the memory holds now; secrets are replaced. */
  readonly prompt: string
}

export interface DryRun {
  readonly project: string
  readonly workers: number
  readonly dataDir: string
  /**
   * Where recalled memories come from: `recalled` the memory as it is now, `empty` there is none yet, `unread` it is another
   * backend's, which may not be opened without being made.
   */
  readonly memory: "recalled" | "empty" | "unread"
  /** In the order of the configuration. */
  readonly agents: ReadonlyArray<PlannedAgent>
}

/** Fails as the run itself would before anything starts. */
export const make: (
  config: RunConfig,
  options: Options
) => Effect.Effect<DryRun, AgentUnavailable | HostUnfit | PolicyRefused | StorageError, RoleRegistry> = internal.make
