/** One claimed job through one attempt to what follows from it: a stored result, or another attempt. */
import type { Identity } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Namespace from "@contextfs/memory/Namespace"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { AgentProcess } from "../AgentProcess.js"
import type { Job, JobResult } from "../Job.js"
import type { Interruption, JobQueueService } from "../JobQueue.js"
import type { RunEvent } from "../Orchestrator.js"
import type { LeaseLost } from "../OrchestratorError.js"
import type { FailureClass, ToolAdapter, Usage } from "../ToolAdapter.js"
import type { Workplace } from "../Workplace.js"
import * as attempt from "./attempt.js"
import { part, plus } from "./budget.js"
import { confined } from "./delegation.js"
import { remember } from "./outcome.js"
import { type Plan, plan } from "./plan.js"
import { resetTime } from "./resetTime.js"
import type { RunRetries } from "./runRetries.js"

/** Before the second attempt; doubles from there, with jitter. */
const retryDelayMillis = 1_000
const maxRetryDelayMillis = 60_000
/** A provider's clock and ours may differ. */
const afterReset = 60_000
const maxAfterReset = 15 * 60_000
const maxParking = 24 * 60 * 60_000
/** Whether they count or not: a job that kills its orchestrator, or meets a wall for ever, ends some day. */
export const maxAttempts = 50

export interface Control {
  readonly stop: Deferred.Deferred<attempt.Stop>
  /** Seconds since the first attempt began, as far as this process knows. */
  readonly elapsed: () => number
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  readonly tell: (event: RunEvent) => void
  readonly retries: RunRetries
}

/** What an attempt led to. */
export type Step =
  | { readonly kind: "ended"; readonly result: JobResult; readonly resumable: boolean }
  /** Another process holds it by now. */
  | { readonly kind: "lost" }
  /** It waits for another attempt. */
  | { readonly kind: "again"; readonly interruption: Interruption }
  /** The same, and so does everything else of its tool, until a time. */
  | { readonly kind: "parked"; readonly interruption: Interruption; readonly until: number; readonly message: string }

/** An agent speaks for its job; where it works is told by its directory. */
const identityOf = (job: Job): Effect.Effect<Identity> =>
  Effect.map(Namespace.locate(job.spec.directory), (place) => ({
    project: job.spec.project,
    ...place,
    trust: "agent",
    sourceTool: `agent-${job.spec.role}`,
    role: job.spec.role,
    agentId: job.spec.agentId,
    runId: job.runId,
    jobId: job.jobId
  }))

/** What is told of a job that had no attempt, or none that could be judged. */
export const unattempted = (
  job: Job,
  why: Pick<JobResult, "status" | "reason" | "error">,
  duration: number
): JobResult => ({
  jobId: job.jobId,
  runId: job.runId,
  agentId: job.spec.agentId,
  role: job.spec.role,
  tool: job.spec.tool,
  directory: job.spec.directory,
  ...why,
  result: null,
  warnings: [],
  duration,
  attempts: job.attempts,
  usage: null,
  sessionId: null,
  filesChanged: null,
  denials: [],
  memory: null,
  evidence: null
})

export const cancelled = { status: "cancelled", reason: "JobCancelled", error: "cancelled before it ended" } as const

const resultOf = (job: Job, outcome: attempt.AttemptOutcome, duration: number): JobResult => {
  const { verdict, watch } = outcome
  const survivors = outcome.evidence?.survivors ?? 0
  const left = survivors === 0 ? [] : [`${survivors} processes that outlived the agent were ended`]
  const odd = watch?.unbelieved ?? []
  const unbelieved =
    odd.length === 0 ? [] : [`the program told what cannot be, which counts as unknown: ${odd.join(", ")}`]
  const servers = watch?.tally.failedServers ?? []
  const unserved = servers.length === 0 ? [] : [`the program could not start its MCP servers: ${servers.join(", ")}`]
  const alone =
    outcome.unconnected && verdict.status === "completed"
      ? [`the agent never connected to the shared memory – see what ${job.spec.tool} says of its MCP servers`]
      : []
  return {
    ...unattempted(job, { status: verdict.status, reason: verdict.reason, error: verdict.error }, duration),
    result: verdict.text,
    warnings: [...verdict.warnings, ...left, ...unbelieved, ...unserved, ...alone],
    usage: watch?.tally.usage ?? null,
    sessionId: watch?.tally.sessionId ?? null,
    filesChanged: outcome.filesChanged,
    denials: watch?.tally.denials ?? [],
    memory: outcome.memory,
    evidence: outcome.evidence
  }
}

