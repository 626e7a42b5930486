/**
 * ContextFS for programs that do not use Effect: promises, async iteration and abort signals over the same services.
 * The Effect services are imported by path, such as `@contextfs/core/WorkerQueue`.
 */
export type { JobReason, JobResult, JobStatus, RunStatus } from "./Job.js"
export type { RunEvent, RunResult } from "./Orchestrator.js"
export { type AgentInput, type RunAgentsOptions, runAgents } from "./promise.js"
export { ConfigError } from "./RunConfig.js"
