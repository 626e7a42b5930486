import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import type { ProcessIdentity } from "../AgentProcess.js"
import { canBecome, type JobId, type JobResult, type JobStatus, type RunId } from "../Job.js"
import type { Counts, JobQueueService, NewJob, Options, Spent } from "../JobQueue.js"
import { LeaseLost, NotFound, RunOwned } from "../OrchestratorError.js"
import type { Usage } from "../ToolAdapter.js"
import { tokensOf } from "./budget.js"
import * as rows from "./journalRows.js"
import { migrations } from "./journalSchema.js"
import { make as makeStatements, selectJobs } from "./journalStatements.js"

/** The kernel's monotonic clock: the same for all processes since boot, deaf to whoever sets the time. */
export const sinceBoot = Effect.sync(() => Number(process.hrtime.bigint() / 1_000_000n))

/** The boot comes first: a lease of another boot has run out whatever its time says. */
const bootOf = (owner: ProcessIdentity): string => `${owner.bootId?.split(" ", 1)[0] ?? "-"}/`
const keyOf = (owner: ProcessIdentity): string =>
  `${bootOf(owner)}${owner.bootId?.split(" ", 2)[1] ?? "-"}/${owner.pid}/${owner.startTime ?? "-"}`

/** Results and events handed out at once. */
const page = 100

