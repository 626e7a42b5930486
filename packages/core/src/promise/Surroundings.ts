/** What every entry of the Promise face takes: where the data is, which tools there are, when to stop. */
import type * as MemoryModule from "@contextfs/memory/MemoryModule"
import type { DurationInput } from "../Duration.js"
import type { Permission } from "../Job.js"
import type { RunEvent } from "../Orchestrator.js"
import type { ToolAdapter } from "../ToolAdapter.js"

export interface Surroundings {
  /** Default `CONTEXTFS_PROJECT`, then `default`. */
  readonly project?: string
  /** The agent program; default `claude`. */
  readonly tool?: string
  /** Default `CONTEXTFS_DATA_DIR`, then `~/.contextfs`. */
  readonly dataDir?: string
  /** The environment the agents' own is chosen from; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** More tool adapters, before the built-in ones where a name is the same. */
  readonly tools?: ReadonlyArray<ToolAdapter>
  /** Another backend for the shared memory; default SQLite in `dataDir`. */
  readonly memory?: MemoryModule.Backend
  /** Cancel the others as soon as one agent does not complete; default false. */
  readonly failFast?: boolean
  /** Ends every agent when aborted; what is waited for is rejected with its reason then. */
  readonly signal?: AbortSignal
  /** Called with what happens, in order; a result is stored before it is told. What it throws is an uncaught exception. */
  readonly onEvent?: (event: RunEvent) => void
}

/** One agent as it stands in `agents.json`. A time is seconds, a text such as `"5 minutes"`, or an Effect `Duration`. */
export interface AgentInput {
  readonly role: string
  /** Where it works; relative to the process's directory. */
  readonly directory: string
  readonly task?: string
  /** In place of `task`: a file with it. */
  readonly taskFile?: string
  /** Its name in the run; default `<role>-<n>`. */
  readonly id?: string
  readonly tool?: string
  readonly model?: string
  /** Continue this session of the program: the `sessionId` of an earlier result. */
  readonly session?: string
  /** Default: no limit. */
  readonly timeout?: DurationInput
  /** To the program's first event. */
  readonly startTimeout?: DurationInput
  /** Without any event or output. */
  readonly idleTimeout?: DurationInput
  readonly permission?: typeof Permission.Type
  /** What agents that it asks for may do. */
  readonly delegate?: typeof Permission.Type | "none"
  /** Variables over those it gets anyway. */
  readonly env?: Readonly<Record<string, string>>
  readonly retries?: number
  readonly containment?: "auto" | "group" | "namespace"
  readonly budget?: { readonly maxCostUsd?: number; readonly maxTokens?: number }
}
