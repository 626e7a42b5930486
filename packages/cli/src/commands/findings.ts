import { type Command, option, text } from "../Command.js"
import { ofAgents } from "../internal/ofAgents.js"
import * as parameters from "../internal/parameters.js"
import * as scope from "../internal/scope.js"

const limit = parameters.limit("l", 1000, 20)
const role = option({
  name: "role",
  short: "r",
  value: "TEXT",
  help: "Only of agents in this role",
  completes: "role",
  read: text
})

export const findings: Command = {
  name: "findings",
  summary: "List what agents saved, newest first",
  parameters: [
    parameters.project,
    limit,
    role,
    scope.run,
    parameters.memory,
    parameters.memoryOptions,
    parameters.json
  ],
  examples: [
    ["contextfs orchestrator findings --project myproject --limit 10", "The last ten of a project"],
    ["contextfs orchestrator findings -p myproject --role review", "Only what reviewers found"]
  ],
  details: [
    "Shows id, type, role, time (in a pipe as UTC), tags and summary, once for each memory that is neither superseded nor deleted. contextfs memory recall ID shows one in full."
  ],
  run: (given, session) => {
    const about = scope.of({ project: given(parameters.project), run: given(scope.run) }, session)
    return ofAgents(session, about, { limit: given(limit) ?? 20, role: given(role) }, "no findings")
  }
}
