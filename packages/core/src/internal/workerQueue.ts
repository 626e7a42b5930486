import type { StorageError } from "@contextfs/memory/MemoryError"
import type * as MemoryStore from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as AgentProcess from "../AgentProcess.js"
import { isTerminal, type Job, JobId, type JobResult, type JobSpec, type JobStatus } from "../Job.js"
import { type Claimed, type Counts, JobQueue, type Run, type Waiting } from "../JobQueue.js"
import type { JobHead, RunEvent } from "../Orchestrator.js"
import { QueueClosed } from "../OrchestratorError.js"
import type { Failure, WorkerQueue, Working } from "../WorkerQueue.js"
import type { Workplace } from "../Workplace.js"
import { redactFiles, type Shop, type Stop } from "./attempt.js"
import { part } from "./budget.js"
import { sinceBoot } from "./jobQueue.js"
import { cancelled, firmly, run as runJob, type Step, unattempted } from "./jobRunner.js"
import { laneOf, type Overlap } from "./overlap.js"
import { plan } from "./plan.js"
import * as procfs from "./procfs.js"
import { shortage } from "./shortage.js"

/** A job whose attempt is at work. */
interface Running {
  readonly stop: Deferred.Deferred<Stop>
}

/** Long enough for any pause of this process that is not its death. */
const leaseMillis = 60_000
const beatMillis = 500
/** Between two looks at what this machine has left. */
const betweenLooks = 250
const beatsPerRenewal = 40
/** How long a parked tool is waited for before the clock on the wall is looked at again. */
const longestWait = 30_000

export type Services = AgentProcess.AgentProcess | JobQueue | MemoryStore.MemoryStore | RoleRegistry | Workplace

/** This process as the owner of a run. */
export const self = Effect.sync(
  (): AgentProcess.ProcessIdentity => ({
    pid: process.pid,
    startTime: procfs.startTime(process.pid),
    bootId: procfs.bootId()
  })
)

/** Whether a run is at work. Where nobody can tell by its process, its heartbeat does. */
export const isAtWork = ({ heartbeat, owner, status }: Run): Effect.Effect<boolean> =>
  Effect.map(sinceBoot, (now) => status === "running" && (procfs.isAlive(owner) ?? now - heartbeat < leaseMillis))

