/** From a raw value to a configuration with every problem told at once. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Duration from "../Duration.js"
import { AgentId, type JobSpec } from "../Job.js"
import type { AgentConfig, RunConfig } from "../RunConfig.js"
import { check, type Surroundings } from "./configChecks.js"
import { type Path, type Problem, show, suggest } from "./configIssue.js"
import { AgentInput, defaults, RunInput, ToolInput, toBytes } from "./configSchema.js"
import { isObject } from "./json.js"

const decodeRun = Schema.decodeUnknownEither(RunInput, { errors: "all", onExcessProperty: "error" })

/** The keys that may stand where an unknown one stood. */
const keysAt = (parent: Path): ReadonlyArray<string> =>
  parent.length === 0
    ? Object.keys(RunInput.fields)
    : parent[0] === "agents" && parent.length === 2
      ? Object.keys(AgentInput.fields)
      : parent[0] === "tools" && parent.length === 2
        ? Object.keys(ToolInput.fields)
        : []

const shapeProblems = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const byPath = new Map<string, Problem>()
  for (const issue of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const at: Path = issue.path.flatMap((part) => (typeof part === "symbol" ? [] : [part]))
    const key = JSON.stringify(at)
    if (byPath.has(key)) continue
    const name = `${at.at(-1) ?? ""}`
    if (issue._tag === "Unexpected") {
      const choices = keysAt(at.slice(0, -1))
      byPath.set(key, {
        path: at,
        message: `unknown key ${show(name)}`,
        suggestion: suggest(name, choices),
        atKey: true
      })
    } else if (issue._tag === "Missing") {
      byPath.set(key, { path: at.slice(0, -1), message: `${name} is missing`, suggestion: `add "${name}"` })
    } else {
      const [message = issue.message, suggestion] = issue.message.split("; ")
      byPath.set(key, { path: at, message, ...(suggestion === undefined ? {} : { suggestion }) })
    }
  }
  return [...byPath.values()]
}

export interface Decoding extends Surroundings {
  /** Reads the task of an agent whose `taskFile` is `-`. */
  readonly stdin: () => string
}

/** The configuration, or every problem of it. Paths are those of the form that was given: list or object. */
export const decode = (value: unknown, around: Decoding): Either.Either<RunConfig, ReadonlyArray<Problem>> => {
  const asList = Array.isArray(value)
  if (!asList && !isObject(value)) {
    return Either.left([
      {
        path: [],
        message: `expected a list of agents, or an object with agents, got ${show(value)}`,
        suggestion: 'write [{"role": …, "directory": …, "task": …}]'
      }
    ])
  }
  const decoded = decodeRun(asList ? { agents: value } : value)
  const shape = Either.isLeft(decoded) ? shapeProblems(decoded.left) : []
  const placed = asList ? shape.map((problem) => ({ ...problem, path: problem.path.slice(1) })) : shape
  const checked = check(value, around)
  const told = new Set(placed.map((problem) => JSON.stringify(problem.path)))
  const problems = [
    ...placed,
    ...checked.filter(
      (problem) =>
        problem.path.length === 0 || !told.has(JSON.stringify(problem.path)) || problem.message.includes("missing")
    )
  ]
  if (problems.length > 0 || Either.isLeft(decoded)) return Either.left(problems)
  return Either.right(complete(decoded.right, around))
}

const millis = (input: number | string): number => Option.getOrElse(Duration.toMillis(input), () => 0)
const orNull = <A, B>(value: A | undefined, map: (value: A) => B): B | null => (value === undefined ? null : map(value))

const complete = (input: RunInput, around: Decoding): RunConfig => {
  const taken = new Set(input.agents.flatMap((agent) => agent.id ?? []))
  const counts = new Map<string, number>()
  /** `<role>-<n>`, n from 1 for each role, over ids that the user gave away. */
  const freshId = (role: string): string => {
    const base =
      role
        .toLowerCase()
        .replace(/[^a-z0-9-]+/g, "-")
        .replace(/^-+/, "")
        .slice(0, 56) || "agent"
    let id: string
    do {
      const next = (counts.get(base) ?? 0) + 1
      counts.set(base, next)
      id = `${base}-${next}`
    } while (taken.has(id))
    taken.add(id)
    return id
  }
  return {
    project: input.project ?? null,
    tool: input.tool ?? defaults.tool,
    workers: input.workers ?? defaults.workers,
    timeout: orNull(input.timeout, millis),
    startTimeout: millis(input.startTimeout ?? defaults.startTimeout),
    idleTimeout: millis(input.idleTimeout ?? defaults.idleTimeout),
    retryTimeout: millis(input.retryTimeout ?? defaults.retryTimeout),
    grace: millis(input.grace ?? defaults.grace),
    maxOutput: toBytes(input.maxOutput ?? defaults.maxOutput) ?? 0,
    permission: input.permission ?? null,
    retries: input.retries ?? defaults.retries,
    containment: input.containment ?? defaults.containment,
    tools: input.tools ?? {},
    agents: input.agents.map(
      (agent): AgentConfig => ({
        id: agent.id ?? AgentId.make(freshId(agent.role)),
        role: agent.role,
        directory: path.resolve(around.directory, agent.directory),
        task: agent.task ?? readTask(agent.taskFile ?? "-", around),
        tool: agent.tool ?? null,
        model: agent.model ?? null,
        timeout: orNull(agent.timeout, millis),
        startTimeout: orNull(agent.startTimeout, millis),
        idleTimeout: orNull(agent.idleTimeout, millis),
        permission: agent.permission ?? null,
        env: agent.env ?? {},
        retries: agent.retries ?? null,
        containment: agent.containment ?? null
      })
    )
  }
}

const readTask = (file: string, around: Decoding): string =>
  file === "-" ? around.stdin() : fs.readFileSync(path.resolve(around.directory, file), "utf8")

/** Everything a job needs: the agent's own word, else the run's, else the role's or the default. */
export const jobSpec = (
  config: RunConfig,
  agent: AgentConfig,
  given: {
    readonly project: string
    readonly memory: boolean
    readonly role: {
      readonly permission: JobSpec["permission"]
      readonly tool?: string | undefined
      readonly model?: string | undefined
    }
  }
): JobSpec => {
  const tool = agent.tool ?? given.role.tool ?? config.tool
  return {
    agentId: agent.id,
    project: given.project,
    role: agent.role,
    tool,
    directory: agent.directory,
    task: agent.task,
    model: agent.model ?? given.role.model ?? null,
    permission: agent.permission ?? config.permission ?? given.role.permission,
    timeout: agent.timeout ?? config.timeout,
    startTimeout: agent.startTimeout ?? config.startTimeout,
    idleTimeout: agent.idleTimeout ?? config.idleTimeout,
    retryTimeout: config.retryTimeout,
    grace: config.grace,
    maxOutput: config.maxOutput,
    retries: agent.retries ?? config.retries,
    containment: agent.containment ?? config.containment,
    env: agent.env,
    memory: given.memory,
    settings: Object.hasOwn(config.tools, tool) ? (config.tools[tool] ?? {}) : {}
  }
}
