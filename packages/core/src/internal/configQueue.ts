/** The settings of a queue, and the agents that come to it one by one. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { JobSpec } from "../Job.js"
import type { QueueConfig } from "../RunConfig.js"
import { check } from "./configChecks.js"
import { type Decoding, decode, shapeProblems, surroundings, wholeOf } from "./configDecode.js"
import type { Problem } from "./configIssue.js"
import { QueueInput } from "./configSchema.js"

const decodeSettings = Schema.decodeUnknownEither(QueueInput, { errors: "all", onExcessProperty: "error" })

/** What a queue is told for all its jobs, or every problem of it. */
export const decodeQueue = (
  value: unknown,
  around: Decoding
): Either.Either<{ readonly settings: QueueInput; readonly queue: QueueConfig }, ReadonlyArray<Problem>> => {
  const decoded = decodeSettings(value)
  const shape = Either.isLeft(decoded) ? shapeProblems(decoded.left) : []
  const problems = [...shape, ...around.loaded.problems, ...check(value, surroundings(around))]
  if (problems.length > 0 || Either.isLeft(decoded)) return Either.left(problems)
  const settings = decoded.right
  return Either.right({
    settings,
    queue: {
      ...wholeOf(settings, around),
      maxQueueSize: settings.maxQueueSize ?? 0
    }
  })
}

/** One agent under the settings of a queue. Paths are those within the agent. */
export const decodeJob = (
  { maxQueueSize: _, ...settings }: QueueInput,
  agent: unknown,
  around: Decoding
): Either.Either<JobSpec, ReadonlyArray<Problem>> =>
  decode({ ...settings, agents: [agent] }, around).pipe(
    Either.mapBoth({
      onLeft: (problems) =>
        problems.map((problem) =>
          problem.path[0] === "agents" ? { ...problem, path: problem.path.slice(2) } : problem
        ),
      onRight: ({ jobs }) => jobs
    }),
    Either.flatMap(([job]) => (job === undefined ? Either.left([]) : Either.right(job)))
  )
