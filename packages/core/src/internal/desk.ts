/** What the parts of a queue at work share: its state in step with the journal, who waits for it, and how it is told. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Job, JobResult, JobStatus, RunId } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import type { RunEvent } from "../Orchestrator.js"
import type { Working } from "../WorkerQueue.js"
import type { Shop, Stop } from "./attempt.js"
import * as Changes from "./changes.js"
import * as Probes from "./probes.js"
import * as Room from "./room.js"
import * as RunBudget from "./runBudget.js"
import { statusOf } from "./runOwner.js"
import * as RunRetries from "./runRetries.js"

/** A job whose attempt is at work. */
export interface Running {
  readonly stop: Deferred.Deferred<Stop>
}

/** What this process knows of the run's jobs. Only this process changes them. */
export class Board {
  submitted: number
  /** Nothing begins any more. */
  closed = false
  /** Nothing ends any more, either. */
  over = false
  /** A job was cancelled only because the queue was closed. */
  cut = false
  /** Nothing is left but jobs that wait, and they are not waited for. */
  gaveUp = false
  /** What this machine lacks, where that is why. */
  shortage: string | null = null
  /** Workers at work; one that waits for other jobs has lent itself. */
  used = 0
  /** The agent whose failure ends the run. */
  culprit: string | undefined
  readonly running = new Map<string, Running>()
  /** Claimed here, and what became of it is not stored yet. */
  readonly held = new Set<string>()
  /** Cancelled between their claim and the start of their attempt. */
  readonly unwanted = new Set<string>()
  /** Monotonic milliseconds at the first attempt here of jobs that have begun and not ended. */
  readonly begun = new Map<string, number>()

  constructor(readonly counts: Record<JobStatus, number>) {
    this.submitted = this.ended + counts.pending
  }

  get ended(): number {
    return this.counts.completed + this.counts.failed + this.counts.cancelled + this.counts.timeout
  }

  /** There will be no more results than there are. */
  get isLast(): boolean {
    return this.over || this.gaveUp || this.ended === this.submitted
  }

  /** What the run has come to when its queue is closed. */
  get status() {
    return this.cut || this.submitted > this.ended ? "interrupted" : statusOf(this.counts)
  }
}

export interface Desk {
  readonly runId: RunId
  readonly shop: Shop
  readonly journal: JobQueueService
  readonly board: Board
  readonly changes: Changes.Changes
  readonly gate: RunBudget.Gate
  readonly probes: Probes.Probes
  readonly retries: RunRetries.RunRetries
  readonly room: Room.Room
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Milliseconds since the epoch. */
  readonly wall: () => number
  readonly tell: (event: RunEvent) => void
  /** Seconds since the job's first attempt here; 0 of one that has not begun. */
  readonly elapsed: (jobId: string) => number
  readonly stopAll: (why: Stop) => Effect.Effect<void>
  /** Says of a job that was cancelled for another's sake which one that was. */
  readonly explain: (result: JobResult) => JobResult
  /** Counts and tells a result that is stored. */
  readonly finish: (result: JobResult) => Effect.Effect<void>
  /** Where the effect fails, the queue is broken: nothing more could be written down, so no agent goes on. */
  readonly orBreak: <R>(effect: Effect.Effect<void, StorageError, R>) => Effect.Effect<void, never, R>
}

export const make = (
  shop: Shop,
  journal: JobQueueService,
  runId: RunId,
  jobs: ReadonlyArray<Pick<Job, "charged" | "status">>,
  options: Working
): Effect.Effect<Desk, StorageError, Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000n) / 1_000
    const wall = () => clock.unsafeCurrentTimeMillis()
    const board = new Board({ ...(yield* journal.counts(runId)) })
    const changes = yield* Changes.make

    const tell = (event: RunEvent): void => {
      try {
        options.onEvent?.(event)
      } catch (cause) {
        // The caller's own fault, given back where it waits.
        Deferred.unsafeDone(changes.broken, Effect.die(cause))
      }
    }
    const stopAll: Desk["stopAll"] = (why) =>
      Effect.suspend(() =>
        Effect.forEach(board.running.values(), ({ stop }) => Deferred.succeed(stop, why), { discard: true })
      )
    const breakWith = (broken: Effect.Effect<unknown>) => Effect.asVoid(Effect.zipRight(broken, stopAll("interrupted")))

    return {
      runId,
      shop,
      journal,
      board,
      changes,
      gate: RunBudget.make(journal, runId, options.budget ?? null, (part, spent) =>
        tell({ kind: "budget", at: wall(), part, spent })
      ),
      probes: Probes.make(journal, (tool) =>
        Effect.suspend(() => {
          tell({ kind: "toolReleased", at: wall(), tool })
          return changes.tell
        })
      ),
      retries: RunRetries.make(options.runRetries ?? null, jobs),
      room: Room.make(options.maxQueueSize ?? 0, changes),
      now,
      wall,
      tell,
      elapsed: (jobId) => (now() - (board.begun.get(jobId) ?? now())) / 1_000,
      stopAll,
      explain: (result) =>
        board.culprit === undefined || result.reason !== "JobCancelled"
          ? result
          : { ...result, error: `cancelled because ${board.culprit} did not complete (fail-fast)` },
      finish: (result) =>
        Effect.gen(function* () {
          board.counts[result.status] += 1
          board.begun.delete(result.jobId)
          tell({ kind: "jobEnded", at: wall(), result })
          const fatal = options.failFast === true && result.status !== "completed"
          if (fatal && !board.closed && board.culprit === undefined) {
            board.culprit = result.agentId
            yield* stopAll("cancelled")
          }
          yield* changes.tell
        }),
      orBreak: (effect) =>
        effect.pipe(
          Effect.catchAll((error) => breakWith(Deferred.fail(changes.broken, error))),
          Effect.catchAllDefect((defect) => breakWith(Deferred.die(changes.broken, defect)))
        )
    }
  })
