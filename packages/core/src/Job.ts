/** The unit of work, its states and its result. */
import * as Schema from "effect/Schema"

const idPattern = /^[a-z0-9][a-z0-9-]{0,63}$/

export const RunId = Schema.String.pipe(Schema.pattern(idPattern), Schema.brand("@contextfs/core/RunId"))
export type RunId = typeof RunId.Type

/** `<run>-<number>`, unique in the data folder. */
export const JobId = Schema.String.pipe(Schema.pattern(idPattern), Schema.brand("@contextfs/core/JobId"))
export type JobId = typeof JobId.Type

/** What the user calls the agent in one run; default `<role>-<n>`. */
export const AgentId = Schema.String.pipe(Schema.pattern(idPattern))

/** A session of an agent program by its id, as `JobResult.sessionId` tells it: never an option, never several words. */
export const SessionId = Schema.String.pipe(Schema.pattern(/^[^-\s\p{C}][^\s\p{C}]{0,199}$/u))

export const JobStatus = Schema.Literal("pending", "running", "completed", "failed", "cancelled", "timeout")
export type JobStatus = typeof JobStatus.Type

const next: Readonly<Record<JobStatus, ReadonlyArray<JobStatus>>> = {
  pending: ["running", "failed", "cancelled"],
  running: ["pending", "completed", "failed", "cancelled", "timeout"],
  completed: [],
  failed: [],
  cancelled: [],
  timeout: []
}

/** Terminal states never change. */
export const isTerminal = (status: JobStatus): boolean => next[status].length === 0
/** It has ended, and goes on in no other process. */
export const isOver = ({ resumable, status }: Pick<Job, "resumable" | "status">): boolean =>
  isTerminal(status) && !resumable
/** `running → pending` is a retry. */
export const canBecome = (from: JobStatus, to: JobStatus): boolean => next[from].includes(to)

export const RunStatus = Schema.Literal("running", "completed", "failed", "cancelled", "interrupted")
export type RunStatus = typeof RunStatus.Type

/** Why a job ended otherwise than completed. */
export const JobReason = Schema.Literal(
  "JobTimeout",
  "JobStalled",
  "JobCancelled",
  "AgentExit",
  "AgentSignal",
  "AgentProtocol",
  "AgentReported",
  "EmptyResult",
  "RateLimited",
  "QuotaExhausted",
  "AuthFailed",
  "ContextTooLong",
  "OutputLimit",
  "SpawnFailed",
  "WorkspaceError",
  "PermissionAsked",
  "BudgetExceeded",
  "LeaseLost",
  "Indeterminate"
)
export type JobReason = typeof JobReason.Type

export const Denial = Schema.Struct({ tool: Schema.String, message: Schema.String })

/** What a program told about its use; what it did not tell is absent, never zero. */
export const Usage = Schema.Struct({
  inputTokens: Schema.optionalWith(Schema.Number, { exact: true }),
  outputTokens: Schema.optionalWith(Schema.Number, { exact: true }),
  cachedTokens: Schema.optionalWith(Schema.Number, { exact: true }),
  costUsd: Schema.optionalWith(Schema.Number, { exact: true }),
  turns: Schema.optionalWith(Schema.Number, { exact: true })
})

/** Which memory steps the role asked for, and which really happened. */
export const MemoryProtocol = Schema.Struct({
  asked: Schema.Array(Schema.String),
  done: Schema.Array(Schema.String),
  ignored: Schema.Array(Schema.String),
  searches: Schema.Number,
  recalls: Schema.Number,
  /** Ids of memories the agent saved, evolved or updated. */
  saved: Schema.Array(Schema.String)
})
export type MemoryProtocol = typeof MemoryProtocol.Type

/** How an attempt ended, kept with its verdict. */
export const Evidence = Schema.Struct({
  /** Which rule of the verdict fired. */
  rule: Schema.String,
  /** 128 + n for death by signal n; null where nobody saw the end. */
  exitCode: Schema.NullOr(Schema.Number),
  /** The strongest signal that we sent to end it. */
  sent: Schema.NullOr(Schema.Literal("SIGTERM", "SIGKILL")),
  /** What we did to end it, if anything. */
  ended: Schema.String,
  lastEvent: Schema.NullOr(Schema.String),
  stdoutBytes: Schema.Number,
  stderrBytes: Schema.Number,
  /** Lines of stdout that were not events. */
  noise: Schema.Number,
  toolCalls: Schema.Number,
  /** Processes found alive after the end, and ended then. */
  survivors: Schema.Number,
  containment: Schema.String,
  /** Folder with the attempt's files. */
  folder: Schema.String
})
export type Evidence = typeof Evidence.Type

