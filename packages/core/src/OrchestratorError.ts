/** What can go wrong with runs and jobs, in words for the one who asked. What goes wrong inside a job is its result. */
import * as Schema from "effect/Schema"
import { JobId, RunId } from "./Job.js"

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

/** This machine lacks something without which no agent can be run: a folder, a system program. */
export class HostUnfit extends Schema.TaggedError<HostUnfit>("@contextfs/core/HostUnfit")("HostUnfit", {
  message: Schema.String
}) {}

/** The agent was not started. `short`: only because this machine lacks something for now. */
export class SpawnFailed extends Schema.TaggedError<SpawnFailed>("@contextfs/core/SpawnFailed")("SpawnFailed", {
  message: Schema.String,
  short: Schema.optionalWith(Schema.Boolean, { exact: true })
}) {}

/** The queue takes no jobs any more. */
export class QueueClosed extends Schema.TaggedError<QueueClosed>("@contextfs/core/QueueClosed")("QueueClosed", {
  message: Schema.String
}) {}

/** No run or job has this id. */
export class NotFound extends Schema.TaggedError<NotFound>("@contextfs/core/NotFound")("NotFound", {
  what: Schema.Literal("run", "job"),
  id: Schema.String
}) {
  override get message(): string {
    return `no ${this.what} ${JSON.stringify(this.id)}`
  }
}

/** Someone else holds the job by now, or it has ended: what was to be written is not. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>("@contextfs/core/LeaseLost")("LeaseLost", {
  jobId: JobId,
  attempt: Schema.Number
}) {
  override get message(): string {
    return `attempt ${this.attempt} of job ${this.jobId} is not the current one`
  }
}

/** Another process is at work on the run. `stopped`: or would be, if somebody woke it. */
export class RunOwned extends Schema.TaggedError<RunOwned>("@contextfs/core/RunOwned")("RunOwned", {
  runId: RunId,
  pid: Schema.Number,
  stopped: Schema.optionalWith(Schema.Boolean, { exact: true })
}) {
  override get message(): string {
    const asleep = this.stopped === true ? `, which is stopped: kill -CONT ${this.pid} wakes it` : ""
    return `run ${this.runId} is at work in process ${this.pid}${asleep}`
  }
}

/**
 * What was decided about jobs is not what there is to decide. Nothing tells whether `jobs` were done: somebody has to say
 * whether they run again. How it stands with `settled` is known. Of `contradicted` both words were said. Nothing has been
 * started.
 */
export class Undecided extends Schema.TaggedError<Undecided>("@contextfs/core/Undecided")("Undecided", {
  runId: RunId,
  jobs: Schema.Array(JobId),
  settled: Schema.optionalWith(Schema.Array(Schema.Struct({ jobId: JobId, state: Schema.String })), {
    default: () => []
  }),
  contradicted: Schema.optionalWith(Schema.Array(JobId), { default: () => [] })
}) {
  override get message(): string {
    return [
      ...(this.jobs.length === 0 ? [] : [`nobody saw how ${this.jobs.join(", ")} ended`]),
      ...this.contradicted.map((jobId) => `both rerun and skip are said of ${jobId}`),
      ...this.settled.map(({ jobId, state }) => `nothing is to be decided about ${jobId}: it ${state}`)
    ].join("; ")
  }
}

/** Agents may write the same files, and that was to be refused. Nothing has been started. */
export class Overlapping extends Schema.TaggedError<Overlapping>("@contextfs/core/Overlapping")("Overlapping", {
  pairs: Schema.Array(Schema.Struct({ agents: Schema.Tuple(Schema.String, Schema.String), directory: Schema.String }))
}) {
  override get message(): string {
    const [first] = this.pairs
    const more = this.pairs.length > 1 ? `, and ${this.pairs.length - 1} more` : ""
    return first === undefined
      ? "agents may write the same files"
      : `${first.agents.join(" and ")} may both write in ${first.directory}${more}`
  }
}
