/** What runs have left behind whose orchestrating process died without a word: found by identity, never by a pid alone. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ProcessIdentity } from "../AgentProcess.js"
import { isOver, type RunId } from "../Job.js"
import type { JobQueueService, Run } from "../JobQueue.js"
import type { WorkplaceService } from "../Workplace.js"
import { redactorOf } from "./attempt.js"
import * as attemptFiles from "./attemptFiles.js"
import * as givenFiles from "./givenFiles.js"
import { markerVariable } from "./marker.js"
import * as procfs from "./procfs.js"
import { runtimeDirPrefix } from "./runtimeDir.js"

const kill = (target: number): void => {
  try {
    process.kill(target, "SIGKILL")
  } catch {
    // Gone already, or not ours to end.
  }
}

/** Ends what is left of every run whose owner is dead, and marks the run interrupted. */
export const endLeftovers = (journal: JobQueueService): Effect.Effect<void, StorageError> =>
  Effect.gen(function* () {
    for (const run of yield* journal.runs({ status: "running", limit: 1000 })) {
      // Where nobody can tell whether the owner lives, nothing is done.
      if (procfs.isAlive(run.owner) !== false) continue
      const agents = yield* journal.bury(run.runId, run.owner)
      yield* endLeftoversOf(run, agents)
    }
  })

/**
 * Ends what a dead owner of the run has left: the processes that the journal knew, all that carry its marker, its folder.
 * One that lives has ended its agents itself, and may be at work on other runs with the same marker in the same folder.
 */
export const endLeftoversOf = (run: Run, agents: ReadonlyArray<ProcessIdentity>): Effect.Effect<void> =>
  Effect.sync(() => {
    if (procfs.isAlive(run.owner) === true) return
    for (const agent of agents) if (procfs.isAlive(agent) === true) kill(-agent.pid)
    if (run.owner.bootId === procfs.bootId()) killMarked(run.marker)
    removeRuntimeDir(run)
  })

/** Redacts the files of attempts whose orchestrator died before it could. Those of a run that goes on are its owner's. */
export const redactLeftovers = (
  workplace: WorkplaceService,
  journal: JobQueueService
): Effect.Effect<void, StorageError> =>
  Effect.gen(function* () {
    const running = new Map<RunId, boolean>()
    for (const { attempt, jobId, runId } of attemptFiles.raw(workplace.dataDir)) {
      if (!running.has(runId)) {
        const run = yield* Effect.option(Effect.catchTag(journal.run(runId), "StorageError", Effect.die))
        running.set(runId, Option.isSome(run) && run.value.status === "running")
      }
      if (running.get(runId) === true) continue
      const job = yield* Effect.option(Effect.catchTag(journal.job(jobId), "StorageError", Effect.die))
      // Of a job that nobody knows, the shapes of its secrets.
      const redactor = Option.isSome(job) ? redactorOf(workplace, job.value) : Redaction.make(workplace.env)
      yield* Effect.ignore(attemptFiles.redact(workplace.dataDir, { runId, jobId, attempt }, redactor))
      if (Option.exists(job, isOver)) yield* givenFiles.forget(workplace.dataDir, { runId, jobId })
    }
  })

/** Removes what jobs were given whose process died before it had stored them. A dead one stores nothing any more. */
export const forgetUnstored = (dataDir: string, journal: JobQueueService): Effect.Effect<void, StorageError> =>
  Effect.gen(function* () {
    for (const job of givenFiles.unstored(dataDir)) {
      if (procfs.isAlive(job.owner) !== false) continue
      const known = yield* journal.job(job.jobId).pipe(
        Effect.asSome,
        Effect.catchTag("NotFound", () => Effect.succeedNone)
      )
      yield* Effect.sync(() =>
        Option.isSome(known) ? givenFiles.stored(dataDir, job) : givenFiles.withdraw(dataDir, job)
      )
    }
  })

const killMarked = (marker: string): void => {
  for (const [value, pids] of procfs.byVariable(markerVariable)) {
    if (value.startsWith(`${marker}-`)) for (const pid of pids) kill(pid)
  }
}

/** Only a folder that looks like one of ours, and that is no link. */
const removeRuntimeDir = ({ runtimeDir }: Run): void => {
  const stat = fs.lstatSync(runtimeDir, { throwIfNoEntry: false })
  const ours = stat?.isDirectory() === true && stat.uid === process.getuid?.()
  if (ours && path.basename(runtimeDir).startsWith(runtimeDirPrefix)) {
    fs.rmSync(runtimeDir, { recursive: true, force: true })
  }
}
