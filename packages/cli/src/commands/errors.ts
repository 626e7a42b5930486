import type { Command } from "../Command.js"
import { ofAgents } from "../internal/ofAgents.js"
import * as parameters from "../internal/parameters.js"

const limit = parameters.limit("l", 1000, 20)

export const errors: Command = {
  name: "errors",
  summary: "List the errors that agents reported, newest first",
  parameters: [parameters.project, limit, parameters.memory, parameters.memoryOptions, parameters.json],
  examples: [["contextfs orchestrator errors --project myproject", "What went wrong in a project"]],
  details: ["Shows id, type, role, time (UTC), summary and tags. contextfs memory recall ID shows one in full."],
  run: (given, session) => {
    const project = parameters.projectOf(given(parameters.project), session)
    return ofAgents(session, { project, limit: given(limit) ?? 20, types: ["error"] }, "no errors")
  }
}