/** Runs the next attempt of a claimed job and says what follows; nothing is stored yet. */
export const run = (
  shop: attempt.Shop,
  journal: JobQueueService,
  job: Job,
  control: Control
): Effect.Effect<Step, StorageError, AgentProcess | RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const of = { jobId: job.jobId, agentId: job.spec.agentId }
    control.tell({ kind: "jobStarted", at: control.wall(), ...of, attempt: job.attempts })
    const identity = yield* identityOf(job)
    // The plan was checked when the job was submitted; a program may be gone by now.
    const planned = yield* Effect.either(Effect.zipRight(confined(job.spec), plan(job.spec)))
    if (Either.isLeft(planned)) {
      const outcome = attempt.notStarted(job.spec.tool, planned.left.message)
      return yield* follow(shop, job, { outcome, plan: null, control })
    }
    const { budget } = job.spec
    const before = budget === null ? none : yield* journal.spent(job.jobId)
    const overspent = (usage: Usage) => budget !== null && part(budget, plus(before, usage)) >= 1
    const outcome = yield* attempt.run(shop, {
      ...planned.right,
      job,
      identity,
      stop: control.stop,
      overspent,
      onEvent: (event) => control.tell({ kind: "agentEvent", at: control.wall(), ...of, event }),
      // A process whose identity could not be written down is followed and ended all the same.
      onProcess: (process) => Effect.ignore(journal.identify(job.jobId, job.attempts, process))
    })
    const spent = outcome.watch?.tally.usage ?? null
    return yield* follow(shop, job, {
      outcome,
      plan: planned.right,
      control,
      ...(spent !== null && overspent(spent) ? { final: true } : {})
    })
  })

const none = { costUsd: 0, tokens: 0 }

/** What follows from the outcome of an attempt, however it was come by. */
export const follow = (
  shop: attempt.Shop,
  job: Job,
  of: {
    readonly outcome: attempt.AttemptOutcome
    readonly plan: Plan | null
    readonly control: Control
    /** There is no other attempt: its budget is spent. */
    readonly final?: boolean
  }
): Effect.Effect<Step> =>
  Effect.gen(function* () {
    const { control, outcome, plan } = of
    const stopped = yield* Deferred.poll(control.stop)
    const stop = Option.isSome(stopped) ? yield* stopped.value : undefined
    if (stop === "lost") return { kind: "lost" }
    // An attempt that ended by itself just before its run was interrupted has another one in the next process.
    const wanted = (stop === undefined || stop === "interrupted") && of.final !== true
    const next = wanted ? yield* another(job, plan?.adapter, outcome, control) : null
    if (next !== null && next !== "refused") return yield* attempt.redactorOf(shop.workplace, job).value(next)

    const result = yield* attempt.redactorOf(shop.workplace, job).value(resultOf(job, outcome, control.elapsed()))
    const resumable = result.status === "cancelled" && stop === "interrupted"
    const told = resumable ? { ...result, error: interruptedText(job) } : result
    const warnings = job.spec.memory
      ? yield* remember(shop.store, yield* identityOf(job), job, told, plan?.role.outcome ?? "error")
      : []
    const refused =
      next === "refused" ? ["not tried again, for the run has used up its further attempts (runRetries)"] : []
    return { kind: "ended", result: { ...told, warnings: [...told.warnings, ...refused, ...warnings] }, resumable }
  })

export const interruptedText = (job: Job): string => `its run was interrupted – resume ${job.runId} goes on with it`

/** What a session that ended in this way is no good for going on from. */
const poisoned: ReadonlySet<FailureClass> = new Set(["context", "auth", "permission", "turns"])
/** Passing failures of a provider: the same conversation may go on. */
const passing: ReadonlySet<FailureClass> = new Set(["rate", "server", "network"])

/** Whether and how the job is tried again; `refused`: it would be, had the run not used up its further attempts. */
const another = (
  job: Job,
  adapter: ToolAdapter | undefined,
  { short, verdict, watch }: attempt.AttemptOutcome,
  { retries, wall }: Control
): Effect.Effect<Step | "refused" | null> =>
  Effect.gen(function* () {
    const now = wall()
    const { cause, reason } = verdict
    if (reason === null || verdict.status === "completed" || job.attempts >= maxAttempts) return null
    const worked = (watch?.tally.toolCalls ?? 0) > 0
    const session =
      worked && adapter?.capabilities.resume === true && !poisoned.has(cause?.class ?? "other")
        ? (watch?.tally.sessionId ?? null)
        : null
    const failure = { reason, error: verdict.error ?? reason, session, usage: watch?.tally.usage ?? null }
    if (short) {
      const delay = Math.min(30_000, retryDelayMillis * 2 ** Math.max(0, job.attempts - job.charged))
      return { kind: "again", interruption: { reason, error: failure.error, charged: false, delay } }
    }
    const resetsAt = cause?.class === "quota" ? (cause.resetsAt ?? resetTime(cause.message, now)) : undefined
    if (cause !== null && resetsAt !== undefined) {
      // A wall that stands whenever its time is over is tried less and less often.
      const often = Math.min(maxAfterReset, afterReset * 2 ** (job.attempts - job.charged))
      const until = Math.min(Math.max(resetsAt + afterReset, now + often), now + maxParking)
      return { kind: "parked", interruption: { ...failure, charged: false }, until, message: cause.message }
    }
    if (job.charged > job.spec.retries) return null
    const goesOn = session !== null && cause !== null && passing.has(cause.class)
    if (!verdict.retryable && !goesOn) return null
    if (!retries.take()) return "refused"
    const longest = Math.min(maxRetryDelayMillis, retryDelayMillis * 2 ** (job.charged - 1))
    const delay = Math.round(longest * (yield* Random.nextRange(0.5, 1)))
    return { kind: "again", interruption: { ...failure, delay } }
  })

/** A journal that cannot be written for a moment (a full disk, a lock) costs nothing that is done. */
const patience = Schedule.spaced("1 second").pipe(Schedule.intersect(Schedule.recurs(30)))
export const firmly = <A, E extends LeaseLost | StorageError>(write: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.retry(write, { schedule: patience, while: (error) => error._tag === "StorageError" && error.gone !== true })
