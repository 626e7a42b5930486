import type { StorageError } from "@contextfs/memory/MemoryError"
import type * as MemoryStore from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as AgentProcess from "../AgentProcess.js"
import { isTerminal, type Job, JobId } from "../Job.js"
import { type Claimed, JobQueue, type Run } from "../JobQueue.js"
import type { JobHead } from "../Orchestrator.js"
import { QueueClosed } from "../OrchestratorError.js"
import type { Failure, WorkerQueue, Working } from "../WorkerQueue.js"
import type { Workplace } from "../Workplace.js"
import type { Shop } from "./attempt.js"
import * as Desk from "./desk.js"
import { dispatch } from "./dispatcher.js"
import { cancelled, firmly, unattempted } from "./jobRunner.js"
import { Kin } from "./kin.js"
import type { Overlap } from "./overlap.js"
import { plan } from "./plan.js"
import * as resultStream from "./resultStream.js"
import { leaseMillis, self } from "./runOwner.js"
import { runOne } from "./worker.js"

const beatMillis = 500
const beatsPerRenewal = 40

export type Services = AgentProcess.AgentProcess | JobQueue | MemoryStore.MemoryStore | RoleRegistry | Workplace

/** Works off the jobs of an open run that is ours; `jobs`: all that it has so far. */
export const work = (
  shop: Shop,
  { project, runId }: Run,
  jobs: ReadonlyArray<Pick<Job, "charged" | "jobId" | "spec" | "status">>,
  options: Working,
  overlapping: ReadonlyArray<Overlap>
): Effect.Effect<WorkerQueue, Failure, Scope | Services> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Services>()
    const journal = yield* JobQueue
    const lease = { owner: yield* self, millis: leaseMillis }
    const desk = yield* Desk.make(shop, journal, runId, jobs, options)
    const { board, changes, room, tell, wall } = desk
    const { counts, running } = board
    const kin = new Kin(options)
    const most = options.maxQueueSize ?? 0
    let numbered = board.submitted

    /** Tells a job, and those that it has asked for, to end; waits for none of them. False: it has ended, or is unknown. */
    const askToEnd = (jobId: string): Effect.Effect<boolean, StorageError> =>
      Effect.gen(function* () {
        const asked = yield* endOne(jobId)
        if (asked) for (const child of kin.childrenOf(jobId)) yield* askToEnd(child)
        return asked
      })

    const endOne = (jobId: string) =>
      Effect.gen(function* () {
        const entry = running.get(jobId)
        if (entry !== undefined) return yield* Effect.as(Deferred.succeed(entry.stop, "cancelled"), true)
        const job = yield* known(jobId)
        if (job === undefined || isTerminal(job.status)) return false
        const result = unattempted(job, cancelled, desk.elapsed(jobId))
        return yield* journal.settle(result).pipe(
          Effect.tap(() => {
            counts.pending -= 1
          }),
          Effect.zipRight(room.leave(job.jobId)),
          Effect.zipRight(desk.finish(result)),
          Effect.as(true),
          // Claimed in this very moment: its worker sees that it is not wanted.
          Effect.catchTag("LeaseLost", () =>
            Effect.suspend(() => {
              const claimed = running.get(jobId)
              if (claimed !== undefined) return Effect.as(Deferred.succeed(claimed.stop, "cancelled"), true)
              board.unwanted.add(jobId)
              return Effect.succeed(true)
            })
          )
        )
      }).pipe(Effect.uninterruptible)

    const known = (jobId: string) =>
      journal.job(jobId).pipe(
        Effect.map((job) => (job.runId === runId ? job : undefined)),
        Effect.catchTag("NotFound", () => Effect.succeed(undefined))
      )

    // An agent that is told to end may be done all the same: only the record says what became of it.
    const cancel: WorkerQueue["cancel"] = (jobId) =>
      Effect.gen(function* () {
        if (!(yield* askToEnd(jobId))) return false
        const isHeld = () => board.held.has(jobId) || board.unwanted.has(jobId)
        yield* changes.until(Effect.sync(() => (isHeld() ? Option.none() : Option.some(undefined))))
        return (yield* known(jobId))?.status === "cancelled"
      })

    /** Keeps our leases, sees those that we have lost, and what other shells want cancelled. */
    let beats = 0
    const beat = Effect.gen(function* () {
      yield* Effect.sleep(beatMillis)
      for (const jobId of yield* journal.cancelRequests(runId)) yield* askToEnd(jobId)
      if (++beats % beatsPerRenewal !== 0) return
      const mine = [...running]
      // A moment of a full disk is shorter than what is left of the lease.
      const held = yield* firmly(journal.renew(runId, lease))
      for (const [jobId, { stop }] of mine) {
        if (running.has(jobId) && !held.has(JobId.make(jobId))) yield* Deferred.succeed(stop, "lost")
      }
    })

    for (const job of jobs) kin.adopt(job)
    tell({
      kind: "runStarted",
      at: wall(),
      runId,
      project,
      workers: options.numWorkers ?? 3,
      containment: shop.processes.level,
      overlaps: overlapping,
      earlier: board.ended,
      jobs: jobs.flatMap((job) => (isTerminal(job.status) ? [] : [head(job)]))
    })
    yield* desk.gate.account
    const agents = yield* FiberSet.make()
    const begin = (job: Claimed) => Effect.asVoid(FiberSet.run(agents, Effect.provide(runOne(desk, job), context)))
    yield* dispatch(desk, lease, options, begin).pipe(desk.orBreak, Effect.forkScoped)
    yield* Effect.forever(beat).pipe(desk.orBreak, Effect.forkScoped)

    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        board.closed = true
        yield* desk.stopAll("interrupted")
        yield* changes.tell
        yield* FiberSet.awaitEmpty(agents)
        board.over = true
        yield* changes.tell
        yield* Effect.ignoreLogged(journal.close(runId, board.status))
      })
    )

    /** What is asked for by a job that has ended, or is being ended, would be left over. */
    const isOver = (jobId: JobId) => {
      const entry = running.get(jobId)
      return entry === undefined ? Effect.succeed(true) : Deferred.isDone(entry.stop)
    }

    const submit: WorkerQueue["submit"] = (spec) =>
      Effect.gen(function* () {
        yield* plan(spec)
        // A job of this queue that waited for room in it might wait for itself.
        const bounded = most > 0 && spec.parent === null
        if (bounded) yield* room.wait(() => board.closed)
        if (board.closed) return yield* new QueueClosed({ message: "the queue is closed" })
        if (spec.parent !== null && (yield* isOver(spec.parent))) {
          return yield* new QueueClosed({ message: "the job that asks is over" })
        }
        const job = { jobId: JobId.make(`${runId}-${++numbered}`), spec, lane: kin.laneOf(spec) }
        const store = Effect.gen(function* () {
          yield* journal.add(runId, [job])
          if (bounded) room.enter(job.jobId)
          board.submitted += 1
          counts.pending += 1
          board.gaveUp = false
          board.shortage = null
          kin.adopt(job)
          tell({ kind: "jobAdded", at: wall(), ...head(job) })
          yield* changes.tell
        })
        yield* Effect.uninterruptible(bounded ? room.reserve(store) : store)
        return job.jobId
      }).pipe(Effect.provide(context))

    const results = resultStream.make(journal, runId, changes, () => board.isLast)

    const queue: WorkerQueue = {
      runId,
      project,
      submit,
      getJob: journal.job,
      cancel,
      pendingCount: Effect.sync(() => counts.pending),
      runningCount: Effect.sync(() => running.size),
      results,
      join: Stream.runDrain(results).pipe(
        Effect.zipRight(journal.jobs(runId)),
        Effect.catchTag("NotFound", Effect.die),
        Effect.map((jobs) => jobs.flatMap(({ result }) => (result === null ? [] : [result])))
      ),
      lend: (effect) =>
        Effect.acquireUseRelease(
          Effect.suspend(() => {
            board.used -= 1
            return changes.tell
          }),
          () => effect,
          () =>
            Effect.sync(() => {
              board.used += 1
            })
        ),
      until: changes.until,
      parked: Effect.map(journal.waiting(runId), ({ parked }) => parked),
      shortage: Effect.sync(() => board.shortage)
    }
    yield* Deferred.succeed(shop.delegation.queue, queue)
    return queue
  })

const head = ({ jobId, spec }: Pick<Job, "jobId" | "spec">): JobHead => {
  const { agentId, directory, parent, role, tool } = spec
  return { jobId, agentId, role, tool, directory, parent }
}
