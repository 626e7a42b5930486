import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { Named } from "@contextfs/memory/MemoryModule"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import { isOver, isTerminal, type Job, type JobResult, RunId } from "../Job.js"
import { JobQueue, type Run, type RunSettings } from "../JobQueue.js"
import type { ResumeOptions, RunOptions, RunResult, SharedFile } from "../Orchestrator.js"
import { type NotFound, PolicyRefused } from "../OrchestratorError.js"
import type * as RunConfig from "../RunConfig.js"
import * as WorkerQueue from "../WorkerQueue.js"
import * as git from "./git.js"
import { cancelled, unattempted } from "./jobRunner.js"
import { endLeftoversOf } from "./leftovers.js"
import { store } from "./openQueue.js"
import { realPath } from "./overlap.js"
import { checkDecisions } from "./reconcile.js"
import { isAtWork, self, statusOf } from "./runOwner.js"

/** What a run was asked for beside its jobs, as the journal keeps it for `resume`. */
const Settings = Schema.Struct({
  workers: Schema.Int,
  wait: Schema.Boolean,
  failFast: Schema.Boolean,
  overlap: WorkerQueue.OverlapPolicy,
  budget: Schema.NullOr(WorkerQueue.RunBudget),
  runTimeout: Schema.NullOr(Schema.Number),
  runRetries: Schema.optionalWith(Schema.NullOr(Schema.Int), { exact: true, default: () => null }),
  memoryModule: Schema.optionalWith(
    Schema.Struct({
      module: Schema.String,
      directory: Schema.String,
      options: Schema.optionalWith(Schema.Unknown, { exact: true })
    }),
    { exact: true }
  )
})

/** The module of the memory backend that a run was begun with. */
export const memoryModuleOf = ({ settings }: Run): Named | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(Settings)(settings))?.memoryModule

const settingsOf = (config: RunConfig.RunConfig, options: RunOptions): RunSettings =>
  Schema.encodeSync(Settings)({
    workers: config.workers,
    wait: options.wait ?? true,
    failFast: options.failFast ?? false,
    overlap: config.overlap,
    budget: config.budget,
    runTimeout: options.runTimeout ?? config.runTimeout,
    runRetries: config.runRetries,
    ...(options.memoryModule === undefined ? {} : { memoryModule: options.memoryModule })
  })

const opening = (config: RunConfig.RunConfig, options: RunOptions): WorkerQueue.Options => ({
  ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  project: config.project,
  jobs: config.jobs,
  numWorkers: config.workers,
  wait: options.wait ?? true,
  failFast: options.failFast ?? false,
  overlap: config.overlap,
  budget: config.budget,
  runRetries: config.runRetries,
  settings: settingsOf(config, options)
})

/** One queue takes all jobs and is closed behind us. */
export const run = (config: RunConfig.RunConfig, options: RunOptions = {}) =>
  collect(WorkerQueue.make(opening(config, options)), { runTimeout: config.runTimeout, ...options })

export const enqueue = (config: RunConfig.RunConfig, options: RunOptions = {}) =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const { runId } = yield* store(opening(config, options))
    yield* journal.close(runId, "interrupted")
    return runId
  })

/** Goes on as the run was asked for, unless told otherwise. */
export const resume = (runId: string, { from, ...options }: ResumeOptions = {}) =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const { settings } = yield* journal.run(runId)
    // A library's queue that nobody has given a job yet: here nobody would, and it would be told as completed.
    if (Object.values(yield* journal.counts(RunId.make(runId))).every((many) => many === 0)) {
      return yield* new PolicyRefused({
        message: `run ${runId} has no jobs, so that there is nothing to go on with`,
        hint: "start the run anew"
      })
    }
    yield* checkDecisions(journal, runId, options.decide ?? new Map())
    const asked = Option.getOrUndefined(yield* Effect.option(Schema.decodeUnknown(Settings)(settings)))
    const numWorkers = options.workers ?? asked?.workers
    const queue = WorkerQueue.resume(runId, {
      wait: options.wait ?? asked?.wait ?? true,
      failFast: options.failFast ?? asked?.failFast ?? false,
      overlap: asked?.overlap ?? "warn",
      budget: asked?.budget ?? null,
      runRetries: asked?.runRetries ?? null,
      ...(numWorkers === undefined ? {} : { numWorkers }),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      ...(options.decide === undefined ? {} : { decide: options.decide })
    })
    const resumed = collect(queue, { runTimeout: asked?.runTimeout ?? null, ...options })
    return yield* from === undefined
      ? resumed
      : Effect.provideService(resumed, JobQueue, { ...journal, takeOver: (run) => journal.takeOver(run, from) })
  })

