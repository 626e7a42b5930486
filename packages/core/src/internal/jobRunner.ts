/** One claimed job through one attempt to what follows from it: a stored result, or another attempt. */
import type { Identity } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Namespace from "@contextfs/memory/Namespace"
import * as Redaction from "@contextfs/memory/Redaction"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import type { AgentProcess } from "../AgentProcess.js"
import type { Job, JobResult } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import type { RunEvent } from "../Orchestrator.js"
import type { Workplace } from "../Workplace.js"
import * as attempt from "./attempt.js"
import * as attemptFiles from "./attemptFiles.js"
import { remember } from "./outcome.js"
import { plan } from "./plan.js"

/** Before the second attempt; doubles from there, with jitter. */
const retryDelayMillis = 1_000
const maxRetryDelayMillis = 60_000

export interface Control {
  readonly cancelled: Deferred.Deferred<void>
  /** Seconds since the first attempt began. */
  readonly elapsed: () => number
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  readonly tell: (event: RunEvent) => void
}

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
  const servers = watch?.tally.failedServers ?? []
  const unserved = servers.length === 0 ? [] : [`the program could not start its MCP servers: ${servers.join(", ")}`]
  const alone =
    outcome.unconnected && verdict.status === "completed"
      ? [`the agent never connected to the shared memory – see what ${job.spec.tool} says of its MCP servers`]
      : []
  return {
    ...unattempted(job, { status: verdict.status, reason: verdict.reason, error: verdict.error }, duration),
    result: verdict.text,
    warnings: [...verdict.warnings, ...left, ...unserved, ...alone],
    usage: watch?.tally.usage ?? null,
    sessionId: watch?.tally.sessionId ?? null,
    filesChanged: outcome.filesChanged,
    denials: watch?.tally.denials ?? [],
    memory: outcome.memory,
    evidence: outcome.evidence
  }
}

/** The stored result of a job that has ended, or null where it waits for another attempt. */
export const run = (
  shop: attempt.Shop,
  journal: JobQueueService,
  job: Job,
  control: Control
): Effect.Effect<JobResult | null, StorageError, AgentProcess | RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const { agentId } = job.spec
    const of = { jobId: job.jobId, agentId }
    control.tell({ kind: "jobStarted", at: control.wall(), ...of, attempt: job.attempts })

    const identity = yield* identityOf(job)
    // The plan was checked when the job was submitted; a program may be gone by now.
    const planned = yield* Effect.either(plan(job.spec))
    const outcome = Either.isLeft(planned)
      ? attempt.notStarted(job.spec.tool, planned.left.message)
      : yield* attempt.run(shop, {
          ...planned.right,
          job,
          identity,
          cancelled: control.cancelled,
          onEvent: (event) => control.tell({ kind: "agentEvent", at: control.wall(), ...of, event }),
          // A process whose identity could not be written down is followed and ended all the same.
          onProcess: (process) => Effect.ignore(journal.identify(job.jobId, job.attempts, process))
        })
    const { verdict } = outcome
    const redactor = outcome.redactor ?? Redaction.make(shop.workplace.env, job.spec.settings.env ?? {}, job.spec.env)
    const { dataDir } = shop.workplace
    // What is told is stored by then; of files that could not be redacted now the next start takes care.
    const redactFiles = Effect.ignore(
      attemptFiles.redact(dataDir, { runId: job.runId, jobId: job.jobId, attempt: job.attempts }, redactor)
    )

    if (verdict.retryable && verdict.reason !== null && job.attempts <= job.spec.retries) {
      const failure = { reason: verdict.reason, error: yield* redactor.thorough(verdict.error ?? verdict.reason) }
      const stopped = yield* pause(job.attempts, control.cancelled)
      if (!stopped) {
        yield* journal.retry(job.jobId, job.attempts, failure).pipe(Effect.catchTag("LeaseLost", Effect.die))
        yield* redactFiles
        control.tell({ kind: "jobRetrying", at: control.wall(), ...of, ...failure })
        return null
      }
    }

    const result = yield* redactor.value(resultOf(job, outcome, control.elapsed()))
    const completedAs = Either.isRight(planned) ? planned.right.role.outcome : "error"
    const warnings = job.spec.memory ? yield* remember(shop.store, identity, job, result, completedAs) : []
    return yield* Effect.zipLeft(
      settle(journal, { ...result, warnings: [...result.warnings, ...warnings] }),
      redactFiles
    )
  })

/** Stored before it is told. Nobody else settles the jobs of our run: a lost lease is a bug. */
export const settle = (journal: JobQueueService, result: JobResult): Effect.Effect<JobResult, StorageError> =>
  journal.settle(result).pipe(Effect.as(result), Effect.catchTag("LeaseLost", Effect.die))

/** Waits before the next attempt; true where the job was cancelled meanwhile. */
const pause = (attempts: number, stop: Deferred.Deferred<void>): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const longest = Math.min(maxRetryDelayMillis, retryDelayMillis * 2 ** (attempts - 1))
    const part = yield* Random.nextRange(0.5, 1)
    return yield* Effect.raceFirst(
      Effect.as(Effect.interruptible(Deferred.await(stop)), true),
      Effect.as(Effect.interruptible(Effect.sleep(Duration.millis(longest * part))), false)
    )
  })
