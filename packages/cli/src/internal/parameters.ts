/** Parameters that several commands share, so that a word means the same everywhere. */
import * as Duration from "@contextfs/core/Duration"
import { isProject, memoryTypes, projectExpected } from "@contextfs/memory/vocabulary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { UsageError } from "../CliError.js"
import { choice, flag, type Given, integer, option, text } from "../Command.js"
import type { Session } from "../Session.js"
import { show } from "./argv.js"
import type { Format } from "./views.js"

export const json = flag({ name: "json", help: "One JSON document on stdout, also for an error" })

const projectName = (given: string): Either.Either<string, string> =>
  isProject(given) ? Either.right(given) : Either.left(projectExpected)

export const project = option({
  name: "project",
  short: "p",
  value: "TEXT",
  help: "Project whose memories are meant",
  default: "$CONTEXTFS_PROJECT, else default",
  read: projectName
})

export const tool = option({
  name: "tool",
  short: "t",
  value: "TEXT",
  help: "Agent program: claude, gemini, codex, opencode, or mock to rehearse; or an adapter: ./my-tool.js, a package",
  default: "claude",
  completes: "tool",
  read: text
})

/** Milliseconds of a length of time. */
export const length = (given: string): Either.Either<number, string> =>
  Either.fromOption(
    Option.filter(Duration.toMillis(given), (millis) => millis > 0 && millis <= 30 * 86_400_000),
    () => 'seconds above 0, or a text such as "5 minutes", up to 30 days'
  )

/** Milliseconds. */
export const timeout = option({
  name: "timeout",
  value: "FLOAT",
  help: 'Time for each agent in seconds, or a text such as "5 minutes"',
  default: "no limit",
  read: length
})

export const permission = choice({
  name: "permission",
  value: "LEVEL",
  help: "What each agent may do: read, edit files, exec commands too, or full: anything",
  choices: ["read", "edit", "exec", "full"],
  default: "its role's"
})

export const model = option({
  name: "model",
  value: "TEXT",
  help: "Model, as the agent program names it",
  default: "the program's own",
  read: text
})

export const retries = option({
  name: "retries",
  value: "INT",
  help: "More attempts after one that failed and left no trace of work",
  default: "1",
  read: integer(0, 10)
})

export const noMemory = flag({ name: "no-memory", help: "No shared memory: nothing recalled, nothing saved" })

export const workers = option({
  name: "workers",
  short: "w",
  value: "INT",
  help: "Agents at work at the same time",
  default: "3",
  read: integer(1, 256)
})

/** Milliseconds. */
export const runTimeout = option({
  name: "run-timeout",
  value: "FLOAT",
  help: "Time for the whole run; then it is interrupted and can be resumed",
  default: "no limit",
  read: length
})

export const failFast = flag({
  name: "fail-fast",
  help: "Cancel the others as soon as one agent does not complete"
})

export const noWait = flag({
  name: "no-wait",
  help: "End instead of waiting when only a usage limit's end, or room on this machine, would let the rest go on"
})

export const detach = flag({ name: "detach", help: "In the background: print its id and leave" })

export const jsonl = flag({
  name: "jsonl",
  help: "One JSON document a line for everything that happens, the result last"
})

export const formatOf = (given: Given, where: string): Effect.Effect<Format, UsageError> =>
  given(json) && given(jsonl)
    ? new UsageError({ message: "--json and --jsonl exclude each other", where, hint: "choose one" })
    : Effect.succeed(given(jsonl) ? "jsonl" : given(json) ? "json" : "lines")

export const memoryType = choice({ name: "type", value: "TYPE", help: "Only of this type", choices: memoryTypes })

export const limit = (short: string, most: number, fallback: number) =>
  option({
    name: "limit",
    short,
    value: "INT",
    help: "At most so many",
    default: `${fallback}`,
    read: integer(1, most)
  })

/** Another backend than SQLite in the data folder; see `Session.memory`. */
export const memory = option({
  name: "memory",
  value: "MODULE",
  help: "Memory backend: ./my-store.js, or a package",
  default: "SQLite in the data folder",
  completes: "file",
  read: text
})
export const memoryOptions = option({
  name: "memory-options",
  value: "JSON",
  help: "What the module of --memory is given",
  read: (given): Either.Either<unknown, string> =>
    Either.try({ try: () => JSON.parse(given), catch: () => 'JSON, such as \'{"file": "memory.json"}\'' })
})

/** A variable that names no project is told before anything is read or written in its name. */
export const checkProject = (given: Given, session: Session, where: string): Effect.Effect<void, UsageError> => {
  const name = namedProject(given(project), session)
  return name === undefined || isProject(name)
    ? Effect.void
    : new UsageError({
        message: `CONTEXTFS_PROJECT: ${show(name)} is not valid`,
        where,
        hint: `set it to ${projectExpected}`
      })
}

/** The project that the option or the variable names. */
export const namedProject = (given: string | undefined, session: Session): string | undefined => {
  const fromEnvironment = session.env["CONTEXTFS_PROJECT"] ?? ""
  return given ?? (fromEnvironment === "" ? undefined : fromEnvironment)
}

export const projectOf = (given: string | undefined, session: Session): string =>
  namedProject(given, session) ?? "default"
