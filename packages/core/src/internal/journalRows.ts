/** Rows of the journal, and what they mean. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { ProcessIdentity } from "../AgentProcess.js"
import { type Job, JobId, JobResult, JobSpec, JobStatus, RunId, RunStatus } from "../Job.js"
import type { AttemptRecord, JobEvent, Parked, Run } from "../JobQueue.js"

const Text = Schema.NullOr(Schema.String)

/** Decodes each row, then says what it means. */
const reader = <A, I, B>(schema: Schema.Schema<A, I>, meaning: (row: A) => B) => {
  const decode = Schema.decodeUnknownEither(Schema.Array(schema))
  return (rows: ReadonlyArray<object>): Effect.Effect<ReadonlyArray<B>, ParseError> =>
    Effect.suspend(() => Either.map(decode(rows), (decoded) => decoded.map(meaning)))
}

export const readJobs = reader(
  Schema.Struct({
    id: JobId,
    run_id: RunId,
    status: JobStatus,
    attempts: Schema.Number,
    charged: Schema.Number,
    session: Text,
    resumable: Schema.Number,
    spec: Schema.parseJson(JobSpec),
    result: Schema.NullOr(Schema.parseJson(JobResult))
  }),
  (row): Job => ({
    jobId: row.id,
    runId: row.run_id,
    spec: row.spec,
    status: row.status,
    attempts: row.attempts,
    charged: row.charged,
    session: row.session,
    resumable: row.resumable === 1,
    result: row.result
  })
)

export const readRuns = reader(
  Schema.Struct({
    id: RunId,
    project: Schema.String,
    status: RunStatus,
    marker: Schema.String,
    containment: Schema.String,
    owner_pid: Schema.Number,
    owner_start: Text,
    owner_boot: Text,
    runtime_dir: Schema.String,
    settings: Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })),
    heartbeat: Schema.Number,
    created_at: Schema.Number,
    ended_at: Schema.NullOr(Schema.Number)
  }),
  (row): Run => ({
    runId: row.id,
    project: row.project,
    status: row.status,
    owner: { pid: row.owner_pid, startTime: row.owner_start, bootId: row.owner_boot },
    marker: row.marker,
    containment: row.containment,
    runtimeDir: row.runtime_dir,
    settings: row.settings,
    heartbeat: row.heartbeat,
    createdAt: row.created_at,
    endedAt: row.ended_at
  })
)

const processOf = (row: {
  readonly pid: number
  readonly start_time: string | null
  readonly boot_id: string | null
}): ProcessIdentity => ({ pid: row.pid, startTime: row.start_time, bootId: row.boot_id })

export const readProcesses = reader(Schema.Struct({ pid: Schema.Number, start_time: Text, boot_id: Text }), processOf)

export const readAttempts = reader(
  Schema.Struct({
    number: Schema.Number,
    started_at: Schema.Number,
    ended_at: Schema.NullOr(Schema.Number),
    pid: Schema.NullOr(Schema.Number),
    start_time: Text,
    boot_id: Text,
    reason: Text,
    error: Text,
    charged: Schema.Number
  }),
  (row): AttemptRecord => ({
    number: row.number,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    reason: row.reason,
    error: row.error,
    charged: row.charged === 1,
    process: row.pid === null ? null : processOf({ ...row, pid: row.pid })
  })
)

export const readEvents = reader(
  Schema.Struct({
    sequence: Schema.Number,
    at: Schema.Number,
    run_id: RunId,
    project: Schema.String,
    job_id: Schema.NullOr(JobId),
    agent_id: Text,
    role: Text,
    tool: Text,
    status: Schema.Union(JobStatus, RunStatus),
    attempt: Schema.Number,
    reason: Text,
    error: Text
  }),
  ({ run_id, job_id, agent_id, ...row }): JobEvent => ({ ...row, runId: run_id, jobId: job_id, agentId: agent_id })
)

export const readParked = reader(
  Schema.Struct({
    tool: Schema.String,
    until: Schema.Number,
    since: Schema.Number,
    message: Schema.String,
    probe: Schema.NullOr(JobId)
  }),
  (row): Parked => row
)

export const readResults = reader(
  Schema.Struct({ sequence: Schema.Number, result: Schema.parseJson(JobResult) }),
  ({ sequence, result }) => ({ cursor: sequence, result })
)

export const readIds = reader(Schema.Struct({ id: JobId }), ({ id }) => id)

// As they are: neither has a field that is another thing when encoded, which the types hold us to.
export const encodeSpec = (spec: typeof JobSpec.Encoded): string => JSON.stringify(spec)
export const encodeResult = (result: typeof JobResult.Encoded): string => JSON.stringify(result)
