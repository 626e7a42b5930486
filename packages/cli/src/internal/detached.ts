/** A run that outlives the command that asked for it: a `resume` of its own, in a session of its own, that nobody waits for. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { JobQueue, type JobQueueService } from "@contextfs/core/JobQueue"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Effect from "effect/Effect"
import { Supervisor } from "../CliError.js"
import type { Session } from "../Session.js"
import { dataDir } from "./store.js"

/** What the supervisor says, as `run` would have. */
export const logFile = (session: Session, runId: string): string =>
  path.join(dataDir(session), "runs", runId, "supervisor.log")

/** Between two looks whether it has taken the run over. */
const betweenLooks = "50 millis"

/** Starts the supervisor and waits until the run is its own; its pid. */
export const launch = (
  session: Session,
  runId: string,
  options: ReadonlyArray<string> = []
): Effect.Effect<number, Supervisor | StorageError, JobQueue> =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const child = yield* Effect.try({
      try: () => start(session, runId, options),
      catch: (cause) => failure(runId, cause instanceof Error ? cause.message : `${cause}`)
    })
    let ended: string | undefined
    child.on("error", (error) => {
      ended = error.message
    })
    child.on("exit", (code) => {
      ended ??= lastLine(session, runId) ?? `it ended with exit code ${code}`
    })
    while (!(yield* isOwner(journal, runId, child.pid))) {
      if (ended !== undefined) return yield* failure(runId, ended)
      yield* Effect.sleep(betweenLooks)
    }
    child.unref()
    return child.pid ?? 0
  })

const start = (session: Session, runId: string, options: ReadonlyArray<string>): ChildProcess => {
  const file = logFile(session, runId)
  PrivateFiles.folder(dataDir(session), "runs", runId)
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = fs.constants
  const log = fs.openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
  try {
    fs.fchmodSync(log, 0o600)
    const [program = process.execPath, ...args] = session.command
    return spawn(program, [...args, "orchestrator", "resume", runId, ...options], {
      cwd: session.cwd,
      env: session.env,
      // A session of its own: it does not hear the terminal go away.
      detached: true,
      stdio: ["ignore", log, log]
    })
  } finally {
    fs.closeSync(log)
  }
}

const isOwner = (journal: JobQueueService, runId: string, pid: number | undefined) =>
  journal.run(runId).pipe(
    Effect.map(({ owner }) => owner.pid === pid),
    Effect.catchTag("NotFound", () => Effect.succeed(false))
  )

const failure = (runId: string, message: string): Supervisor =>
  new Supervisor({ message: `run ${runId} could not be taken up: ${message}`, runId })

const lastLine = (session: Session, runId: string): string | undefined =>
  fs.readFileSync(logFile(session, runId), "utf8").trim().split("\n").at(-1) || undefined
