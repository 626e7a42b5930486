import { randomBytes } from "node:crypto"
import * as path from "node:path"
import * as RunServer from "@contextfs/mcp/RunServer"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import * as AgentProcess from "../AgentProcess.js"
import { type Job, JobId, type JobResult, type JobSpec, RunId } from "../Job.js"
import { JobQueue } from "../JobQueue.js"
import { HostUnfit, QueueClosed } from "../OrchestratorError.js"
import type { Failure, Options, WorkerQueue } from "../WorkerQueue.js"
import { Workplace } from "../Workplace.js"
import type { Shop } from "./attempt.js"
import * as attemptFiles from "./attemptFiles.js"
import { cancelled, run as runJob, settle, unattempted } from "./jobRunner.js"
import { endLeftovers } from "./leftovers.js"
import { plan } from "./plan.js"
import * as procfs from "./procfs.js"

/** A job that has not ended. */
interface Live {
  readonly jobId: JobId
  /** Completed when the job has to end. */
  readonly cancelled: Deferred.Deferred<void>
  running: boolean
  /** Monotonic milliseconds at the start of the first attempt. */
  startedAt: number
}

// Digits and letters of which no two look alike; eight are easy to type.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
const newRunId = Effect.sync(() => RunId.make([...randomBytes(8)].map((byte) => alphabet[byte % 32]).join("")))

type Services = AgentProcess.AgentProcess | JobQueue | MemoryStore.MemoryStore | RoleRegistry | Workplace

