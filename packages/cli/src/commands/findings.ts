import { type Command, option, text } from "../Command.js"
import { ofAgents } from "../internal/ofAgents.js"
import * as parameters from "../internal/parameters.js"

const limit = parameters.limit("l", 1000, 20)
const role = option({ name: "role", short: "r", value: "TEXT", help: "Only of agents in this role", read: text })

export const findings: Command = {
  name: "findings",
  summary: "List what agents saved, newest first",
  parameters: [parameters.project, limit, role, parameters.memory, parameters.memoryOptions, parameters.json],
  examples: [
    ["contextfs orchestrator findings --project myproject --limit 10", "The last ten of a project"],
    ["contextfs orchestrator findings -p myproject --role review", "Only what reviewers found"]
  ],
  details: ["Shows id, type, role, time (UTC), summary and tags. contextfs memory recall ID shows one in full."],
  run: (given, session) => {
    const project = parameters.projectOf(given(parameters.project), session)
    return ofAgents(session, { project, limit: given(limit) ?? 20, role: given(role) }, "no findings")
  }
}
