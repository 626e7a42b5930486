import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.js"
import { argument, type Command, flag, integer, option } from "../Command.js"
import * as parameters from "../internal/parameters.js"

const where = "contextfs orchestrator run"
const file = argument({
  name: "FILE",
  help: "Configuration: agents.json, JSON with comments, or agents.yaml",
  completes: "file"
})
const workers = option({
  name: "workers",
  short: "w",
  value: "INT",
  help: "Agents at work at the same time",
  default: "3",
  read: integer(1, 256)
})
const jsonl = flag({ name: "jsonl", help: "One JSON document a line for everything that happens, the result last" })
const dryRun = flag({ name: "dry-run", help: "Show plan, prompts and command lines; start nothing, write nothing" })
const failFast = flag({ name: "fail-fast", help: "Cancel the others as soon as one agent does not complete" })

export const run: Command = {
  name: "run",
  summary: "Run the agents of a file concurrently, with one shared memory",
  parameters: [
    file,
    parameters.project,
    parameters.tool,
    workers,
    parameters.timeout,
    parameters.permission,
    parameters.model,
    parameters.retries,
    parameters.noMemory,
    parameters.memory,
    parameters.memoryOptions,
    dryRun,
    failFast,
    parameters.json,
    jsonl
  ],
  examples: [
    ["contextfs orchestrator run agents.json --workers 3", "Three at a time"],
    ["contextfs orchestrator run agents.json --dry-run", "See what each agent would be given"],
    ["contextfs orchestrator run agents.json --tool mock", "Rehearse it without a model, at no cost"],
    ["contextfs orchestrator run agents.json -t codex --timeout 600", "Another agent program, ten minutes each"],
    ["contextfs orchestrator run agents.json --json | jq .status", "In a script"]
  ],
  details: [
    "Exit code 0: all agents completed. 1: some did not. 2: usage. 3: configuration. 4: not found. 5: storage. 6: a tool is not installed. 9: refused. 129, 130, 143: ended by a signal.",
    "Ctrl-C ends the agents in order and keeps what they have done; once more ends them at once."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      if (given(parameters.json) && given(jsonl)) {
        return yield* new UsageError({ message: "--json and --jsonl exclude each other", where, hint: "choose one" })
      }
      const { runAgents } = yield* Effect.promise(() => import("../internal/runAgents.js"))
      return yield* runAgents(
        {
          where,
          source: { file: given(file) },
          overrides: {
            project: given(parameters.project),
            tool: given(parameters.tool),
            workers: given(workers),
            timeout: given(parameters.timeout),
            permission: given(parameters.permission),
            model: given(parameters.model),
            retries: given(parameters.retries),
            memory: given(parameters.noMemory) ? false : undefined
          },
          dryRun: given(dryRun),
          failFast: given(failFast),
          format: given(jsonl) ? "jsonl" : given(parameters.json) ? "json" : "lines"
        },
        session
      )
    })
}