/** Works off the jobs of an open run that is ours. */
export const work = (
  shop: Shop,
  { project, runId }: Run,
  options: Working,
  overlapping: ReadonlyArray<Overlap>
): Effect.Effect<WorkerQueue, Failure, Scope | Services> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Services>()
    const journal = yield* JobQueue
    const lease = { owner: yield* self, millis: leaseMillis }
    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000n) / 1_000
    const wall = () => clock.unsafeCurrentTimeMillis()
    const numWorkers = options.numWorkers ?? 3

    /** By status, in step with the journal: only this process changes the run. */
    const counts: Record<JobStatus, number> = { ...(yield* journal.counts(runId)) }
    const ended = () => counts.completed + counts.failed + counts.cancelled + counts.timeout
    let submitted = ended() + counts.pending
    let numbered = submitted
    /** Nothing begins any more. */
    let closed = false
    /** Nothing ends any more, either. */
    let over = false
    /** A job was cancelled only because the queue was closed. */
    let cut = false
    /** Nothing is left but jobs of parked tools, and nobody wants to wait. */
    let parkedOnly = false
    /** Workers at work; one that waits for other jobs has lent itself. */
    let used = 0
    const running = new Map<string, Running>()
    /** Cancelled between their claim and the start of their attempt. */
    const unwanted = new Set<string>()
    /** Monotonic milliseconds at the first attempt here of jobs that have begun and not ended. */
    const begun = new Map<string, number>()
    /** Jobs that hold a place in the queue: those that were submitted and have not begun. */
    const housed = new Set<string>()
    /** Places given to jobs that are being stored. */
    let reserved = 0
    const leaveRoom = (jobId: string) => Effect.suspend(() => (housed.delete(jobId) ? changed : Effect.void))

    // Replaced at every change: whoever waits looks again. A journal that cannot be written ends all waiting.
    let change = Deferred.unsafeMake<void>(FiberId.none)
    const changed = Effect.suspend(() => {
      const before = change
      change = Deferred.unsafeMake(FiberId.none)
      return Deferred.succeed(before, undefined)
    })
    const broken = yield* Deferred.make<never, StorageError>()
    /** Nothing that happens from here on could be written down, so no agent goes on. */
    const orBreak = <A, R>(effect: Effect.Effect<A, StorageError, R>) =>
      effect.pipe(
        Effect.catchAll((error) => Effect.zipRight(Deferred.fail(broken, error), stopAll("interrupted"))),
        Effect.catchAllDefect((defect) => Effect.zipRight(Deferred.die(broken, defect), stopAll("interrupted")))
      )
    const stopAll = (why: Stop) =>
      Effect.suspend(() =>
        Effect.forEach(running.values(), ({ stop }) => Deferred.succeed(stop, why), { discard: true })
      )
    const changeAfter = (seen: Deferred.Deferred<void>) =>
      Effect.raceFirst(Deferred.await(seen), Deferred.await(broken)).pipe(Effect.interruptible)

    const until: WorkerQueue["until"] = (look) =>
      Effect.suspend(() => {
        const seen = change
        return Effect.flatMap(look, (found) =>
          Option.isSome(found) ? Effect.succeed(found.value) : Effect.zipRight(changeAfter(seen), until(look))
        )
      })

    const tell = (event: RunEvent): void => {
      try {
        options.onEvent?.(event)
      } catch (cause) {
        // The caller's own fault, given back where it waits.
        Deferred.unsafeDone(broken, Effect.die(cause))
      }
    }

    /** The agent whose failure ends the run. */
    let culprit: string | undefined
    /** Says of a job that was cancelled for another's sake which one that was. */
    const explain = (result: JobResult): JobResult =>
      culprit === undefined || result.reason !== "JobCancelled"
        ? result
        : { ...result, error: `cancelled because ${culprit} did not complete (fail-fast)` }

    const finish = (result: JobResult) =>
      Effect.gen(function* () {
        counts[result.status] += 1
        begun.delete(result.jobId)
        tell({ kind: "jobEnded", at: wall(), result })
        if (options.failFast === true && !closed && culprit === undefined && result.status !== "completed") {
          culprit = result.agentId
          yield* stopAll("cancelled")
        }
        yield* changed
      })

    const budget = options.budget ?? null
    /** Of the run's budget: nothing is started any more once it is 1. */
    let spentPart = 0
    const account = Effect.gen(function* () {
      if (budget === null || spentPart >= 1) return
      const spent = yield* journal.spent(runId)
      const unknown = budget.unknownCost === "refuse" && budget.maxCostUsd !== null && spent.unknown > 0
      const now = unknown ? Math.max(1, part(budget, spent)) : part(budget, spent)
      if ((now >= 1 && spentPart < 1) || (now >= 0.8 && spentPart < 0.8)) {
        tell({ kind: "budget", at: wall(), part: now, spent })
      }
      spentPart = now
    })
    /** What has not begun ends here. */
    const failPending = Effect.gen(function* () {
      for (const job of yield* journal.jobs(runId).pipe(Effect.catchTag("NotFound", Effect.die))) {
        if (job.status !== "pending") continue
        const result = explain(unattempted(job, culprit === undefined ? overspent : cancelled, 0))
        const settled = yield* firmly(journal.settle(result)).pipe(
          Effect.as(true),
          // Cancelled in this very moment, and told already.
          Effect.catchTag("LeaseLost", () => Effect.succeed(false))
        )
        if (!settled) continue
        counts.pending -= 1
        yield* leaveRoom(job.jobId)
        yield* finish(result)
      }
    }).pipe(Effect.uninterruptible)

    /** What this machine lacks; looked at again and again while it does. */
    let short: string | null = null
    let lookedAt = Number.NEGATIVE_INFINITY
    const look = () => {
      if (now() - lookedAt < betweenLooks) return
      lookedAt = now()
      const before = short
      short = shortage(shop.workplace.dataDir, shop.workplace.floors)
      if ((short === null) !== (before === null)) tell({ kind: "held", at: wall(), shortage: short })
    }

    /** The job is another's. */
    const lose = Effect.suspend(() => {
      submitted -= 1
      return changed
    })

    /** Stores what follows from an attempt, then tells it. */
    const take = (job: Claimed, step: Step) =>
      Effect.gen(function* () {
        const of = { jobId: job.jobId, agentId: job.spec.agentId }
        counts.running -= 1
        if (step.kind === "lost") return yield* lose
        // One that did its work was not at the wall; of any other nobody knows, and the next one tries.
        if (step.kind === "ended" && step.result.status === "completed") yield* release(job)
        probes.delete(job.jobId)
        if (step.kind === "ended") {
          cut ||= step.resumable
          const result = explain(step.result)
          yield* firmly(journal.settle(result, { resumable: step.resumable }))
          yield* redactFiles(shop.workplace, job, !step.resumable)
          yield* account
          return yield* finish(result)
        }
        if (step.kind === "parked") {
          const { message, until } = step
          yield* journal.park({ tool: job.spec.tool, until, message })
          tell({ kind: "toolParked", at: wall(), tool: job.spec.tool, until, message })
        }
        yield* firmly(journal.retry(job.jobId, job.attempts, step.interruption))
        yield* redactFiles(shop.workplace, job, false)
        yield* account
        counts.pending += 1
        const { error, reason } = step.interruption
        tell({ kind: "jobRetrying", at: wall(), ...of, reason, error })
        yield* changed
      })

    /** Jobs at work that try whether a parked tool can be used again. */
    const probes = new Set<string>()
    const release = ({ jobId, spec: { tool } }: Job) =>
      Effect.suspend(() => {
        if (!probes.delete(jobId)) return Effect.void
        tell({ kind: "toolReleased", at: wall(), tool })
        return Effect.zipRight(journal.unpark(tool), changed)
      })
    /** How a job's events are told; the first word of one that tries a parked tool opens it for all. */
    const telling = (job: Claimed) =>
      Effect.gen(function* () {
        if (!job.probe) return tell
        probes.add(job.jobId)
        const answered = yield* Deferred.make<void>()
        yield* Effect.fork(Effect.zipRight(Effect.interruptible(Deferred.await(answered)), release(job)))
        return (event: RunEvent) => {
          tell(event)
          const said = event.kind === "agentEvent" ? event.event.kind : null
          if (said === "message" || said === "toolCall") Deferred.unsafeDone(answered, Effect.void)
        }
      })

    const runOne = (job: Claimed) =>
      Effect.gen(function* () {
        const stop = yield* Deferred.make<Stop>()
        running.set(job.jobId, { stop })
        if (unwanted.delete(job.jobId) || culprit !== undefined) yield* Deferred.succeed(stop, "cancelled")
        else if (closed) yield* Deferred.succeed(stop, "interrupted")
        if (!begun.has(job.jobId)) begun.set(job.jobId, now())
        yield* leaveRoom(job.jobId)
        const elapsed = () => (now() - (begun.get(job.jobId) ?? now())) / 1_000
        const step = yield* runJob(shop, journal, job, { stop, elapsed, wall, tell: yield* telling(job) }).pipe(
          // Even our own bug leaves a result, and leaves the other jobs alone.
          Effect.catchAllDefect((defect) =>
            Effect.succeed<Step>({
              kind: "ended",
              result: unattempted(job, { ...bug, error: `${bug.error}: ${defect}` }, elapsed()),
              resumable: false
            })
          )
        )
        running.delete(job.jobId)
        yield* take(job, step).pipe(Effect.catchTag("LeaseLost", () => lose))
      }).pipe(
        Effect.ensuring(
          Effect.suspend(() => {
            used -= 1
            return changed
          })
        ),
        // What counts this job would wait for it for ever.
        orBreak,
        Effect.uninterruptible
      )

    const agents = yield* FiberSet.make()
    const claimOne = Effect.gen(function* () {
      const claimed = yield* journal.claim(runId, lease)
      if (Option.isNone(claimed)) return false
      const job = claimed.value
      // A job that another owner had lost hold of was not pending.
      if (counts.pending > 0) counts.pending -= 1
      counts.running += 1
      used += 1
      yield* FiberSet.run(agents, Effect.provide(runOne(job), context))
      return true
    }).pipe(Effect.uninterruptible)

    const restTime = ({ due, parked }: Waiting) => {
      const times = parked.flatMap(({ probe, until }) => (probe === null ? [until - wall()] : []))
      if (due !== null) times.push(due)
      return `${Math.ceil(Math.max(10, Math.min(longestWait, ...times)))} millis` as const
    }

    /** One claim, or a rest until there may be something to claim. */
    const dispatch = Effect.gen(function* () {
      const seen = change
      if (closed || counts.pending === 0) return yield* changeAfter(seen)
      if (spentPart >= 1 || culprit !== undefined) return yield* failPending
      if (used >= numWorkers) return yield* changeAfter(seen)
      look()
      if (short !== null) return yield* Effect.asVoid(Effect.timeoutOption(changeAfter(seen), betweenLooks))
      if (yield* claimOne) return
      const waiting = yield* journal.waiting(runId)
      if (options.wait === false && running.size === 0 && waiting.due === null && waiting.parked.length > 0) {
        parkedOnly = true
        yield* changed
        return yield* changeAfter(change)
      }
      yield* changeAfter(seen).pipe(Effect.timeoutOption(restTime(waiting)))
    }).pipe(Effect.forever, orBreak)

    /** Keeps our leases, sees those that we have lost, and what other shells want cancelled. */
    let beats = 0
    const beat = Effect.gen(function* () {
      yield* Effect.sleep(beatMillis)
      for (const jobId of yield* journal.cancelRequests(runId)) yield* cancel(jobId)
      if (++beats % beatsPerRenewal !== 0) return
      const mine = [...running]
      // A moment of a full disk is shorter than what is left of the lease.
      const held = yield* firmly(journal.renew(runId, lease))
      for (const [jobId, { stop }] of mine) {
        if (running.has(jobId) && !held.has(JobId.make(jobId))) yield* Deferred.succeed(stop, "lost")
      }
    })

    /** By the job whose agent asked for them: they were asked for its sake, and are cancelled with it. */
    const children = new Map<string, Array<JobId>>()
    /** Jobs that have a lane, or were asked for from within one. */
    const inLane = new Set<string>()
    const adopt = ({ jobId, spec }: Pick<Job, "jobId" | "spec">) => {
      const { parent } = spec
      if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), jobId])
      if (laneOf(options, spec) !== null || (parent !== null && inLane.has(parent))) inLane.add(jobId)
    }

    /** The start of the run has been told. */
    let opened = false
    /** Stores the jobs as pending, then lets the workers at them. */
    const add = (specs: ReadonlyArray<JobSpec>, inRoom = false) =>
      Effect.gen(function* () {
        const jobs = specs.map((spec) => ({
          jobId: JobId.make(`${runId}-${++numbered}`),
          spec,
          // Who asked waits for it: it would never come in after that one, and works within its turn.
          lane: spec.parent !== null && inLane.has(spec.parent) ? null : laneOf(options, spec)
        }))
        yield* journal.add(runId, jobs)
        if (inRoom) for (const { jobId } of jobs) housed.add(jobId)
        submitted += jobs.length
        counts.pending += jobs.length
        parkedOnly = false
        jobs.forEach(adopt)
        if (opened) for (const job of jobs) tell({ kind: "jobAdded", at: wall(), ...head(job) })
        yield* changed
        return jobs
      })

    const cancel: WorkerQueue["cancel"] = (jobId) =>
      Effect.gen(function* () {
        const ended = yield* cancelOne(jobId)
        if (ended) for (const child of children.get(jobId) ?? []) yield* cancel(child)
        return ended
      })

    const cancelOne: WorkerQueue["cancel"] = (jobId) =>
      Effect.gen(function* () {
        const entry = running.get(jobId)
        if (entry !== undefined) return yield* Effect.as(Deferred.succeed(entry.stop, "cancelled"), true)
        const job = yield* journal.job(jobId).pipe(Effect.catchTag("NotFound", () => Effect.succeed(undefined)))
        if (job === undefined || job.runId !== runId || isTerminal(job.status)) return false
        const elapsed = (now() - (begun.get(jobId) ?? now())) / 1_000
        const result = unattempted(job, cancelled, elapsed)
        return yield* journal.settle(result).pipe(
          Effect.tap(() => {
            counts.pending -= 1
          }),
          Effect.zipRight(leaveRoom(jobId)),
          Effect.zipRight(finish(result)),
          Effect.as(true),
          // Claimed in this very moment: its worker sees that it is not wanted.
          Effect.catchTag("LeaseLost", () =>
            Effect.suspend(() => {
              const claimed = running.get(jobId)
              if (claimed !== undefined) return Effect.as(Deferred.succeed(claimed.stop, "cancelled"), true)
              unwanted.add(jobId)
              return Effect.succeed(true)
            })
          )
        )
      }).pipe(Effect.uninterruptible)

    const jobs = yield* journal.jobs(runId).pipe(Effect.catchTag("NotFound", Effect.die))
    jobs.forEach(adopt)
    tell({
      kind: "runStarted",
      at: wall(),
      runId,
      project,
      workers: numWorkers,
      containment: shop.processes.level,
      overlaps: overlapping,
      earlier: ended(),
      jobs: jobs.flatMap((job) => (isTerminal(job.status) ? [] : [head(job)]))
    })
    opened = true
    yield* account
    yield* Effect.forkScoped(dispatch)
    yield* Effect.forever(beat).pipe(orBreak, Effect.forkScoped)

    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        closed = true
        yield* stopAll("interrupted")
        yield* changed
        yield* FiberSet.awaitEmpty(agents)
        over = true
        yield* changed
        const status = cut || submitted > ended() ? "interrupted" : statusOf(counts)
        yield* Effect.ignoreLogged(journal.close(runId, status))
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
        const most = spec.parent === null ? (options.maxQueueSize ?? 0) : 0
        for (let seen = change; !closed && most > 0 && housed.size + reserved >= most; seen = change) {
          yield* changeAfter(seen)
        }
        if (closed) return yield* new QueueClosed({ message: "the queue is closed" })
        if (spec.parent !== null && (yield* isOver(spec.parent))) {
          return yield* new QueueClosed({ message: "the job that asks is over" })
        }
        reserved += 1
        const jobs = yield* add([spec], most > 0).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              reserved -= 1
            })
          ),
          Effect.uninterruptible
        )
        const [job] = jobs
        return job === undefined ? yield* Effect.dieMessage("a job was added and is not there") : job.jobId
      }).pipe(Effect.provide(context))

    /** The next page of results after a cursor, waited for; none when there will be no more. */
    const nextResults = (
      cursor: number
    ): Effect.Effect<Option.Option<readonly [ReadonlyArray<JobResult>, number]>, StorageError> =>
      Effect.suspend(() => {
        const seen = change
        const last = over || parkedOnly || ended() === submitted
        return Effect.flatMap(journal.results(runId, cursor), (found) => {
          const end = found.at(-1)
          if (end !== undefined) return Effect.succeedSome([found.map(({ result }) => result), end.cursor] as const)
          return last ? Effect.succeedNone : Effect.zipRight(changeAfter(seen), nextResults(cursor))
        })
      })
    const results = Stream.unfoldEffect(0, nextResults).pipe(Stream.flattenIterables)

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
            used -= 1
            return changed
          }),
          () => effect,
          () =>
            Effect.sync(() => {
              used += 1
            })
        ),
      until,
      parked: Effect.map(journal.waiting(runId), ({ parked }) => parked)
    }
    yield* Deferred.succeed(shop.delegation.queue, queue)
    return queue
  })

const overspent = {
  status: "failed",
  reason: "BudgetExceeded",
  error: "the budget of the run is spent – nothing more was started – raise the budget and run again what is left"
} as const

const head = ({ jobId, spec }: Pick<Job, "jobId" | "spec">): JobHead => {
  const { agentId, directory, parent, role, tool } = spec
  return { jobId, agentId, role, tool, directory, parent }
}

const bug = {
  status: "failed",
  reason: "Indeterminate",
  error: "internal error of ContextFS, please report it"
} as const

/** What a run came to whose jobs have all ended. */
export const statusOf = (counts: Counts): "completed" | "failed" | "cancelled" => {
  if (counts.failed + counts.timeout > 0) return "failed"
  return counts.cancelled > 0 ? "cancelled" : "completed"
}
