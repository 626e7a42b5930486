/**
 * A run's configuration: which agents, doing what, where, with which tool and within which bounds. Written as the list of
 * agents alone, or as an object with `agents` and settings for all of them; JSON with comments, or YAML.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import type * as MemoryModule from "@contextfs/memory/MemoryModule"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as configDecode from "./internal/configDecode.js"
import { type Problem, pathText } from "./internal/configIssue.js"
import * as configModules from "./internal/configModules.js"
import * as configQueue from "./internal/configQueue.js"
import * as configSchema from "./internal/configSchema.js"
import * as configText from "./internal/configText.js"
import type { JobSpec } from "./Job.js"
import type { ToolAdapter } from "./ToolAdapter.js"
import type { OverlapPolicy, RunBudget } from "./WorkerQueue.js"

/** What a configuration brings along as modules. */
export interface Brought {
  /** Tool adapters by how `settings.adapter` of a job names them: by their file. */
  readonly adapters: ReadonlyMap<string, ToolAdapter>
  /** The backend for the shared memory, where the configuration names one. */
  readonly memory: Layer.Layer<MemoryStore, StorageError> | undefined
  /** The module it comes from, so that another process can load it too. */
  readonly memoryModule: MemoryModule.Named | undefined
}

/** What holds for all jobs of a run. */
export interface Whole extends Brought {
  readonly project: string
  /** Agents at work at the same time. */
  readonly workers: number
  readonly budget: RunBudget | null
  /** Further attempts of all agents together; null is "no limit". */
  readonly runRetries: number | null
  readonly overlap: OverlapPolicy
}

/** A decoded, validated configuration with every default filled in. */
export interface RunConfig extends Whole {
  /** Milliseconds; null is "no limit". */
  readonly runTimeout: number | null
  /** In the order of the file. */
  readonly jobs: ReadonlyArray<JobSpec>
}

/** A queue to which jobs come one by one, with every default filled in. */
export interface QueueConfig extends Whole {
  /** How many jobs may wait; 0 is "no limit". */
  readonly maxQueueSize: number
}

const Issue = Schema.Struct({
  /** `agents[1].timeout`; `$` is the whole. */
  path: Schema.String,
  /** From 1; null where the configuration is not a text. */
  line: Schema.NullOr(Schema.Number),
  column: Schema.NullOr(Schema.Number),
  message: Schema.String,
  suggestion: Schema.optionalWith(Schema.String, { exact: true })
})
export type Issue = typeof Issue.Type

/** `agents.json:3:14 workers: expected …, got … – did you mean …` */
export const issueText = (issue: Issue, file: string | null): string => {
  const name = file ?? "configuration"
  const place = issue.line !== null ? `${name}:${issue.line}:${issue.column} ` : file === null ? "" : `${file}: `
  return `${place}${issue.path === "$" ? "" : `${issue.path}: `}${issue.message}${
    issue.suggestion === undefined ? "" : ` – ${issue.suggestion}`
  }`
}

/** Everything that is wrong with a configuration, in the order of the text. Nothing has been started. */
export class ConfigError extends Schema.TaggedError<ConfigError>("@contextfs/core/ConfigError")("ConfigError", {
  file: Schema.NullOr(Schema.String),
  issues: Schema.NonEmptyArray(Issue)
}) {
  override get message(): string {
    return this.issues.map((issue) => issueText(issue, this.file)).join("\n")
  }
}

/** A file that was named is not there. */
export class ConfigNotFound extends Schema.TaggedError<ConfigNotFound>("@contextfs/core/ConfigNotFound")(
  "ConfigNotFound",
  {
    file: Schema.String,
    message: Schema.String
  }
) {}

/** What the command line or a caller says; it wins over the file, for every agent. */
export interface Overrides {
  readonly project?: string
  readonly tool?: string
  readonly model?: string
  readonly workers?: number
  /** Milliseconds. */
  readonly timeout?: number
  readonly permission?: JobSpec["permission"]
  readonly retries?: number
  readonly overlap?: OverlapPolicy
  /** Milliseconds. */
  readonly runTimeout?: number
  /** False: neither recall nor tools nor saving. */
  readonly memory?: boolean
}

