import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { UsageError } from "../CliError.js"
import { argument, type Command, repeated } from "../Command.js"
import * as parameters from "../internal/parameters.js"

const where = "contextfs orchestrator resume"
const run = argument({
  name: "RUN",
  help: "The run to go on with: see contextfs orchestrator status",
  completes: "run"
})
const workers = { ...parameters.workers, default: "as it was begun with" }
const decide = repeated({
  name: "decide",
  value: "JOB=WORD",
  help: "About a job of which nobody saw how it ended, or that was cut short: rerun or skip; JOB is its id or its agent's",
  read: (given) => {
    const [, job, word] = /^([a-z0-9][a-z0-9-]{0,63})=(rerun|skip)$/.exec(given) ?? []
    return job !== undefined && (word === "rerun" || word === "skip")
      ? Either.right([job, word] as const)
      : Either.left("JOB=rerun or JOB=skip")
  }
})

export const resume: Command = {
  name: "resume",
  summary: "Go on with a run that was interrupted, or whose process died",
  parameters: [
    run,
    workers,
    decide,
    parameters.runTimeout,
    parameters.noWait,
    parameters.detach,
    parameters.json,
    parameters.jsonl
  ],
  examples: [
    ["contextfs orchestrator resume dtp1bfzn", "From where it was left"],
    ["contextfs orchestrator resume dtp1bfzn --detach", "In the background"],
    ["contextfs orchestrator resume dtp1bfzn --decide dtp1bfzn-3=rerun", "A job of which nobody saw how it ended"]
  ],
  details: [
    "What has ended stays as it is. An agent that finished while nobody watched is judged from its output and not run again; one that was cut short runs once more, in its program's own session where it can be continued, or is settled as failed with --decide JOB=skip.",
    "Exit codes as those of run; 10: another process is at work on the run."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const format = yield* parameters.formatOf(given, where)
      const decided = new Map(given(decide))
      const twice = given(decide).find(([job, word]) => decided.get(job) !== word)?.[0]
      if (twice !== undefined) {
        return yield* new UsageError({
          message: `both rerun and skip are said of ${twice}`,
          where: `${where} --decide`,
          hint: "say one of them"
        })
      }
      const { resumeRun } = yield* Effect.promise(() => import("../internal/resumeRun.js"))
      return yield* resumeRun(
        {
          run: given(run),
          options: {
            decide: decided,
            workers: given(workers),
            wait: given(parameters.noWait) ? false : undefined,
            runTimeout: given(parameters.runTimeout)
          },
          detach: given(parameters.detach),
          format
        },
        session
      )
    })
}
