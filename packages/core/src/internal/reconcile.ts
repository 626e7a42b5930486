/** Puts the jobs of a run in order whose orchestrator died while their agents were at work. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentProcess } from "../AgentProcess.js"
import type { Job, RunId } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import { NotFound, Undecided } from "../OrchestratorError.js"
import type { ResumeOptions } from "../WorkerQueue.js"
import type { Workplace } from "../Workplace.js"
import { redactFiles, type Shop, type Stop } from "./attempt.js"
import { type Harvest, harvest } from "./harvest.js"
import { follow, maxAttempts, unattempted } from "./jobRunner.js"
import { type Plan, plan } from "./plan.js"
import * as RunRetries from "./runRetries.js"

interface Found {
  readonly job: Job
  /** Null where its program is gone. */
  readonly plan: Plan | null
  readonly harvest: Harvest
}

const died = "its orchestrator died during this attempt"
const indeterminate = { status: "failed", reason: "Indeterminate" } as const

/**
 * What was done is stored, what was cut short waits for another attempt, unless `decide` (by job or agent id) skips it; the run's jobs as they are then.
 * Where it cannot be told which of the two it was and `decide` does not say, nothing is changed.
 */
export const reconcile = (
  shop: Shop,
  journal: JobQueueService,
  runId: RunId,
  jobs: ReadonlyArray<Job>,
  { decide = new Map(), runRetries = null }: Pick<ResumeOptions, "decide" | "runRetries">
): Effect.Effect<ReadonlyArray<Job>, StorageError | Undecided, AgentProcess | RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(
      jobs.filter(({ status }) => status === "running"),
      (job) =>
        Effect.gen(function* (): Effect.fn.Return<Found, never, AgentProcess | RoleRegistry | Workplace> {
          const planned = yield* Effect.option(plan(job.spec))
          if (Option.isNone(planned)) return { job, plan: null, harvest: { kind: "cut", session: null } }
          const found = yield* harvest(shop.workplace, planned.value.adapter, job)
          return { job, plan: planned.value, harvest: found }
        }),
      // Each may wait a second for a last word.
      { concurrency: 16 }
    )
    const choice = ({ job }: Found) => decide.get(job.jobId) ?? decide.get(job.spec.agentId)
    const open = found.filter((each) => each.harvest.kind === "unknown" && choice(each) === undefined)
    const ended = found.filter((each) => each.harvest.kind === "ended" && choice(each) !== undefined)
    if (open.length > 0 || ended.length > 0) {
      return yield* new Undecided({
        runId,
        jobs: open.map(({ job }) => job.jobId),
        settled: ended.map(({ job: { jobId } }) => ({ jobId, state: "has ended, as its output tells" }))
      })
    }
    const retries = RunRetries.make(runRetries, jobs)
    const settled = new Map<string, Job>()
    for (const each of found)
      settled.set(each.job.jobId, yield* settleOne(shop, journal, each, choice(each) === "skip", retries))
    return jobs.map((job) => settled.get(job.jobId) ?? job)
  })

/** Decisions about jobs that there are not, or that are not at work, and two that differ are refused before the run is touched. */
export const checkDecisions = (
  journal: JobQueueService,
  run: string,
  decide: ReadonlyMap<string, "rerun" | "skip">
): Effect.Effect<void, NotFound | StorageError | Undecided> =>
  Effect.gen(function* () {
    const { runId } = yield* journal.run(run)
    if (decide.size === 0) return
    const jobs = yield* journal.jobs(runId)
    const words = new Map<Job, Set<"rerun" | "skip">>()
    for (const [id, word] of decide) {
      const job = jobs.find(({ jobId, spec }) => jobId === id || spec.agentId === id)
      if (job === undefined) return yield* new NotFound({ what: "job", id })
      words.set(job, (words.get(job) ?? new Set()).add(word))
    }
    const named = [...words.keys()]
    const contradicted = named.filter((job) => words.get(job)?.size === 2).map(({ jobId }) => jobId)
    const settled = named
      .filter(({ status }) => status !== "running")
      .map(({ jobId, status }) => ({
        jobId,
        state: status === "pending" ? "waits to be started" : `ended before: ${status}`
      }))
    if (settled.length + contradicted.length > 0) {
      return yield* new Undecided({ runId, jobs: [], settled, contradicted })
    }
  })

const settleOne = (
  shop: Shop,
  journal: JobQueueService,
  found: Found,
  skip: boolean,
  retries: RunRetries.RunRetries
): Effect.Effect<Job, StorageError> =>
  Effect.gen(function* () {
    const { harvest, job } = found
    const again = (session: string | null) =>
      job.attempts >= maxAttempts
        ? journal.settle(unattempted(job, { ...indeterminate, error: `${died}, ${job.attempts} times` }, 0))
        : journal.retry(job.jobId, job.attempts, { reason: "LeaseLost", error: died, charged: false, session })
    if (harvest.kind !== "ended") {
      const session =
        harvest.kind === "cut" && found.plan?.adapter.capabilities.resume === true ? harvest.session : null
      if (!skip) return yield* again(session)
      const seen = harvest.kind === "cut" ? "it was cut short" : "nobody saw how it ended"
      return yield* journal.settle(unattempted(job, { ...indeterminate, error: `${seen}, and it was skipped` }, 0))
    }
    const ended = yield* duration(journal, job, harvest.endedAt)
    const control = {
      stop: yield* Deferred.make<Stop>(),
      elapsed: () => ended,
      wall: yield* Effect.map(Effect.clock, (clock) => () => clock.unsafeCurrentTimeMillis()),
      tell: () => undefined,
      retries
    }
    const step = yield* follow(shop, job, { outcome: harvest.outcome, plan: found.plan, control })
    if (step.kind === "ended") return yield* journal.settle(step.result)
    if (step.kind === "lost") return
    if (step.kind === "parked") {
      yield* journal.park({ tool: job.spec.tool, until: step.until, message: step.message })
    }
    return yield* journal.retry(job.jobId, job.attempts, step.interruption)
  }).pipe(
    Effect.catchTag("LeaseLost", Effect.die),
    // Whether it has ended is asked of the journal, which the branches above have written.
    Effect.zipRight(journal.job(found.job.jobId)),
    Effect.tap(() => redactFiles(shop.workplace, journal, found.job)),
    Effect.catchTag("NotFound", Effect.die)
  )

/** Seconds from the start of the first attempt to the last sign of the agent. */
const duration = (journal: JobQueueService, job: Job, endedAt: number): Effect.Effect<number, StorageError> =>
  Effect.map(journal.attempts(job.jobId), ([first]) => Math.max(0, endedAt - (first?.startedAt ?? endedAt)) / 1_000)
