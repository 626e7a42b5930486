import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { DurationInput } from "../Duration.js"
import * as jobTable from "../internal/jobTable.js"
import * as promise from "../internal/promise.js"
import type { JobResult } from "../Job.js"
import { QueueClosed } from "../OrchestratorError.js"
import * as RunConfig from "../RunConfig.js"
import * as Core from "../WorkerQueue.js"
import type { AgentInput, Surroundings } from "./Surroundings.js"

export interface WorkerQueueOptions extends Surroundings {
  /** Concurrent agents; default 3. */
  readonly numWorkers?: number
  /** For jobs that name none; a number is seconds. Default: no limit. */
  readonly defaultTimeout?: DurationInput
  /** How many jobs may wait before `submit` does; 0, the default, is "no limit". */
  readonly maxQueueSize?: number
  /** What else a configuration says for all agents, as it stands there: `permission`, `retries`, `grace`, `tools`… */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What `submit` takes beside role, directory and task. */
export type SubmitOptions = Omit<AgentInput, "role" | "directory" | "task" | "taskFile">

/** A job of a queue, as it is at one moment. */
export type Job = jobTable.Job

/** N workers over a queue of jobs. Whoever makes one closes it: by `await using`, or by `close()`. */
export interface WorkerQueue extends AsyncDisposable {
  readonly runId: string
  /**
   * The id of the new job, once it is stored; waits while the queue is full. Rejects with `ConfigError` (every problem at
   * once), `AgentUnavailable`, `PolicyRefused`, `QueueClosed` or `StorageError`: the job has not been taken then.
   */
  readonly submit: {
    (job: AgentInput): Promise<string>
    (role: string, directory: string, task: string, options?: SubmitOptions): Promise<string>
  }
  /** The job as it is now; throws `NotFound` where this queue has none of this id. */
  readonly getJob: (jobId: string) => Job
  /**
   * Ends a pending or running job, and waits until what became of it is stored. True: it was cancelled; false where it had
   * ended before, was done all the same when its agent was told to end, or is unknown.
   */
  readonly cancel: (jobId: string) => Promise<boolean>
  readonly pendingCount: number
  readonly runningCount: number
  /**
   * Results in the order of completion, from the first one on, however late one looks. Ends when every submitted job has
   * ended, jobs submitted meanwhile included. Rejects with `QueueClosed` where the queue is closed before.
   */
  readonly results: () => AsyncIterable<JobResult>
  /** Waits until every submitted job has ended, as `results` does; results in the order of submission. */
  readonly join: () => Promise<ReadonlyArray<JobResult>>
  /** Ends every agent that is still at work and stores its result; jobs that have not begun do not begin. */
  readonly close: () => Promise<void>
}

/** Rejects with `ConfigError` (every problem at once), `ModuleError`, `HostUnfit` or `StorageError`. */
const make = async (options: WorkerQueueOptions = {}): Promise<WorkerQueue> => {
  const { signal } = options
  const scope = Effect.runSync(Scope.make())
  try {
    const queue = await promise.run(Scope.extend(open(options, scope), scope), signal)
    signal?.throwIfAborted()
    return queue
  } catch (error) {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    throw error
  }
}

export const WorkerQueue = { make }

const open = (options: WorkerQueueOptions, scope: Scope.CloseableScope) =>
  Effect.gen(function* () {
    const { signal } = options
    const config = yield* RunConfig.forQueue(
      {
        ...options.settings,
        ...promise.settings(options, { workers: options.numWorkers, timeout: options.defaultTimeout }),
        ...(options.maxQueueSize === undefined ? {} : { maxQueueSize: options.maxQueueSize })
      },
      yield* promise.known(options)
    ).pipe(Effect.mapError(promise.renamed({ workers: "numWorkers", timeout: "defaultTimeout" })))
    const context = yield* Layer.build(promise.layer(options, config))
    const table = jobTable.make()
    const { onEvent } = promise.listener(options)
    const { budget, maxQueueSize, overlap, project, runRetries, workers } = config
    const queue = yield* Core.make({
      project,
      numWorkers: workers,
      maxQueueSize,
      budget,
      runRetries,
      overlap,
      failFast: options.failFast ?? false,
      onEvent: (event) => {
        table.see(event)
        onEvent?.(event)
      }
    }).pipe(Effect.provide(context))

    /** Fails when the queue is closed, dies of the signal's reason when it is aborted. */
    const closed = yield* Deferred.make<never, QueueClosed>()
    let closing: Promise<void> | undefined
    const end = (why: Effect.Effect<never, QueueClosed>): Promise<void> => {
      signal?.removeEventListener("abort", abort)
      closing ??= Effect.runPromise(Effect.zipRight(Deferred.complete(closed, why), Scope.close(scope, Exit.void)))
      return closing
    }
    const close = () => end(new QueueClosed({ message: "the queue is closed" }))
    const abort = () => void end(Effect.die(signal?.reason))
    signal?.addEventListener("abort", abort)
    const whileOpen = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | QueueClosed> =>
      Effect.flatMap(Deferred.isDone(closed), (done) =>
        done ? Deferred.await(closed) : Effect.raceFirst(effect, Deferred.await(closed))
      )

    const submit = (agent: AgentInput) =>
      promise.run(
        config.withJob(promise.written(agent), (spec) =>
          Effect.tap(whileOpen(queue.submit(spec)), (jobId) =>
            Effect.sync(() => table.add({ jobId, runId: queue.runId, spec }))
          )
        )
      )

    const face: WorkerQueue = {
      runId: queue.runId,
      submit: (first: AgentInput | string, directory: string = "", task: string = "", more: SubmitOptions = {}) =>
        submit(typeof first === "string" ? { role: first, directory, task, ...more } : first),
      getJob: table.get,
      cancel: (jobId) => promise.run(whileOpen(queue.cancel(jobId))),
      get pendingCount() {
        return Effect.runSync(queue.pendingCount)
      },
      get runningCount() {
        return Effect.runSync(queue.runningCount)
      },
      results: () => promise.iterate(queue.results, whileOpen),
      join: () => promise.run(whileOpen(queue.join)),
      close,
      [Symbol.asyncDispose]: close
    }
    return face
  })
