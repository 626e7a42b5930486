import type { Command } from "../Command.js"
import { ofAgents } from "../internal/ofAgents.js"
import * as parameters from "../internal/parameters.js"
import * as scope from "../internal/scope.js"

const limit = parameters.limit("l", 1000, 20)

export const errors: Command = {
  name: "errors",
  summary: "List the errors that agents reported, newest first",
  parameters: [parameters.project, limit, scope.run, parameters.memory, parameters.memoryOptions, parameters.json],
  examples: [["contextfs orchestrator errors --project myproject", "What went wrong in a project"]],
  details: [
    "Shows id, type, role, time (in a pipe as UTC), tags and summary, once for each memory that is neither superseded nor deleted. contextfs memory recall ID shows one in full."
  ],
  run: (given, session) => {
    const about = scope.of({ project: given(parameters.project), run: given(scope.run) }, session)
    return ofAgents(session, about, { limit: given(limit) ?? 20, types: ["error"] }, "no errors")
  }
}
