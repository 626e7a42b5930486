import * as Effect from "effect/Effect"
import { argument, type Command, flag } from "../Command.js"

const id = argument({
  name: "ID",
  help: "Job, or run with all its jobs: see contextfs orchestrator status",
  completes: "job"
})
const follow = flag({ name: "follow", short: "f", help: "Go on until it has ended; Ctrl-C leaves it alone" })
const json = flag({ name: "json", help: "One JSON document a line: what was printed, and how each job stands" })
const raw = flag({ name: "raw", help: "What the programs print, line by line, instead of what it means; stderr too" })

export const logs: Command = {
  name: "logs",
  summary: "Show what the agents of a job or run do and did",
  parameters: [id, follow, raw, json],
  examples: [
    ["contextfs orchestrator logs dtp1bfzn-2", "What one agent did"],
    ["contextfs orchestrator logs dtp1bfzn -f", "All agents of a run as they work"],
    [
      "contextfs orchestrator logs dtp1bfzn --json | jq 'select(.kind == \"job\")'",
      "How each job stands, for a program"
    ]
  ],
  details: [
    "Of each job the last attempt, then a line that says how it ended or stands; with --raw that line goes to stderr. Secrets are redacted and nothing that an agent prints controls the terminal. Only reads."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { show } = yield* Effect.promise(() => import("../internal/logs.js"))
      return yield* show(session, {
        id: given(id),
        follow: given(follow),
        raw: given(raw),
        format: given(json) ? "jsonl" : "lines"
      })
    })
}
