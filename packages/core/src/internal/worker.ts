/** A worker's part in one claimed job: the attempt, then what follows from it, stored before it is told. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { AgentProcess } from "../AgentProcess.js"
import type { JobResult } from "../Job.js"
import type { Claimed } from "../JobQueue.js"
import type { LeaseLost } from "../OrchestratorError.js"
import type { Workplace } from "../Workplace.js"
import { redactFiles, type Stop } from "./attempt.js"
import type { Desk } from "./desk.js"
import { firmly, run as runJob, type Step, unattempted } from "./jobRunner.js"

/** From the claim to the record; nothing of it is cut. */
export const runOne = (desk: Desk, job: Claimed): Effect.Effect<void, never, AgentProcess | RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const { board, journal, now, probes, retries, room, shop, tell, wall } = desk
    const stop = yield* Deferred.make<Stop>()
    board.running.set(job.jobId, { stop })
    if (board.unwanted.delete(job.jobId) || board.culprit !== undefined) yield* Deferred.succeed(stop, "cancelled")
    else if (board.closed) yield* Deferred.succeed(stop, "interrupted")
    if (!board.begun.has(job.jobId)) board.begun.set(job.jobId, now())
    yield* room.leave(job.jobId)
    const elapsed = () => desk.elapsed(job.jobId)
    const control = { stop, elapsed, wall, retries, tell: yield* probes.telling(job, tell) }
    const step = yield* runJob(shop, journal, job, control).pipe(
      // Even our own bug leaves a result, and leaves the other jobs alone.
      Effect.catchAllDefect((defect) =>
        Effect.succeed<Step>({
          kind: "ended",
          result: unattempted(job, reasonOf(defect, shop.workplace.dataDir), elapsed()),
          resumable: false
        })
      )
    )
    board.running.delete(job.jobId)
    yield* take(desk, job, step).pipe(Effect.catchTag("LeaseLost", () => lose(desk)))
  }).pipe(
    Effect.ensuring(
      Effect.suspend(() => {
        desk.board.used -= 1
        desk.board.held.delete(job.jobId)
        return desk.changes.tell
      })
    ),
    // What counts this job would wait for it for ever.
    desk.orBreak,
    Effect.uninterruptible
  )

/** The job is another's. */
const lose = ({ board, changes }: Desk) =>
  Effect.suspend(() => {
    board.submitted -= 1
    return changes.tell
  })

/** Stores what follows from an attempt, then tells it. */
const take = (desk: Desk, job: Claimed, step: Step): Effect.Effect<void, LeaseLost | StorageError> =>
  Effect.gen(function* () {
    const { board, changes, gate, journal, probes, shop, tell, wall } = desk
    board.counts.running -= 1
    if (step.kind === "lost") return yield* lose(desk)
    // One that did its work was not at the wall; of any other nobody knows, and the next one tries.
    if (step.kind === "ended" && step.result.status === "completed") yield* probes.release(job)
    probes.forget(job.jobId)
    if (step.kind === "ended") {
      board.cut ||= step.resumable
      const result = desk.explain(step.result)
      yield* firmly(journal.settle(result, { resumable: step.resumable }))
      yield* redactFiles(shop.workplace, journal, job)
      yield* gate.account
      return yield* desk.finish(result)
    }
    if (step.kind === "parked") {
      const { message, until } = step
      yield* journal.park({ tool: job.spec.tool, until, message })
      tell({ kind: "toolParked", at: wall(), tool: job.spec.tool, until, message })
    }
    yield* firmly(journal.retry(job.jobId, job.attempts, step.interruption))
    yield* redactFiles(shop.workplace, journal, job)
    yield* gate.account
    board.counts.pending += 1
    const { error, reason } = step.interruption
    tell({ kind: "jobRetrying", at: wall(), jobId: job.jobId, agentId: job.spec.agentId, reason, error })
    yield* changes.tell
  })

/** Of what the system says of our own files no program is at fault, nor are we: somebody has taken them away. */
const reasonOf = (defect: unknown, dataDir: string): Pick<JobResult, "status" | "reason" | "error"> => {
  const at = defect instanceof Error && "path" in defect && typeof defect.path === "string" ? defect.path : undefined
  if (defect instanceof Error && at?.startsWith(dataDir) === true) {
    const error = `${defect.message} – in the data folder – see what has removed or replaced it, then run again`
    return { status: "failed", reason: "WorkspaceError", error }
  }
  return {
    status: "failed",
    reason: "Indeterminate",
    error: `internal error of ContextFS, please report it: ${defect}`
  }
}
