/** The way of `status`: reads the journal, starts nothing, makes nothing. Loaded only by it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, NotFound } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import { style } from "./layout.js"
import { jobState, type RunState, runState, statusOf } from "./runState.js"
import { jobText, type Look, listText, runText } from "./statusText.js"
import { dataDir, readJournal } from "./store.js"

const lookOf = (session: Session): Effect.Effect<Look> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    style: style(session.stdout.colour),
    columns: session.stdout.columns,
    now
  }))

/** The runs of a project, or of all, newest first. */
export const list = (
  session: Session,
  query: { readonly project: string | undefined; readonly limit: number }
): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { limit, project } = query
    const found = yield* readJournal(session, (journal) =>
      Effect.gen(function* () {
        const runs = yield* journal.runs({ limit, ...(project === undefined ? {} : { project }) })
        // A run of the list is there.
        const states = yield* Effect.forEach(runs, (run) => runState(journal, run, dataDir(session)))
        return { runs: states, parked: yield* journal.parked }
      }).pipe(Effect.catchTag("NotFound", (gone) => Effect.die(gone)))
    )
    const { parked, runs } = Option.getOrElse(found, () => ({ runs: [], parked: [] }))
    const where = project === undefined ? "" : ` in project ${clean(project)}`
    return {
      text:
        runs.length === 0 ? `no runs${where}\n` : listText(runs, parked, yield* lookOf(session), project === undefined),
      json: { project: project ?? null, runs: runs.map(withoutResults), parked }
    }
  })

/** What the agents answered is told of one run or job, not of all. */
const withoutResults = ({ jobs, ...run }: RunState) => ({ ...run, jobs: jobs.map(({ result: _, ...job }) => job) })

/** One run or one job in full. */
export const one = (session: Session, id: string): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const unknown = new NotFound({
      message: `no run or job ${JSON.stringify(id)}`,
      hint: "contextfs orchestrator status --all lists them"
    })
    const look = yield* lookOf(session)
    const found = yield* readJournal(session, (journal) => {
      const run = Effect.gen(function* () {
        const state = yield* runState(journal, yield* journal.run(id), dataDir(session))
        return { text: runText(state, look), json: state }
      })
      const job = Effect.gen(function* () {
        const job = yield* journal.job(id)
        const attempts = yield* journal.attempts(id)
        const status = statusOf(yield* journal.run(job.runId))
        const state = jobState(job, attempts, { dataDir: dataDir(session), status, now: look.now })
        return { text: jobText(state, attempts, look), json: { ...state, attemptRecords: attempts } }
      })
      return run.pipe(
        Effect.catchTag("NotFound", () => job),
        Effect.catchTag("NotFound", () => Effect.fail(unknown))
      )
    })
    return yield* Option.isNone(found) ? Effect.fail(unknown) : Effect.succeed(found.value)
  })