export const JobResult = Schema.Struct({
  jobId: JobId,
  runId: RunId,
  agentId: Schema.String,
  role: Schema.String,
  tool: Schema.String,
  directory: Schema.String,
  status: JobStatus,
  reason: Schema.NullOr(JobReason),
  /** The agent's answer, whole. */
  result: Schema.NullOr(Schema.String),
  /** One line that says what went wrong, where, and what to do. */
  error: Schema.NullOr(Schema.String),
  /** Completed, but something deserves a look. */
  warnings: Schema.Array(Schema.String),
  /** Seconds from the start of the first attempt to the end of the last. */
  duration: Schema.Number,
  attempts: Schema.Number,
  usage: Schema.NullOr(Usage),
  sessionId: Schema.NullOr(Schema.String),
  /** Paths relative to the directory's repository; null where it is in none. */
  filesChanged: Schema.NullOr(Schema.Array(Schema.String)),
  denials: Schema.Array(Denial),
  memory: Schema.NullOr(MemoryProtocol),
  evidence: Schema.NullOr(Evidence)
})
export type JobResult = typeof JobResult.Type

export const Permission = Schema.Literal("read", "edit", "exec", "full")
export type Permission = typeof Permission.Type

/** The most that an agent may let agents do that it asks for; `none`: it cannot ask for any. */
export const Delegate = Schema.Literal("none", ...Permission.literals)
export type Delegate = typeof Delegate.Type

/** What may be spent; null is "no limit". Tokens are those in and out together. */
export const Budget = Schema.Struct({
  maxCostUsd: Schema.NullOr(Schema.Number),
  maxTokens: Schema.NullOr(Schema.Number)
})
export type Budget = typeof Budget.Type

/** How a tool is started where the user says otherwise: `tools.NAME` of the configuration. */
export const ToolSettings = Schema.Struct({
  /** The tool adapter by name; default the one of the tool's own name, else `command`. */
  adapter: Schema.optionalWith(Schema.String, { exact: true }),
  command: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  args: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  env: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { exact: true }),
  passEnv: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  output: Schema.optionalWith(Schema.Literal("text", "events"), { exact: true })
})
export type ToolSettings = typeof ToolSettings.Type

/** Everything that is needed to run a job, with every default filled in. Times are milliseconds; null is "no limit". */
export const JobSpec = Schema.Struct({
  agentId: AgentId,
  project: Schema.String,
  role: Schema.String,
  tool: Schema.String,
  /** Absolute. */
  directory: Schema.String,
  task: Schema.String,
  model: Schema.NullOr(Schema.String),
  /** Continue this session of the tool. Absent in what older versions stored. */
  session: Schema.optionalWith(Schema.NullOr(SessionId), { exact: true, default: () => null }),
  permission: Permission,
  timeout: Schema.NullOr(Schema.Number),
  startTimeout: Schema.Number,
  idleTimeout: Schema.Number,
  retryTimeout: Schema.Number,
  grace: Schema.Number,
  /** Bytes of stdout and stderr together. */
  maxOutput: Schema.Number,
  retries: Schema.Number,
  containment: Schema.Literal("auto", "group", "namespace"),
  env: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** False: neither recall nor tools nor saving. */
  memory: Schema.Boolean,
  /** For all attempts of the job together. */
  budget: Schema.optionalWith(Schema.NullOr(Budget), { default: () => null }),
  settings: ToolSettings,
  // Absent in what older versions stored.
  delegate: Schema.optionalWith(Delegate, { exact: true, default: () => "none" }),
  /** How the tools are started that it may name for agents it asks for; its own tool is started as it is itself. */
  tools: Schema.optionalWith(Schema.Record({ key: Schema.String, value: ToolSettings }), {
    exact: true,
    default: () => ({})
  }),
  /** The job whose agent asked for this one. */
  parent: Schema.optionalWith(Schema.NullOr(JobId), { exact: true, default: () => null }),
  /** 0 for a job that the user asked for, one more for each agent in between. */
  depth: Schema.optionalWith(Schema.Number, { exact: true, default: () => 0 })
})
export type JobSpec = typeof JobSpec.Type

/** Its agents may ask for others and watch them, where nobody says otherwise. */
export const orchestratorRole = "orchestrator"

/** The most that the job's agent may let others do; undefined: it has no tools for that at all. */
export const delegateOf = ({ delegate, role }: JobSpec): Delegate | undefined =>
  delegate === "none" && role !== orchestratorRole ? undefined : delegate

export interface Job {
  readonly jobId: JobId
  readonly runId: RunId
  readonly spec: JobSpec
  readonly status: JobStatus
  /** Attempts begun so far. */
  readonly attempts: number
  /** Those of them that count against its retries. */
  readonly charged: number
  /** Session of the program that the next attempt continues. */
  readonly session: string | null
  /** It is cancelled only because its run was interrupted: whoever takes the run over makes it pending again. */
  readonly resumable: boolean
  /** Present as soon as the status is terminal. */
  readonly result: JobResult | null
}
