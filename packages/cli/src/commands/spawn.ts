import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { NotFound } from "../CliError.js"
import { argument, type Command, flag } from "../Command.js"
import * as parameters from "../internal/parameters.js"

const where = "contextfs orchestrator spawn"
const role = argument({ name: "ROLE", help: "Who the agent is: see contextfs orchestrator roles", completes: "role" })
const directory = argument({ name: "DIRECTORY", help: "Where it works", completes: "directory" })
const task = argument({ name: "TASK", help: "What it shall do, in quotes" })
const wait = flag({ name: "wait", short: "w", help: "Wait for its end and show it" })

export const spawn: Command = {
  name: "spawn",
  summary: "Run a single agent",
  parameters: [
    role,
    directory,
    task,
    wait,
    parameters.project,
    parameters.tool,
    parameters.timeout,
    parameters.permission,
    parameters.model,
    parameters.retries,
    parameters.noMemory,
    parameters.memory,
    parameters.memoryOptions,
    parameters.json
  ],
  examples: [
    [
      'contextfs orchestrator spawn test ./tests "Write unit tests for auth"',
      "In the background: prints the id that status, logs and cancel take"
    ],
    ['contextfs orchestrator spawn test ./tests "Write unit tests for auth" --wait', "Run it here until it is done"],
    ['contextfs orchestrator spawn review . "Look for races" --wait --tool codex', "With another agent program"]
  ],
  details: [
    "Without --wait the agent runs under a process of its own that outlives this command and its terminal. With it, exit codes are those of run."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      if (!fs.statSync(path.resolve(session.cwd, given(directory)), { throwIfNoEntry: false })?.isDirectory()) {
        return yield* new NotFound({
          message: `${given(directory)} is no directory`,
          hint: "name the directory in which the agent shall work"
        })
      }
      const { runAgents } = yield* Effect.promise(() => import("../internal/runAgents.js"))
      return yield* runAgents(
        {
          where,
          source: { role: given(role), directory: given(directory), task: given(task) },
          overrides: {
            project: given(parameters.project),
            tool: given(parameters.tool),
            timeout: given(parameters.timeout),
            permission: given(parameters.permission),
            model: given(parameters.model),
            retries: given(parameters.retries),
            memory: given(parameters.noMemory) ? false : undefined
          },
          detach: !given(wait),
          format: given(parameters.json) ? "json" : "lines"
        },
        session
      )
    })
}
