/**
 * ContextFS for programs that do not use Effect: promises, async iteration and abort signals over the same services.
 * The Effect services are imported by path, such as `@contextfs/core/WorkerQueue`.
 */
export { ModuleError, StorageError } from "@contextfs/memory/MemoryError"
export { RoleFileError } from "@contextfs/roles/RoleError"
export type { JobReason, JobResult, RunStatus } from "./Job.js"
export type { RunEvent, RunResult } from "./Orchestrator.js"
export { AgentUnavailable, HostUnfit, NotFound, Overlapping, PolicyRefused, QueueClosed } from "./OrchestratorError.js"
export { JobStatus } from "./promise/JobStatus.js"
export { type RunAgentsOptions, type RunInput, runAgents } from "./promise/RunAgents.js"
export type { AgentInput } from "./promise/Surroundings.js"
export { type Job, type SubmitOptions, WorkerQueue, type WorkerQueueOptions } from "./promise/WorkerQueue.js"
export { ConfigError } from "./RunConfig.js"
export type { AgentEvent, ToolAdapter } from "./ToolAdapter.js"