export const make = (options: Options): Effect.Effect<WorkerQueue, Failure, Scope | Services> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Services>()
    const journal = yield* JobQueue
    const processes = yield* AgentProcess.AgentProcess
    const workplace = yield* Workplace
    const redactor = Redaction.make(workplace.env)
    const store = Redaction.store(yield* MemoryStore.MemoryStore, redactor)
    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000n) / 1_000
    const wall = () => clock.unsafeCurrentTimeMillis()
    const numWorkers = options.numWorkers ?? 3
    const tell = options.onEvent ?? (() => undefined)

    const planned = options.jobs ?? []
    yield* Effect.forEach(planned, plan, { discard: true })
    const runId = yield* newRunId
    // A folder of its own: several queues may share a process.
    const directory = path.join(workplace.runtimeDir, runId)
    yield* Effect.sync(() => PrivateFiles.folder(workplace.runtimeDir, runId))
    const server = yield* RunServer.make({ directory }).pipe(
      Effect.provideService(MemoryStore.MemoryStore, store),
      Effect.mapError(
        ({ hint, message }) => new HostUnfit({ message: hint === undefined ? message : `${message} – ${hint}` })
      )
    )
    const shop: Shop = { workplace, processes, store, server }
    yield* endLeftovers(journal)
    // After that a run that is not running is over, and its files are nobody's.
    if (attemptFiles.raw(workplace.dataDir).length > 0) {
      const running = new Set((yield* journal.runs({ status: "running", limit: 1000 })).map((run) => run.runId))
      yield* attemptFiles.finish(workplace.dataDir, redactor, ({ runId }) => !running.has(runId))
    }
    yield* journal.open({
      runId,
      project: options.project,
      owner: { pid: process.pid, startTime: procfs.startTime(process.pid), bootId: procfs.bootId() },
      marker: processes.marker,
      containment: processes.level,
      runtimeDir: workplace.runtimeDir
    })

    const live = new Map<string, Live>()
    const order: Array<JobId> = []
    const results: Array<JobResult> = []
    let closed = false
    const room = options.maxQueueSize ? yield* Effect.makeSemaphore(options.maxQueueSize) : undefined
    const leaveRoom = room?.release(1) ?? Effect.void
    /** At least one token for each pending job. */
    const tokens = yield* Queue.unbounded<void>()

    // Replaced at every change: whoever waits looks again. A journal that cannot be written ends all waiting.
    let change = yield* Deferred.make<void>()
    const changed = Effect.gen(function* () {
      const before = change
      change = yield* Deferred.make<void>()
      yield* Deferred.succeed(before, undefined)
    })
    const broken = yield* Deferred.make<never, StorageError>()
    const nextChange = Effect.suspend(() => Effect.raceFirst(Deferred.await(change), Deferred.await(broken)))

    const finish = (result: JobResult) =>
      Effect.suspend(() => {
        live.delete(result.jobId)
        results.push(result)
        tell({ kind: "jobEnded", at: wall(), result })
        return changed
      })

    const runOne = (job: Job) =>
      Effect.gen(function* () {
        const entry = live.get(job.jobId)
        if (entry === undefined) return yield* Effect.dieMessage(`job ${job.jobId} is not of this queue`)
        entry.running = true
        if (job.attempts === 1) {
          entry.startedAt = now()
          yield* leaveRoom
        }
        const elapsed = () => (now() - entry.startedAt) / 1_000
        const result = yield* runJob(shop, journal, job, { cancelled: entry.cancelled, elapsed, wall, tell }).pipe(
          // Even our own bug leaves a result, and leaves the other jobs alone.
          Effect.catchAllDefect((defect) =>
            settle(journal, unattempted(job, { ...bug, error: `${bug.error}: ${defect}` }, elapsed()))
          )
        )
        if (result !== null) return yield* finish(result)
        entry.running = false
        yield* Queue.offer(tokens, undefined)
      })

    const claimOne = journal
      .claim(runId)
      .pipe(Effect.flatMap(Option.match({ onNone: () => Effect.void, onSome: runOne })))
    const worker = Queue.take(tokens).pipe(
      // An attempt is not cut: it is told to end, and its result is stored.
      Effect.zipRight(Effect.uninterruptible(claimOne)),
      Effect.forever,
      Effect.catchAll((error) => Deferred.fail(broken, error)),
      Effect.provide(context)
    )
    /** Stores the jobs as pending, then lets the workers at them. */
    const add = (specs: ReadonlyArray<JobSpec>) =>
      Effect.gen(function* () {
        const jobs = specs.map((spec, index) => ({ jobId: JobId.make(`${runId}-${order.length + index + 1}`), spec }))
        for (const { jobId } of jobs) {
          order.push(jobId)
          live.set(jobId, { jobId, cancelled: yield* Deferred.make<void>(), running: false, startedAt: now() })
        }
        yield* journal.add(runId, jobs)
        yield* Queue.offerAll(
          tokens,
          jobs.map(() => undefined)
        )
        return jobs
      })

    const initial = yield* add(planned)
    tell({
      kind: "runStarted",
      at: wall(),
      runId,
      project: options.project,
      workers: numWorkers,
      containment: processes.level,
      jobs: initial.map(({ jobId, spec: { agentId, role, tool, directory } }) => ({
        jobId,
        agentId,
        role,
        tool,
        directory
      }))
    })
    const workers = yield* Effect.replicateEffect(Effect.forkScoped(worker), numWorkers)

    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        closed = true
        const unfinished = live.size > 0
        yield* Queue.shutdown(tokens)
        for (const entry of live.values()) if (entry.running) yield* Deferred.succeed(entry.cancelled, undefined)
        yield* Fiber.awaitAll(workers)
        yield* changed
        yield* Effect.ignoreLogged(journal.close(runId, unfinished ? "interrupted" : runStatus(results)))
      })
    )

    const submit: WorkerQueue["submit"] = (spec) =>
      Effect.gen(function* () {
        yield* plan(spec)
        if (room !== undefined) yield* room.take(1)
        return yield* Effect.uninterruptible(
          Effect.gen(function* () {
            if (closed) {
              yield* leaveRoom
              return yield* new QueueClosed({ message: "the queue is closed" })
            }
            const [job] = yield* add([spec])
            return job === undefined ? yield* Effect.dieMessage("a job was added and is not there") : job.jobId
          })
        )
      }).pipe(Effect.provide(context))

    const cancel: WorkerQueue["cancel"] = (jobId) =>
      Effect.gen(function* () {
        const entry = live.get(jobId)
        if (entry === undefined) return false
        yield* Deferred.succeed(entry.cancelled, undefined)
        if (entry.running) return true
        const job = yield* Effect.orDie(journal.job(jobId))
        const result = unattempted(job, cancelled, 0)
        return yield* journal.settle(result).pipe(
          Effect.zipRight(job.attempts === 0 ? leaveRoom : Effect.void),
          Effect.zipRight(finish(result)),
          Effect.as(true),
          // Claimed in this very moment: its worker sees that it is cancelled.
          Effect.catchTag("LeaseLost", () => Effect.succeed(true))
        )
      }).pipe(Effect.uninterruptible)

    const nextResult = (index: number): Effect.Effect<Option.Option<readonly [JobResult, number]>, StorageError> =>
      Effect.suspend(() => {
        const result = results[index]
        if (result !== undefined) return Effect.succeedSome([result, index + 1] as const)
        if (closed || results.length === order.length) return Effect.succeedNone
        return Effect.zipRight(nextChange, nextResult(index))
      })
    const all = Stream.unfoldEffect(0, nextResult)

    return {
      runId,
      submit,
      getJob: journal.job,
      cancel,
      pendingCount: Effect.sync(() => [...live.values()].filter((entry) => !entry.running).length),
      runningCount: Effect.sync(() => [...live.values()].filter((entry) => entry.running).length),
      results: all,
      join: Stream.runDrain(all).pipe(
        Effect.map(() => {
          const place = new Map(order.map((jobId, index) => [jobId, index]))
          return results.toSorted((a, b) => (place.get(a.jobId) ?? 0) - (place.get(b.jobId) ?? 0))
        })
      )
    }
  })

const bug = {
  status: "failed",
  reason: "Indeterminate",
  error: "internal error of ContextFS, please report it"
} as const

/** What a run came to whose jobs have all ended. */
export const runStatus = (results: ReadonlyArray<JobResult>): "completed" | "failed" | "cancelled" => {
  if (results.every((result) => result.status === "completed")) return "completed"
  return results.every((result) => result.status === "completed" || result.status === "cancelled")
    ? "cancelled"
    : "failed"
}
