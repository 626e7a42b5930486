/** A run in this process: shown while it goes on, ended by signals, and told as what it came to. */
import { AgentProcess, isAlive } from "@contextfs/core/AgentProcess"
import type { Run } from "@contextfs/core/JobQueue"
import * as Live from "@contextfs/core/Live"
import { Orchestrator, type RunOptions, type RunResult } from "@contextfs/core/Orchestrator"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { exitCodes } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { style } from "./layout.js"
import { interrupted, type RunRecord, record } from "./runRecord.js"
import { resumeCommand } from "./runState.js"
import { summary } from "./runSummary.js"
import { dataDir, readJournal } from "./store.js"
import type { Format } from "./views.js"
import * as views from "./views.js"

type Start<E> = (
  orchestrator: typeof Orchestrator.Service,
  options: RunOptions
) => Effect.Effect<RunResult, E, Live.Services>

/** `start` begins or resumes it. The exit code says whether all completed. */
export const perform = <E>(
  session: Session,
  request: { readonly format: Format; readonly live?: Partial<Live.Options> },
  start: Start<E>
): Effect.Effect<Answer, E | Live.Failure> =>
  Effect.gen(function* () {
    const { format } = request
    const begun = yield* Clock.currentTimeMillis
    let known: RunRecord | undefined
    const result = yield* Effect.gen(function* () {
      const orchestrator = yield* Orchestrator
      const { hurry } = yield* AgentProcess
      const view = yield* views.open(session, format)
      session.onSignal(view.ending)
      yield* Effect.forkScoped(Effect.zipRight(session.hurried, hurry))
      return yield* start(orchestrator, {
        onEvent: (event) => {
          known = record(known, event)
          view.event(event, known)
        }
      })
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Live.layer({ dataDir: dataDir(session), directory: session.cwd, env: session.env, ...request.live })
      ),
      Effect.onInterrupt(() =>
        Effect.gen(function* () {
          const sofar = yield* left(session, known, begun)
          session.leave({
            ...answer(sofar, format, session),
            json: withResume(sofar),
            hint: resumeCommand(sofar.runId)
          })
        }).pipe(Effect.ignoreLogged)
      )
    )
    return answer(result, format, session)
  })

/** What an interrupted run has come to: every job that had begun has its record by now. */
const left = (session: Session, known: RunRecord | undefined, begun: number) =>
  readJournal(session, (journal) =>
    Effect.gen(function* () {
      // A run may be stored and not told of yet.
      const { project, runId } =
        known?.started ?? (yield* Effect.flatMap(journal.runs({ limit: 20 }), (runs) => Arr.findFirst(runs, isOurs)))
      const { at } = known?.started ?? { at: begun }
      const [jobs, spent] = yield* Effect.all([journal.jobs(runId), journal.spent(runId)])
      const now = yield* Clock.currentTimeMillis
      return interrupted({ at, project, runId }, jobs, spent, now)
    })
  ).pipe(Effect.flatten)

const isOurs = ({ owner }: Run): boolean => owner.pid === process.pid && isAlive(owner) === true

const withResume = (result: RunResult) => ({
  ...result,
  resume: result.status === "interrupted" ? resumeCommand(result.runId) : null
})

const answer = (result: RunResult, format: Format, session: Session): Answer => {
  const { colour, columns } = session.stdout
  return {
    text: summary(result, style(colour), columns),
    json: format === "jsonl" ? { kind: "result", result: withResume(result) } : withResume(result),
    exitCode: exitCodeOf(result)
  }
}

const exitCodeOf = ({ parked, shortage, status, timedOut }: RunResult): number => {
  if (timedOut) return exitCodes.runTimeout
  if (parked.length > 0 || shortage !== null) return exitCodes.waiting
  return status === "completed" ? exitCodes.completed : exitCodes.failed
}