export const make = (
  options: Options & { readonly path: string; readonly readOnly?: boolean }
): Effect.Effect<JobQueueService, StorageError, Scope> =>
  Effect.gen(function* () {
    const { path, readOnly = false } = options
    const { execute, sql, writeTransaction } = yield* Sqlite.make({ path, readOnly, migrations })
    const statements = makeStatements({ execute })
    const monotonic = options.monotonic ?? sinceBoot
    /** A fault of the database, or a row that is not what we write. */
    const storage = <A, E>(effect: Effect.Effect<A, E>) => effect.pipe(Effect.mapError(Sqlite.storageError(path)))

    const runRow = (
      run: Pick<Parameters<JobQueueService["open"]>[0], "marker" | "containment" | "owner" | "runtimeDir">
    ) => ({
      marker: run.marker,
      containment: run.containment,
      owner_pid: run.owner.pid,
      owner_start: run.owner.startTime,
      owner_boot: run.owner.bootId,
      runtime_dir: run.runtimeDir
    })

    const insertJobs = (runId: RunId, jobs: ReadonlyArray<NewJob>) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        for (const { jobId, lane = null, spec } of jobs) {
          const { agentId: agent, role, tool } = spec
          yield* statements.addJob({
            id: jobId,
            run: runId,
            spec: rows.encodeSpec(spec),
            now,
            agent,
            role,
            tool,
            lane
          })
        }
      })

    const open: JobQueueService["open"] = (run, jobs = []) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          yield* sql`INSERT INTO runs ${sql.insert({
            id: run.runId,
            project: run.project,
            status: "running",
            settings: JSON.stringify(run.settings),
            created_at: now,
            changed_at: now,
            heartbeat: yield* monotonic,
            ...runRow(run)
          })}`
          yield* insertJobs(run.runId, jobs)
        })
      ).pipe(storage)

    const close: JobQueueService["close"] = (runId, status) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* sql`UPDATE runs SET status = ${status}, ended_at = ${now}, changed_at = ${now} WHERE id = ${runId} AND status = 'running'`
      }).pipe(storage)

    const ownedBy = (runId: RunId, owner: ProcessIdentity) => sql`id = ${runId} AND owner_pid = ${owner.pid}
      AND owner_start IS ${owner.startTime} AND owner_boot IS ${owner.bootId}`

    const unended = (runId: RunId) =>
      sql`SELECT a.pid, a.start_time, a.boot_id FROM attempts a JOIN jobs j ON j.id = a.job_id
        WHERE j.run_id = ${runId} AND j.status = 'running' AND a.ended_at IS NULL AND a.pid IS NOT NULL`.pipe(
        Effect.flatMap(rows.readProcesses)
      )

    const bury: JobQueueService["bury"] = (runId, owner) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const buried = yield* sql`UPDATE runs SET status = 'interrupted', ended_at = ${now}, changed_at = ${now}
            WHERE ${ownedBy(runId, owner)} AND status = 'running' RETURNING id`
          return buried.length === 0 ? [] : yield* unended(runId)
        })
      ).pipe(storage)

    const takeOver: JobQueueService["takeOver"] = (run, expected) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const { runId } = run
          const taken =
            yield* sql`UPDATE runs SET ${sql.update(runRow(run))}, status = 'running', ended_at = NULL, changed_at = ${now},
            heartbeat = ${yield* monotonic}
            WHERE ${ownedBy(runId, expected)} RETURNING id`
          if (taken.length === 0) {
            const [other] = yield* rows.readRuns(yield* sql`SELECT * FROM runs WHERE id = ${runId}`)
            return new RunOwned({ runId, pid: other?.owner.pid ?? expected.pid })
          }
          const left = yield* unended(runId)
          yield* sql`UPDATE jobs SET status = 'pending', result = NULL, ended_at = NULL, resumable = 0, reason = NULL,
            error = NULL, changed_at = ${now} WHERE run_id = ${runId} AND resumable = 1`
          yield* sql`UPDATE jobs SET not_before = 0, cancel_wanted = 0 WHERE run_id = ${runId} AND status = 'pending'`
          yield* sql`UPDATE jobs SET lease_owner = ${keyOf(run.owner)}, lease_until = 0
            WHERE run_id = ${runId} AND status = 'running'`
          yield* sql`UPDATE parked SET probe = NULL WHERE probe IN (SELECT id FROM jobs WHERE run_id = ${runId})`
          return left
        })
      ).pipe(
        storage,
        Effect.flatMap((left) => (left instanceof RunOwned ? Effect.fail(left) : Effect.succeed(left)))
      )

    const add: JobQueueService["add"] = (runId, jobs) => writeTransaction(insertJobs(runId, jobs)).pipe(storage)

    const claim: JobQueueService["claim"] = (runId, lease) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const since = yield* monotonic
          const held = {
            run: runId,
            now,
            since,
            until: since + lease.millis,
            me: keyOf(lease.owner),
            boot: bootOf(lease.owner)
          }
          let claimed = yield* statements.claimPending(held)
          if (claimed.length === 0) claimed = yield* statements.claimLost(held)
          const [job] = yield* rows.readJobs(claimed)
          if (job === undefined) return Option.none()
          const { attempts, jobId: id, spec } = job
          if (attempts > 1) yield* statements.endLostAttempt({ id, attempt: attempts - 1, now })
          yield* statements.beginAttempt({ id, attempt: attempts, now })
          const probing = yield* statements.probe({ id, tool: spec.tool })
          return Option.some({ ...job, probe: probing.length > 0 })
        })
      ).pipe(storage)

    const renew: JobQueueService["renew"] = (runId, lease) =>
      Effect.gen(function* () {
        const now = yield* monotonic
        const until = now + lease.millis
        yield* sql`UPDATE runs SET heartbeat = ${now} WHERE id = ${runId}`
        const held = yield* sql`UPDATE jobs SET lease_until = ${until}
          WHERE run_id = ${runId} AND status = 'running' AND lease_owner = ${keyOf(lease.owner)} RETURNING id`
        return new Set(yield* rows.readIds(held))
      }).pipe(storage)

    const lost = (jobId: JobId, attempt: number) => new LeaseLost({ jobId, attempt })

    const identify: JobQueueService["identify"] = (jobId, attempt, process) =>
      statements
        .identifyAttempt({
          id: jobId,
          attempt,
          pid: process.pid,
          start: process.startTime,
          boot: process.bootId
        })
        .pipe(
          storage,
          Effect.flatMap((found) => (found.length === 1 ? Effect.void : lost(jobId, attempt)))
        )

    /** Ends the current attempt and moves the job on, unless another one is current by now. */
    const leave = (
      jobId: JobId,
      attempt: number,
      to: JobStatus,
      end: {
        readonly reason: string | null
        readonly error: string | null
        readonly result: JobResult | null
        readonly resumable: boolean
        readonly charged: boolean
        readonly delay: number
        /** Undefined: as it was. */
        readonly session: string | null | undefined
        readonly usage: Usage | null
      }
    ) =>
      writeTransaction(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const moved = yield* statements.moveJob({
            id: jobId,
            attempt,
            to,
            result: end.result === null ? null : rows.encodeResult(end.result),
            ended: end.result === null ? null : now,
            now,
            reason: end.reason,
            error: end.error,
            resumable: Number(end.resumable),
            uncharged: end.charged || attempt === 0 ? 0 : 1,
            told: Number(end.session !== undefined),
            session: end.session ?? null,
            due: end.delay === 0 ? 0 : (yield* monotonic) + end.delay,
            // An attempt that has ended has no more to say, though no other has begun: its job may only be given up.
            given_up: Number(canBecome("pending", to))
          })
          if (moved.length === 0) return false
          yield* statements.endAttempt({
            id: jobId,
            attempt,
            now,
            reason: end.reason,
            error: end.error,
            charged: Number(end.charged),
            tokens: tokensOf(end.usage),
            cost: end.usage?.costUsd ?? null
          })
          return true
        })
      ).pipe(
        storage,
        Effect.flatMap((moved) => (moved ? Effect.void : lost(jobId, attempt)))
      )

    const retry: JobQueueService["retry"] = (
      jobId,
      attempt,
      { charged = true, delay = 0, error, reason, session, usage = null }
    ) =>
      leave(jobId, attempt, "pending", {
        reason,
        error,
        charged,
        delay,
        session,
        usage,
        result: null,
        resumable: false
      })

    const settle: JobQueueService["settle"] = (result, options = {}) =>
      leave(result.jobId, result.attempts, result.status, {
        reason: result.reason,
        error: result.error,
        result,
        // What an interruption cut short is no fault of the job.
        charged: options.resumable !== true,
        resumable: options.resumable === true,
        delay: 0,
        session: result.sessionId ?? undefined,
        usage: result.usage
      })

    const job: JobQueueService["job"] = (id) =>
      sql`${sql.literal(selectJobs)} WHERE id = ${id}`.pipe(
        Effect.flatMap(rows.readJobs),
        storage,
        Effect.flatMap(([found]) => (found === undefined ? new NotFound({ what: "job", id }) : Effect.succeed(found)))
      )

    const run: JobQueueService["run"] = (id) =>
      sql`SELECT * FROM runs WHERE id = ${id}`.pipe(
        Effect.flatMap(rows.readRuns),
        storage,
        Effect.flatMap(([found]) => (found === undefined ? new NotFound({ what: "run", id }) : Effect.succeed(found)))
      )

    const jobs: JobQueueService["jobs"] = (id) =>
      Effect.zipRight(
        run(id),
        sql`${sql.literal(selectJobs)} WHERE run_id = ${id} ORDER BY number`.pipe(
          Effect.flatMap(rows.readJobs),
          storage
        )
      )

    const counts: JobQueueService["counts"] = (runId) =>
      sql<{ status: JobStatus; many: number }>`SELECT status, count(*) AS many FROM jobs WHERE run_id = ${runId}
        GROUP BY status`.pipe(
        Effect.map((found): Counts => {
          const none = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0, timeout: 0 }
          return { ...none, ...Object.fromEntries(found.map(({ many, status }) => [status, many])) }
        }),
        storage
      )

    const parked = sql`SELECT tool, until, since, message, probe FROM parked ORDER BY tool`.pipe(
      Effect.flatMap(rows.readParked),
      storage
    )

    const waiting: JobQueueService["waiting"] = (runId) =>
      Effect.gen(function* () {
        const since = yield* monotonic
        const [next] = yield* sql<{ due: number | null }>`SELECT min(not_before) AS due FROM jobs
          WHERE run_id = ${runId} AND status = 'pending' AND not_before > ${since}`
        const tools = new Set(
          (yield* sql<{ tool: string }>`SELECT DISTINCT tool FROM jobs WHERE run_id = ${runId} AND status = 'pending'
            AND tool IN (SELECT tool FROM parked)`).map(({ tool }) => tool)
        )
        return {
          due: next === undefined || next.due === null ? null : next.due - since,
          parked: tools.size === 0 ? [] : (yield* parked).filter(({ tool }) => tools.has(tool))
        }
      }).pipe(storage)

    const results: JobQueueService["results"] = (runId, after) =>
      // Of a job that was cancelled by an interruption and taken up again only the last end counts.
      sql`SELECT e.sequence, j.result FROM events e JOIN jobs j ON j.id = e.job_id
        WHERE e.run_id = ${runId} AND e.sequence > ${after} AND e.status = j.status AND e.attempt = j.attempts
        AND j.result IS NOT NULL ORDER BY e.sequence LIMIT ${page}`.pipe(Effect.flatMap(rows.readResults), storage)

    const spent: JobQueueService["spent"] = (id) =>
      // total() never overflows; older versions took what was below zero.
      sql<Spent>`SELECT total(max(a.cost_usd, 0)) AS costUsd,
        CAST(min(total(max(a.tokens, 0)), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) AS tokens,
        coalesce(sum(a.ended_at IS NOT NULL AND a.pid IS NOT NULL AND a.cost_usd IS NULL), 0) AS unknown
        FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE j.id = ${id} OR j.run_id = ${id}`.pipe(
        Effect.map(([sum]) => sum ?? { costUsd: 0, tokens: 0, unknown: 0 }),
        storage
      )

    const attempts: JobQueueService["attempts"] = (id) =>
      sql`SELECT number, started_at, ended_at, pid, start_time, boot_id, reason, error, charged FROM attempts
        WHERE job_id = ${id} ORDER BY number`.pipe(Effect.flatMap(rows.readAttempts), storage)

    const runs: JobQueueService["runs"] = (query) =>
      sql`SELECT * FROM runs WHERE ${sql.and([
        ...(query.project === undefined ? [] : [sql`project = ${query.project}`]),
        ...(query.status === undefined ? [] : [sql`status = ${query.status}`])
      ])} ORDER BY created_at DESC, id DESC LIMIT ${query.limit ?? 20}`.pipe(Effect.flatMap(rows.readRuns), storage)

    const events: JobQueueService["events"] = (query) =>
      sql`SELECT * FROM events WHERE ${sql.and([
        sql`sequence > ${query.since ?? 0}`,
        ...(query.project === undefined ? [] : [sql`project = ${query.project}`]),
        ...(query.runId === undefined ? [] : [sql`run_id = ${query.runId}`])
      ])} ORDER BY sequence ${sql.literal(query.newestFirst === true ? "DESC" : "ASC")} LIMIT ${Math.max(1, Math.min(1000, query.limit ?? page))}`.pipe(
        Effect.flatMap(rows.readEvents),
        storage
      )

    const requestCancel: JobQueueService["requestCancel"] = (id) =>
      sql`UPDATE jobs SET cancel_wanted = 1 WHERE (id = ${id} OR run_id = ${id})
        AND (status IN ('pending', 'running') OR resumable = 1) RETURNING id`.pipe(
        Effect.map((found) => found.length),
        storage
      )

    const cancelRequests: JobQueueService["cancelRequests"] = (runId) =>
      sql`SELECT id FROM jobs WHERE run_id = ${runId} AND cancel_wanted = 1
        AND (status IN ('pending', 'running') OR resumable = 1)`.pipe(Effect.flatMap(rows.readIds), storage)

    const park: JobQueueService["park"] = ({ message, tool, until }) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        yield* sql`INSERT INTO parked (tool, until, since, message) VALUES (${tool}, ${until}, ${now}, ${message})
          ON CONFLICT DO UPDATE SET until = excluded.until, message = excluded.message, probe = NULL`
      }).pipe(storage)

    const unpark: JobQueueService["unpark"] = (tool) =>
      Effect.asVoid(storage(sql`DELETE FROM parked WHERE tool = ${tool}`))

    return {
      open,
      close,
      bury,
      takeOver,
      add,
      claim,
      renew,
      identify,
      retry,
      settle,
      job,
      jobs,
      run,
      counts,
      waiting,
      results,
      spent,
      attempts,
      runs,
      events,
      requestCancel,
      cancelRequests,
      park,
      unpark,
      parked
    }
  })
