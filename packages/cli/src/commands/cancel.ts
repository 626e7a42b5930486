import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { NotFound } from "../CliError.js"
import { argument, type Command } from "../Command.js"
import { show } from "../internal/argv.js"
import { clean } from "../internal/clean.js"
import { plural } from "../internal/format.js"
import * as parameters from "../internal/parameters.js"
import { dataDir, readJournal } from "../internal/store.js"
import type { Session } from "../Session.js"

const id = argument({
  name: "ID",
  help: "Job, or run with all its jobs: see contextfs orchestrator status",
  completes: "job"
})

export const cancel: Command = {
  name: "cancel",
  summary: "End a job, or all jobs of a run, wherever it was started",
  parameters: [id, parameters.json],
  examples: [
    ["contextfs orchestrator cancel dtp1bfzn-2", "One agent"],
    ["contextfs orchestrator cancel dtp1bfzn", "A whole run"]
  ],
  details: [
    "The process that runs it sees the word within a second and ends the agent with its grace; where that process is dead, what it has left is ended here. Other jobs of the run go on. What had ended stays as it was."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const Live = yield* Effect.promise(() => import("@contextfs/core/Live"))
      const { Orchestrator } = yield* Effect.promise(() => import("@contextfs/core/Orchestrator"))
      const wanted = given(id)
      const waits = Effect.map(ownerOf(wanted, session), (owner) =>
        session.note(
          `waiting until the process that runs ${clean(wanted)} has ended it${owner}; Ctrl-C takes nothing back`
        )
      )
      yield* Effect.ignore(waits).pipe(Effect.delay("10 seconds"), Effect.fork)
      const count = yield* Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.cancel(wanted)).pipe(
        Effect.provide(Live.layer({ dataDir: dataDir(session), directory: session.cwd, env: session.env })),
        Effect.catchTag("NotFound", ({ id }) =>
          Effect.fail(
            new NotFound({
              message: `no run or job ${show(id)}`,
              hint: "contextfs orchestrator status --all lists them"
            })
          )
        )
      )
      const text =
        count === 0
          ? `nothing to cancel: ${clean(wanted)} ${yield* stateOf(wanted, session)}\nlook    contextfs orchestrator status ${clean(wanted)}\n`
          : `${plural(count, "job")} of ${clean(wanted)} cancelled\n`
      return { text, json: { id: wanted, cancelled: count } }
    })
}

/** What is to be said of the process that runs a run or job: whether somebody has to wake it. */
const ownerOf = (id: string, session: Session) =>
  Effect.gen(function* () {
    const { isStopped } = yield* Effect.promise(() => import("@contextfs/core/AgentProcess"))
    const found = yield* readJournal(session, (journal) =>
      Effect.catchTag(journal.run(id), "NotFound", () =>
        Effect.flatMap(journal.job(id), ({ runId }) => journal.run(runId))
      )
    )
    return Option.match(
      Option.filter(found, ({ owner }) => isStopped(owner)),
      {
        onNone: () => "",
        onSome: ({ owner: { pid } }) => `: process ${pid}, which is stopped (kill -CONT ${pid} wakes it)`
      }
    )
  })

/** Of a run or job of which nothing is at work or waiting. */
const stateOf = (id: string, session: Session) =>
  readJournal(session, (journal) =>
    Effect.catchTag(journal.run(id), "NotFound", () => journal.job(id)).pipe(
      Effect.map(({ status }) => `ended before: ${status}`),
      Effect.catchTag("NotFound", () => Effect.succeed("has ended"))
    )
  ).pipe(Effect.map(Option.getOrElse(() => "has ended")))
