/** A run in this process: shown while it goes on, ended by signals, and told as what it came to. */
import { AgentProcess } from "@contextfs/core/AgentProcess"
import * as Live from "@contextfs/core/Live"
import { Orchestrator, type RunOptions, type RunResult } from "@contextfs/core/Orchestrator"
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
    const clock = yield* Effect.clock
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
          if (known === undefined) return
          const at = clock.unsafeCurrentTimeMillis()
          const { jobs, spent } = yield* left(session, known.started.runId)
          const sofar = interrupted(known, jobs, spent, at)
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
const left = (session: Session, runId: string) =>
  Effect.flatten(
    readJournal(session, (journal) => Effect.all({ jobs: journal.jobs(runId), spent: journal.spent(runId) }))
  )

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
