import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { type Job, JobId, JobResult, JobSpec, JobStatus, RunId, RunStatus } from "../Job.js"
import type { JobQueueService, Run } from "../JobQueue.js"
import { LeaseLost, NotFound } from "../OrchestratorError.js"

const migrations = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY, project TEXT NOT NULL, status TEXT NOT NULL, marker TEXT NOT NULL, containment TEXT NOT NULL,
     owner_pid INTEGER NOT NULL, owner_start TEXT, owner_boot TEXT, runtime_dir TEXT NOT NULL,
     created_at INTEGER NOT NULL, ended_at INTEGER
   ) STRICT;
   CREATE INDEX runs_by_project ON runs (project, created_at);
   CREATE TABLE jobs (
     number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL REFERENCES runs (id), status TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0, spec TEXT NOT NULL, result TEXT, created_at INTEGER NOT NULL, ended_at INTEGER
   ) STRICT;
   CREATE INDEX jobs_by_run ON jobs (run_id, status, number);
   CREATE TABLE attempts (
     job_id TEXT NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
     pid INTEGER, start_time TEXT, boot_id TEXT, reason TEXT, error TEXT,
     PRIMARY KEY (job_id, number)
   ) STRICT, WITHOUT ROWID;`
]

const JobRow = Schema.Struct({
  id: JobId,
  run_id: RunId,
  status: JobStatus,
  attempts: Schema.Number,
  spec: Schema.parseJson(JobSpec),
  result: Schema.NullOr(Schema.parseJson(JobResult))
})

const RunRow = Schema.Struct({
  id: RunId,
  project: Schema.String,
  status: RunStatus,
  marker: Schema.String,
  containment: Schema.String,
  owner_pid: Schema.Number,
  owner_start: Schema.NullOr(Schema.String),
  owner_boot: Schema.NullOr(Schema.String),
  runtime_dir: Schema.String,
  created_at: Schema.Number,
  ended_at: Schema.NullOr(Schema.Number)
})

const decodeJob = Schema.decodeUnknown(JobRow)
const ProcessRow = Schema.Struct({
  pid: Schema.Number,
  start_time: Schema.NullOr(Schema.String),
  boot_id: Schema.NullOr(Schema.String)
})

const decodeProcess = Schema.decodeUnknown(ProcessRow)
const decodeRun = Schema.decodeUnknown(RunRow)
const encodeSpec = Schema.encodeSync(Schema.parseJson(JobSpec))
const encodeResult = Schema.encodeSync(Schema.parseJson(JobResult))

const toJob = (row: typeof JobRow.Type): Job => ({
  jobId: row.id,
  runId: row.run_id,
  spec: row.spec,
  status: row.status,
  attempts: row.attempts,
  result: row.result
})

const toRun = (row: typeof RunRow.Type): Run => ({
  runId: row.id,
  project: row.project,
  status: row.status,
  owner: { pid: row.owner_pid, startTime: row.owner_start, bootId: row.owner_boot },
  marker: row.marker,
  containment: row.containment,
  runtimeDir: row.runtime_dir,
  createdAt: row.created_at,
  endedAt: row.ended_at
})

export const make = (path: string): Effect.Effect<JobQueueService, StorageError, Scope> =>
  Effect.gen(function* () {
    const { sql, writeTransaction } = yield* Sqlite.make({ path, migrations })
    /** A fault of the database, or a row that is not what we write. */
    const storage = <A, E>(effect: Effect.Effect<A, E>) => effect.pipe(Effect.mapError(Sqlite.storageError(path)))

    const open: JobQueueService["open"] = (run) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* sql`INSERT INTO runs ${sql.insert({
          id: run.runId,
          project: run.project,
          status: "running",
          marker: run.marker,
          containment: run.containment,
          owner_pid: run.owner.pid,
          owner_start: run.owner.startTime,
          owner_boot: run.owner.bootId,
          runtime_dir: run.runtimeDir,
          created_at: now
        })}`
      }).pipe(storage)

    const close: JobQueueService["close"] = (runId, status) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* sql`UPDATE runs SET status = ${status}, ended_at = ${now} WHERE id = ${runId} AND status = 'running'`
      }).pipe(storage)

    const add: JobQueueService["add"] = (runId, jobs) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          for (const job of jobs) {
            yield* sql`INSERT INTO jobs (id, run_id, status, spec, created_at)
              VALUES (${job.jobId}, ${runId}, 'pending', ${encodeSpec(job.spec)}, ${now})`
          }
        })
      ).pipe(storage)

    const claim: JobQueueService["claim"] = (runId) =>
      writeTransaction(
        Effect.gen(function* () {
          const rows = yield* sql`UPDATE jobs SET status = 'running', attempts = attempts + 1 WHERE number =
            (SELECT number FROM jobs WHERE run_id = ${runId} AND status = 'pending' ORDER BY number LIMIT 1)
            RETURNING id, run_id, status, attempts, spec, result`
          const row = rows[0]
          if (row === undefined) return Option.none()
          const job = toJob(yield* decodeJob(row))
          const now = yield* Clock.currentTimeMillis
          yield* sql`INSERT INTO attempts (job_id, number, started_at) VALUES (${job.jobId}, ${job.attempts}, ${now})`
          return Option.some(job)
        })
      ).pipe(storage)

    const lost = (jobId: JobId, attempt: number) => new LeaseLost({ jobId, attempt })

    const identify: JobQueueService["identify"] = (jobId, attempt, process) =>
      sql`UPDATE attempts SET pid = ${process.pid}, start_time = ${process.startTime}, boot_id = ${process.bootId}
        WHERE job_id = ${jobId} AND number = ${attempt} AND ended_at IS NULL RETURNING number`.pipe(
        storage,
        Effect.flatMap((rows) => (rows.length === 1 ? Effect.void : lost(jobId, attempt)))
      )

    /** Ends the current attempt and moves the job on, unless another one is current by now. */
    const leave = (
      jobId: JobId,
      attempt: number,
      to: JobStatus,
      end: { readonly reason: string | null; readonly error: string | null; readonly result: JobResult | null }
    ) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const result = end.result === null ? null : encodeResult(end.result)
          const endedAt = end.result === null ? null : now
          const moved = yield* sql`UPDATE jobs SET status = ${to}, result = ${result}, ended_at = ${endedAt}
            WHERE id = ${jobId} AND status IN ('pending', 'running') AND attempts = ${attempt} RETURNING number`
          if (moved.length === 0) return false
          yield* sql`UPDATE attempts SET ended_at = ${now}, reason = ${end.reason}, error = ${end.error}
            WHERE job_id = ${jobId} AND number = ${attempt}`
          return true
        })
      ).pipe(
        storage,
        Effect.flatMap((moved) => (moved ? Effect.void : lost(jobId, attempt)))
      )

    const retry: JobQueueService["retry"] = (jobId, attempt, failure) =>
      leave(jobId, attempt, "pending", { ...failure, result: null })

    const settle: JobQueueService["settle"] = (result) =>
      leave(result.jobId, result.attempts, result.status, { reason: result.reason, error: result.error, result })

    const job: JobQueueService["job"] = (id) =>
      sql`SELECT id, run_id, status, attempts, spec, result FROM jobs WHERE id = ${id}`.pipe(
        Effect.flatMap((rows) => Effect.forEach(rows, (row) => decodeJob(row))),
        storage,
        Effect.flatMap(([row]) => (row === undefined ? new NotFound({ what: "job", id }) : Effect.succeed(toJob(row))))
      )

    const jobs: JobQueueService["jobs"] = (id) =>
      Effect.gen(function* () {
        const known = yield* storage(sql`SELECT 1 FROM runs WHERE id = ${id}`)
        if (known.length === 0) return yield* new NotFound({ what: "run", id })
        const rows = yield* sql`SELECT id, run_id, status, attempts, spec, result FROM jobs
          WHERE run_id = ${id} ORDER BY number`.pipe(
          Effect.flatMap((rows) => Effect.forEach(rows, (row) => decodeJob(row))),
          storage
        )
        return rows.map(toJob)
      })

    const processes: JobQueueService["processes"] = (runId) =>
      sql`SELECT a.pid, a.start_time, a.boot_id FROM attempts a JOIN jobs j ON j.id = a.job_id
        WHERE j.run_id = ${runId} AND a.ended_at IS NULL AND a.pid IS NOT NULL`.pipe(
        Effect.flatMap((rows) => Effect.forEach(rows, (row) => decodeProcess(row))),
        Effect.map((rows) => rows.map((row) => ({ pid: row.pid, startTime: row.start_time, bootId: row.boot_id }))),
        storage
      )

    const runs: JobQueueService["runs"] = (query) =>
      sql`SELECT * FROM runs WHERE ${sql.and([
        ...(query.project === undefined ? [] : [sql`project = ${query.project}`]),
        ...(query.status === undefined ? [] : [sql`status = ${query.status}`])
      ])} ORDER BY created_at DESC, id DESC LIMIT ${query.limit ?? 20}`.pipe(
        Effect.flatMap((rows) => Effect.forEach(rows, (row) => decodeRun(row))),
        Effect.map((rows) => rows.map(toRun)),
        storage
      )

    return { open, close, add, claim, identify, retry, settle, job, jobs, processes, runs }
  })
