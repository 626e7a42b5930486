/** What runs have left behind whose orchestrating process died without a word: found by identity, never by a pid alone. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import type { ProcessIdentity } from "../AgentProcess.js"
import type { JobQueueService, Run } from "../JobQueue.js"
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

/** Ends what a dead owner of the run has left: the processes that the journal knew, all that carry its marker, its folder. */
export const endLeftoversOf = (run: Run, agents: ReadonlyArray<ProcessIdentity>): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const agent of agents) if (procfs.isAlive(agent) === true) kill(-agent.pid)
    if (run.owner.bootId === procfs.bootId()) killMarked(run.marker)
    removeRuntimeDir(run)
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
