import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.js"
import { argument, type Command, choice, flag } from "../Command.js"
import * as parameters from "../internal/parameters.js"

const where = "contextfs orchestrator run"
const file = argument({
  name: "FILE",
  help: "Configuration: agents.json, JSON with comments, or agents.yaml",
  completes: "file"
})
const dryRun = flag({ name: "dry-run", help: "Show plan, prompts and command lines; start nothing, write nothing" })
const overlap = choice({
  name: "overlap",
  value: "WORD",
  help: "About agents that may write the same files: warn, serialize them, or refuse to start",
  choices: ["warn", "serialize", "refuse"],
  default: "warn"
})

export const run: Command = {
  name: "run",
  summary: "Run the agents of a file concurrently, with one shared memory",
  parameters: [
    file,
    parameters.project,
    parameters.tool,
    parameters.workers,
    parameters.timeout,
    parameters.runTimeout,
    parameters.permission,
    parameters.model,
    parameters.retries,
    parameters.noMemory,
    overlap,
    parameters.memory,
    parameters.memoryOptions,
    dryRun,
    parameters.failFast,
    parameters.noWait,
    parameters.detach,
    parameters.json,
    parameters.jsonl
  ],
  examples: [
    ["contextfs orchestrator run agents.json --workers 3", "Three at a time"],
    ["contextfs orchestrator run agents.json --dry-run", "See what each agent would be given"],
    ["contextfs orchestrator run agents.json --tool mock", "Rehearse it without a model, at no cost"],
    ["contextfs orchestrator run agents.json -t codex --timeout 600", "Another agent program, ten minutes each"],
    [
      "contextfs orchestrator run agents.json --detach",
      "In the background; status, logs and cancel take the id it prints"
    ],
    ["contextfs orchestrator run agents.json --json | jq .status", "In a script"]
  ],
  details: [
    "Exit code 0: all agents completed. 1: some did not. 2: usage. 3: configuration. 4: not found. 5: storage. 6: a tool is not installed. 7: only what waits is left: for a usage limit, with --no-wait, or for room on this machine. 8: the time for the run was up. 9: refused. 10: overlapping folders, refused. 129, 130, 143: ended by a signal.",
    "Ctrl-C ends the agents in order and keeps what they have done; once more ends them at once. What has not ended goes on with contextfs orchestrator resume RUN."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const format = yield* parameters.formatOf(given, where)
      if (given(dryRun) && given(parameters.detach)) {
        return yield* new UsageError({
          message: "--dry-run and --detach exclude each other",
          where,
          hint: "choose one"
        })
      }
      const { runAgents } = yield* Effect.promise(() => import("../internal/runAgents.js"))
      return yield* runAgents(
        {
          where,
          source: { file: given(file) },
          overrides: {
            project: given(parameters.project),
            tool: given(parameters.tool),
            workers: given(parameters.workers),
            timeout: given(parameters.timeout),
            permission: given(parameters.permission),
            model: given(parameters.model),
            retries: given(parameters.retries),
            memory: given(parameters.noMemory) ? false : undefined,
            overlap: given(overlap),
            runTimeout: given(parameters.runTimeout)
          },
          dryRun: given(dryRun),
          detach: given(parameters.detach),
          failFast: given(parameters.failFast),
          wait: !given(parameters.noWait),
          format
        },
        session
      )
    })
}