const collect = <E, R>(open: Effect.Effect<WorkerQueue.WorkerQueue, E, R | Scope>, options: RunOptions) =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const clock = yield* Effect.clock
    const begun = clock.unsafeCurrentTimeMillis()
    // The end of the scope ends whoever is still at work; only then is the run over.
    const { parked, queue, shortage, timedOut } = yield* Effect.gen(function* () {
      const queue = yield* open
      const limit = options.runTimeout ?? null
      const ended = limit === null ? yield* Effect.asSome(queue.join) : yield* Effect.timeoutOption(queue.join, limit)
      return { queue, timedOut: Option.isNone(ended), parked: yield* queue.parked, shortage: yield* queue.shortage }
    }).pipe(Effect.scoped)
    const { project, runId } = queue
    const jobs = yield* journal.jobs(runId).pipe(Effect.catchTag("NotFound", Effect.die))
    const { pending, results } = resultsOf(jobs)
    const { status } = yield* journal.run(runId).pipe(Effect.catchTag("NotFound", Effect.die))
    const at = clock.unsafeCurrentTimeMillis()
    options.onEvent?.({ kind: "runEnded", at, runId, status })
    return {
      runId,
      project,
      status,
      duration: (at - begun) / 1_000,
      results,
      pending,
      parked: status === "interrupted" && !timedOut ? parked : [],
      shortage: status === "interrupted" && !timedOut ? shortage : null,
      timedOut,
      shared: yield* Effect.sync(() => sharedFiles(results)),
      spent: yield* journal.spent(runId)
    } satisfies RunResult
  })

export const resultsOf = (jobs: ReadonlyArray<Job>): Pick<RunResult, "results" | "pending"> => ({
  results: jobs.flatMap(({ result }) => (result === null ? [] : [result])),
  pending: jobs.flatMap(({ jobId, result, spec: { agentId, directory, parent, role, tool } }) =>
    result === null ? [{ jobId, agentId, role, tool, directory, parent }] : []
  )
})

/** A repository is looked at as a whole, so only what lies in the folder of each of them says something of them. */
const sharedFiles = (results: ReadonlyArray<JobResult>): ReadonlyArray<SharedFile> => {
  const agents = new Map<string, Array<string>>()
  for (const { agentId, directory, filesChanged } of results) {
    const repository = filesChanged === null ? null : git.repositoryOf(directory)
    if (filesChanged === null || repository === null) continue
    const place = `${realPath(directory)}${path.sep}`
    for (const name of filesChanged) {
      const file = path.join(realPath(repository), name)
      if (file.startsWith(place)) agents.set(file, [...(agents.get(file) ?? []), agentId])
    }
  }
  return [...agents].flatMap(([file, by]) => (by.length > 1 ? [{ file, agents: by }] : []))
}

const cancelledUnheard = {
  ...cancelled,
  error: "cancelled while nobody was at work on its run – run it anew if it is still wanted"
}

export const cancel = (id: string): Effect.Effect<number, NotFound | StorageError, JobQueue> =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const run = yield* journal
      .run(id)
      .pipe(Effect.catchTag("NotFound", () => Effect.flatMap(journal.job(id), ({ runId }) => journal.run(runId))))
    // Agents that are told to end may be done all the same: only the record says what became of them.
    const of = Effect.map(journal.jobs(run.runId), (jobs) => jobs.filter((job) => id === job.jobId || id === job.runId))
    const open = new Set((yield* of).flatMap((job) => (isOver(job) ? [] : [job.jobId])))
    const count = Effect.map(
      of,
      (jobs) => jobs.filter((job) => open.has(job.jobId) && job.status === "cancelled").length
    )
    if ((yield* journal.requestCancel(id)) === 0) return yield* count
    for (;;) {
      if (!(yield* journal.cancelRequests(run.runId)).some((jobId) => open.has(jobId))) return yield* count
      if (!(yield* isAtWork(yield* journal.run(run.runId)))) break
      yield* Effect.sleep("100 millis")
    }
    // Nobody is there to hear it.
    const left = yield* journal.takeOver({ ...run, owner: yield* self }, run.owner).pipe(Effect.option)
    if (Option.isNone(left)) return yield* count
    yield* endLeftoversOf(run, left.value)
    const now = yield* Clock.currentTimeMillis
    for (const job of yield* of) {
      if (isTerminal(job.status)) continue
      const [first] = yield* journal.attempts(job.jobId)
      const duration = first === undefined ? 0 : (now - first.startedAt) / 1_000
      yield* Effect.ignore(journal.settle(unattempted(job, cancelledUnheard, duration)))
    }
    const counts = yield* journal.counts(run.runId)
    yield* journal.close(run.runId, counts.pending + counts.running > 0 ? "interrupted" : statusOf(counts))
    return yield* count
  })