/** What a configuration may refer to, and what stands beside it. */
export interface Known {
  readonly roles: ReadonlyArray<{
    readonly name: string
    readonly permission: JobSpec["permission"]
    readonly tool?: string | undefined
    readonly model?: string | undefined
  }>
  /** Names of tools that need no `tools` entry. */
  readonly tools: ReadonlyArray<string>
  /** Where a package is looked for that `overrides.tool` names, absolute; default where the configuration is. */
  readonly here?: string
  /** An unknown `tool` in here is an issue with the path `--tool`. */
  readonly overrides?: Overrides
  /** The task of an agent whose `taskFile` is `-`; default: the whole of stdin. */
  readonly stdin?: () => string
}

/** What holds where nobody says otherwise, as it would be written. */
export const defaults = configSchema.defaults

/** JSON Schema (draft-07) of a configuration file, with descriptions, bounds and defaults. */
export const jsonSchema = (): JSONSchema.JsonSchema7Root => JSONSchema.make(configSchema.FileInput)

/** The same as the text of a file. */
export const jsonSchemaText = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`

const failure = (
  file: string | null,
  problems: ReadonlyArray<Problem>,
  place: ((problem: Problem) => configText.Place) | undefined
): ConfigError => {
  const issues = problems
    .map((problem): Issue => {
      const at = place?.(problem)
      return {
        path: pathText(problem.path),
        line: at?.line ?? null,
        column: at?.column ?? null,
        message: problem.message,
        ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion })
      }
    })
    .sort((one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0))
  const [first = { path: "$", line: null, column: null, message: "wrong" }, ...rest] = issues
  return new ConfigError({ file, issues: [first, ...rest] })
}

const stdin = (known: Known): (() => string) => known.stdin ?? (() => fs.readFileSync(0, "utf8"))

/** By its name; every other file is JSON with comments. */
export const isYaml = (file: string): boolean => /\.ya?ml$/i.test(file)

/**
 * Decodes the text of a configuration. `directory`: what relative paths are relative to; `file`: for messages, and by its name
 * ending in `.yaml` or `.yml` the text is YAML.
 */
export const decode = Effect.fn("RunConfig.decode")(function* (
  text: string,
  options: Known & { readonly directory: string; readonly file?: string }
): Effect.fn.Return<RunConfig, ConfigError> {
  const file = options.file ?? null
  const read =
    file !== null && isYaml(file)
      ? (yield* Effect.promise(() => import("./internal/configYaml.js"))).readYaml
      : configText.readJson
  const parsed = configText.parse(text, read)
  if ("broken" in parsed) {
    const { at, broken, suggestion } = parsed
    return yield* failure(
      file,
      [{ path: [], message: broken, ...(suggestion === undefined ? {} : { suggestion }) }],
      () => at
    )
  }
  const place = (problem: Problem): configText.Place => parsed.place(problem.path, problem.atKey)
  const loaded = yield* configModules.load(parsed.value, options)
  const result = configDecode.decode(parsed.value, { ...options, stdin: stdin(options), loaded })
  const problems = [...parsed.problems, ...(Either.isLeft(result) ? result.left : [])]
  if (Either.isLeft(result) || problems.length > 0) return yield* failure(file, problems, place)
  return result.right
})

/** Reads a configuration file; relative directories are relative to it. */
export const load = Effect.fn("RunConfig.load")(function* (
  file: string,
  known: Known
): Effect.fn.Return<RunConfig, ConfigError | ConfigNotFound> {
  const start = (message: string): ConfigError => failure(file, [{ path: [], message }], () => ({ line: 1, column: 1 }))
  const whole = (message: string, suggestion: string): ConfigError =>
    failure(file, [{ path: [], message, suggestion }], undefined)
  const bytes = yield* Effect.try({
    try: () => {
      const stat = fs.statSync(file)
      if (stat.isDirectory()) return whole("this is a folder", "name a file in it, such as agents.json")
      // A device has no end, and a pipe that nobody writes to none either.
      if (!stat.isFile()) return whole("this is no regular file", "write the configuration to a file, and name that")
      return stat.size > configText.maxBytes
        ? start(`the file is larger than ${configText.maxBytes / 1024 / 1024} MiB`)
        : fs.readFileSync(file)
    },
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? `${cause.code}` : ""
      const message = cause instanceof Error ? cause.message.replace(/, (?:stat|open|read).*/, "") : `${cause}`
      return ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code)
        ? new ConfigNotFound({ file, message })
        : whole(
            `the file cannot be read: ${message.replace(/^E[A-Z]+: /, "")}`,
            code === "EACCES" ? "give yourself the right to read it: chmod u+r" : "name another file"
          )
    }
  })
  if (bytes instanceof ConfigError) return yield* bytes
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => start("the file is not UTF-8 text")
  })
  return yield* decode(text, { ...known, directory: path.dirname(path.resolve(file)), file })
})

/** Decodes a configuration given as a value: the list of agents, or the object. `directory` defaults to the process's. */
export const fromInput = Effect.fn("RunConfig.fromInput")(function* (
  input: unknown,
  options: Known & { readonly directory?: string }
): Effect.fn.Return<RunConfig, ConfigError> {
  const directory = path.resolve(options.directory ?? ".")
  const loaded = yield* configModules.load(input, { ...options, directory })
  const result = configDecode.decode(input, { ...options, directory, stdin: stdin(options), loaded })
  return Either.isLeft(result) ? yield* failure(null, result.left, undefined) : result.right
})

/**
 * The settings of a configuration (all but its agents) and `maxQueueSize`, for a queue to which agents come later. `withJob` decodes one and
 * hands it on; ids are unique among all that were handed on without a failure.
 */
export const forQueue = Effect.fn("RunConfig.forQueue")(function* (
  input: unknown,
  options: Known & { readonly directory?: string }
) {
  const taken = new Set<string>()
  const directory = path.resolve(options.directory ?? ".")
  const loaded = yield* configModules.load(input, { ...options, directory })
  const around = { ...options, directory, stdin: stdin(options), taken, loaded }
  const result = configQueue.decodeQueue(input, around)
  if (Either.isLeft(result)) return yield* failure(null, result.left, undefined)
  const { queue, settings } = result.right
  const withJob = <A, E, R>(
    agent: unknown,
    use: (spec: JobSpec) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | ConfigError, R> =>
    Effect.suspend((): Effect.Effect<A, E | ConfigError, R> => {
      const decoded = configQueue.decodeJob(settings, agent, around)
      if (Either.isLeft(decoded)) return failure(null, decoded.left, undefined)
      const { agentId } = decoded.right
      taken.add(agentId)
      return Effect.onError(use(decoded.right), () => Effect.sync(() => taken.delete(agentId)))
    })
  return { ...queue, withJob }
})

const examples = [
  {
    role: "test",
    directory: "./tests",
    task: "Write unit tests for the auth module. Search memory for existing patterns first."
  },
  {
    role: "code",
    directory: "./src",
    task: "Implement the auth module. Save architecture decisions to memory."
  },
  {
    role: "review",
    directory: ".",
    task: "Review auth implementation for security issues. Link findings to decisions."
  }
]

/** A first configuration to edit, as text. `schema`: where an editor finds the JSON Schema, relative to the file. */
export const template = (format: "json" | "yaml", schema: string): string =>
  format === "json"
    ? `${JSON.stringify({ $schema: schema, agents: examples }, null, 2)}\n`
    : `# yaml-language-server: $schema=${schema}
agents:
${examples.map(({ directory, role, task }) => `  - role: ${role}\n    directory: ${directory}\n    task: ${task}\n`).join("")}`
