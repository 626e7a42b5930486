import * as Effect from "effect/Effect"
import { type Command, flag, option } from "../Command.js"
import * as parameters from "../internal/parameters.js"
import * as scope from "../internal/scope.js"

const interval = option({
  name: "interval",
  short: "i",
  value: "FLOAT",
  help: "Seconds between two looks",
  default: "5",
  read: parameters.length
})
const duration = option({
  name: "duration",
  short: "d",
  value: "FLOAT",
  help: "End after so many seconds",
  default: "until Ctrl-C",
  read: parameters.length
})
const json = flag({ name: "json", help: "One JSON document a line for everything that happens" })
const jsonl = flag({ name: "jsonl", help: "The same as --json" })

export const monitor: Command = {
  name: "monitor",
  summary: "Watch agents at work: memories and states of jobs as they happen",
  parameters: [
    parameters.project,
    scope.run,
    interval,
    duration,
    parameters.memory,
    parameters.memoryOptions,
    json,
    jsonl
  ],
  examples: [
    ["contextfs orchestrator monitor --project myproject --interval 5", "Until Ctrl-C"],
    ["contextfs orchestrator monitor -p myproject -i 1 -d 60 --json", "A minute of it, for a program"]
  ],
  details: [
    "First says which runs go on and what is at work in them, then shows everything that happens from then on: each change once, in its order, whatever the interval. Waits where nothing was ever run. Only reads.",
    "Exit code 0 after --duration, or when nobody reads its output any more; 130 after Ctrl-C. Times are of the local clock."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { monitor } = yield* Effect.promise(() => import("../internal/monitor.js"))
      return yield* monitor(
        {
          scope: scope.of({ project: given(parameters.project), run: given(scope.run) }, session),
          interval: given(interval) ?? 5_000,
          duration: given(duration),
          format: given(json) || given(jsonl) ? "jsonl" : "lines"
        },
        session
      )
    })
}
