import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.js"
import { type Command, flag, optionalArgument } from "../Command.js"
import * as parameters from "../internal/parameters.js"

const where = "contextfs orchestrator status"
const id = optionalArgument({ name: "ID", help: "Run or job to show in full", completes: "job" })
const limit = parameters.limit("l", 1000, 10)
const all = flag({ name: "all", help: "Runs of all projects" })

export const status: Command = {
  name: "status",
  summary: "Show runs and their agents, newest first, or one of them in full",
  parameters: [id, parameters.project, limit, all, parameters.json],
  examples: [
    ["contextfs orchestrator status", "What runs, what ran, what can be gone on with"],
    ["contextfs orchestrator status dtp1bfzn", "One run in full"],
    ["contextfs orchestrator status dtp1bfzn-2", "One agent's job: attempts, evidence, logs, result"]
  ],
  details: [
    "A run whose process is gone is shown as interrupted, with the command that goes on with it. Only reads: nothing is started, ended or marked."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      if (given(all) && given(parameters.project) !== undefined) {
        return yield* new UsageError({ message: "--all and --project exclude each other", where, hint: "choose one" })
      }
      const { list, one } = yield* Effect.promise(() => import("../internal/status.js"))
      const wanted = given(id)
      if (wanted !== undefined) return yield* one(session, wanted)
      const project = given(all) ? undefined : parameters.projectOf(given(parameters.project), session)
      return yield* list(session, { project, limit: given(limit) ?? 10 })
    })
}
