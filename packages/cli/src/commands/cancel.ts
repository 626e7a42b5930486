import * as Effect from "effect/Effect"
import { argument, type Command } from "../Command.js"
import { clean } from "../internal/clean.js"
import { plural } from "../internal/format.js"
import * as parameters from "../internal/parameters.js"
import { dataDir } from "../internal/store.js"

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
      const count = yield* Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.cancel(wanted)).pipe(
        Effect.provide(Live.layer({ dataDir: dataDir(session), directory: session.cwd, env: session.env }))
      )
      const text =
        count === 0
          ? `nothing of ${clean(wanted)} was cancelled: it had ended, or was done first\n`
          : `${plural(count, "job")} of ${clean(wanted)} cancelled\n`
      return { text, json: { id: wanted, cancelled: count } }
    })
}
