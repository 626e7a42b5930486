/**
 * The two tools by which an agent, or the user's own session, has agents at work and watches them; what these found is read
 * with `ViewTools` of @contextfs/mcp. Names and parameters as in the original system. Starting returns ids at once; who
 * waits does so for at most 50 s and asks again.
 */
import type { McpTool, ToolError } from "@contextfs/mcp/McpTool"
import type { MemoryStore, MemoryStoreService } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { AgentRequest } from "./AgentRequest.js"
import * as internal from "./internal/orchestratorTools.js"
import * as sessionTools from "./internal/sessionTools.js"
import type { Job, JobId, RunId } from "./Job.js"
import type { JobQueue } from "./JobQueue.js"
import type { RunConfig } from "./RunConfig.js"

/** Where the agents go that are asked for. Every failure is told to the one who asked. */
export interface Host {
  /** All of them or none. */
  readonly start: (agents: ReadonlyArray<AgentRequest>) => Effect.Effect<ReadonlyArray<JobId>, ToolError>
  /** Those that the caller has asked for so far, in that order. */
  readonly started: Effect.Effect<ReadonlyArray<JobId>, ToolError>
  /** A job that the caller may see. */
  readonly job: (jobId: string) => Effect.Effect<Job, ToolError>
  /** Looks again after every change of a job, until there is something; interruptible. */
  readonly until: <A>(look: Effect.Effect<Option.Option<A>, ToolError>) => Effect.Effect<A, ToolError>
  /** Where the agents save what they find. */
  readonly store: MemoryStoreService
}

/** `contextfs_orchestrator_run` and `contextfs_orchestrator_spawn`. */
export const make: (host: Host) => ReadonlyArray<McpTool> = internal.make

/** What the user's own session is. */
export interface Session {
  readonly project: string
  /** What relative directories are relative to. */
  readonly directory: string
  /** Names of the tools there are. */
  readonly tools: ReadonlyArray<string>
  /** Starts a run that outlives the session; it has its id as soon as its jobs are in the journal. */
  readonly launch: (config: RunConfig) => Effect.Effect<RunId, ToolError>
}

/** The two tools for the user's own session: each call is a run of its own, watched in the journal. */
export const forSession: (
  session: Session
) => Effect.Effect<ReadonlyArray<McpTool>, never, JobQueue | MemoryStore | RoleRegistry> = sessionTools.make
