/** A run that outlives the command that asked for it: a `resume` of its own, in a session of its own, that nobody waits for. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { isAlive, isStopped, type ProcessIdentity } from "@contextfs/core/AgentProcess"
import { JobQueue, type Run } from "@contextfs/core/JobQueue"
import { type NotFound, RunOwned } from "@contextfs/core/OrchestratorError"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Conflict, exitCodes, Supervisor } from "../CliError.js"
import type { Session } from "../Session.js"
import { statusOf } from "./runState.js"
import { dataDir } from "./store.js"

/** What the supervisor says, as `run` would have. */
export const logFile = (session: Session, runId: string): string =>
  path.join(dataDir(session), "runs", runId, "supervisor.log")

/** Between two looks whether it has taken the run over. */
const betweenLooks = "50 millis"

/** How a supervisor is told from whom it takes the run over: what another has taken meanwhile is not its own to take. */
const variable = "CONTEXTFS_TAKES_OVER"

const Owner = Schema.parseJson(
  Schema.Struct({
    pid: Schema.Int,
    startTime: Schema.NullOr(Schema.String),
    bootId: Schema.NullOr(Schema.String)
  })
)

/** From whom this process, if it is a supervisor, takes its run over. */
export const takesOverFrom = ({ env }: Session): ProcessIdentity | undefined =>
  Option.getOrUndefined(Schema.decodeUnknownOption(Owner)(env[variable]))

/** Starts the supervisor and waits until the run is its own; its pid. */
export const launch = (
  session: Session,
  id: string,
  options: ReadonlyArray<string> = []
): Effect.Effect<number, Conflict | NotFound | RunOwned | Supervisor | StorageError, JobQueue> =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const before = yield* journal.run(id)
    const { owner, runId } = before
    if (before.status === "running" && isAlive(owner) === true) return yield* owned(before)
    const child = yield* Effect.try({
      try: () => start(session, before, options),
      catch: (cause) => failure(runId, cause instanceof Error ? cause.message : `${cause}`)
    })
    let ended: { readonly code: number | null; readonly error?: string } | undefined
    child.on("error", ({ message }) => {
      ended = { code: null, error: message }
    })
    child.on("exit", (code) => {
      ended ??= { code }
    })
    for (;;) {
      // First whether it has ended: what it did before that is in the journal.
      const over = ended
      const run = yield* journal.run(runId)
      if (run.owner.pid === child.pid) break
      if (over?.code === exitCodes.conflict) return yield* taken(run)
      if (over !== undefined) {
        const what = over.error ?? lastLine(session, runId) ?? `it ended with exit code ${over.code}`
        return yield* failure(runId, what)
      }
      yield* Effect.sleep(betweenLooks)
    }
    child.unref()
    return child.pid ?? 0
  })

const owned = ({ owner, runId }: Run): RunOwned => new RunOwned({ runId, pid: owner.pid, stopped: isStopped(owner) })

/** Another was faster: it is at work on the run, or is done with it by now. */
const taken = (run: Run): Conflict | RunOwned => {
  const { owner, runId } = run
  const status = statusOf(run)
  return status === "running"
    ? owned(run)
    : new Conflict({
        message: `process ${owner.pid} has taken run ${runId} up meanwhile, and it is ${status} now`,
        hint: `see contextfs orchestrator status ${runId}`
      })
}

const start = (session: Session, { owner, runId }: Run, options: ReadonlyArray<string>): ChildProcess => {
  const file = logFile(session, runId)
  PrivateFiles.folder(dataDir(session), "runs", runId)
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = fs.constants
  const log = fs.openSync(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
  try {
    fs.fchmodSync(log, 0o600)
    const [program = process.execPath, ...args] = session.command
    return spawn(program, [...args, "orchestrator", "resume", runId, ...options], {
      cwd: session.cwd,
      env: { ...session.env, [variable]: Schema.encodeSync(Owner)(owner) },
      // A session of its own: it does not hear the terminal go away.
      detached: true,
      stdio: ["ignore", log, log]
    })
  } finally {
    fs.closeSync(log)
  }
}

const failure = (runId: string, message: string): Supervisor =>
  new Supervisor({ message: `run ${runId} could not be taken up: ${message}`, runId })

const lastLine = (session: Session, runId: string): string | undefined =>
  fs.readFileSync(logFile(session, runId), "utf8").trim().split("\n").at(-1) || undefined
