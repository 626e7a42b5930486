/** From a raw value to a configuration with every problem told at once. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Duration from "../Duration.js"
import { type Budget, type JobSpec, orchestratorRole } from "../Job.js"
import type { Known, RunConfig, Whole } from "../RunConfig.js"
import { check } from "./configChecks.js"
import { type Path, type Problem, show, suggest } from "./configIssue.js"
import { broughtBy, type Modules, toolOf, toolsOf } from "./configModules.js"
import {
  AgentInput,
  defaults,
  jobBudget,
  MemoryInput,
  RunInput,
  runBudget,
  ToolInput,
  toBytes
} from "./configSchema.js"
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
        : parent[0] === "memory"
          ? Object.keys(MemoryInput.fields)
          : parent[0] === "budget"
            ? Object.keys(runBudget.fields)
            : parent[0] === "agents" && parent[2] === "budget"
              ? Object.keys(jobBudget.fields)
              : []

export const shapeProblems = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const byPath = new Map<string, Problem>()
  for (const issue of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const at: Path = issue.path.flatMap((part) => (typeof part === "symbol" ? [] : [part]))
    const key = JSON.stringify(at)
    if (byPath.has(key)) continue
    const name = `${at.at(-1) ?? ""}`
    if (issue._tag === "Unexpected") {
      const choices = keysAt(at.slice(0, -1))
      // Only variables have names of the user's choice.
      const [message, suggestion] =
        choices.length === 0
          ? [`${show(name)} is no name for a variable`, "letters, digits and _, no digit first"]
          : [`unknown key ${show(name)}`, suggest(name, choices)]
      byPath.set(key, { path: at, message, suggestion, atKey: true })
    } else if (issue._tag === "Missing" && typeof at.at(-1) === "number") {
      byPath.set(key, { path: at.slice(0, -1), message: "the list is empty", suggestion: "add one" })
    } else if (issue._tag === "Missing") {
      byPath.set(key, { path: at.slice(0, -1), message: `${name} is missing`, suggestion: `add "${name}"` })
    } else {
      const [message = issue.message, suggestion] = issue.message.split("; ")
      byPath.set(key, { path: at, message, ...(suggestion === undefined ? {} : { suggestion }) })
    }
  }
  return [...byPath.values()]
}

export interface Decoding extends Omit<Known, "stdin"> {
  /** Absolute; what relative paths are relative to. */
  readonly directory: string
  readonly stdin: () => string
  /** Ids of agents that others have. */
  readonly taken?: ReadonlySet<string>
  readonly loaded: Modules
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
  const problems = [...placed, ...around.loaded.problems, ...check(value, surroundings(around))]
  if (problems.length > 0 || Either.isLeft(decoded)) return Either.left(problems)
  const config = complete(decoded.right, around)
  const silent = decoded.right.agents.findIndex(
    ({ taskFile }, index) => taskFile === "-" && config.jobs[index]?.task.trim() === ""
  )
  if (silent === -1) return Either.right(config)
  const path: Path = asList ? [silent, "taskFile"] : ["agents", silent, "taskFile"]
  return Either.left([{ path, message: "no task came on stdin", suggestion: "pipe it in, as in < task.md" }])
}

export const surroundings = (around: Decoding) => ({
  ...around,
  roles: around.roles.map((role) => role.name),
  tools: [
    ...around.tools,
    ...[...around.loaded.tools].flatMap(([word, module]) => (module === null ? [word] : [word, module.adapter.name]))
  ]
})

const millis = (input: number | string): number => Option.getOrElse(Duration.toMillis(input), () => 0)

/** What holds for all jobs. */
export const wholeOf = (input: Omit<RunInput, "agents">, around: Decoding): Whole => ({
  project: around.overrides?.project ?? input.project ?? "default",
  workers: around.overrides?.workers ?? input.workers ?? defaults.workers,
  budget:
    input.budget === undefined
      ? null
      : { ...budgetOf(input.budget), unknownCost: input.budget.unknownCost ?? defaults.unknownCost },
  runRetries: input.runRetries ?? null,
  overlap: around.overrides?.overlap ?? input.overlap ?? defaults.overlap,
  ...broughtBy(around.loaded)
})

const complete = (input: RunInput, around: Decoding): RunConfig => {
  const { overrides = {} } = around
  const whole = wholeOf(input, around)
  const nameOf = names(input, around.taken)
  return {
    ...whole,
    runTimeout: overrides.runTimeout ?? (input.runTimeout === undefined ? null : millis(input.runTimeout)),
    jobs: input.agents.map((agent): JobSpec => {
      const role = around.roles.find((known) => known.name === agent.role)
      const { settings, tool } = toolOf(
        overrides.tool ?? agent.tool ?? role?.tool ?? input.tool ?? defaults.tool,
        input.tools,
        around
      )
      const limit = agent.timeout ?? input.timeout
      const permission = overrides.permission ?? agent.permission ?? input.permission ?? role?.permission ?? "read"
      const delegate = agent.delegate ?? input.delegate ?? (agent.role === orchestratorRole ? permission : "none")
      return {
        agentId: agent.id ?? nameOf(agent.role),
        project: whole.project,
        role: agent.role,
        tool,
        directory: path.resolve(around.directory, agent.directory),
        task: agent.task ?? readTask(agent.taskFile ?? "-", around),
        model: overrides.model ?? agent.model ?? role?.model ?? null,
        session: agent.session ?? null,
        permission,
        timeout: overrides.timeout ?? (limit === undefined ? null : millis(limit)),
        startTimeout: millis(agent.startTimeout ?? input.startTimeout ?? defaults.startTimeout),
        idleTimeout: millis(agent.idleTimeout ?? input.idleTimeout ?? defaults.idleTimeout),
        retryTimeout: millis(input.retryTimeout ?? defaults.retryTimeout),
        grace: millis(input.grace ?? defaults.grace),
        maxOutput: toBytes(input.maxOutput ?? defaults.maxOutput) ?? 0,
        retries: overrides.retries ?? agent.retries ?? input.retries ?? defaults.retries,
        containment: agent.containment ?? input.containment ?? defaults.containment,
        env: agent.env ?? {},
        memory: overrides.memory ?? true,
        budget: agent.budget === undefined ? null : budgetOf(agent.budget),
        settings,
        delegate,
        tools: delegate === "none" ? {} : toolsOf(input.tools, around.loaded),
        parent: null,
        depth: 0
      }
    })
  }
}

const budgetOf = ({
  maxCostUsd,
  maxTokens
}: {
  readonly maxCostUsd?: number
  readonly maxTokens?: number
}): Budget => ({
  maxCostUsd: maxCostUsd ?? null,
  maxTokens: maxTokens ?? null
})

/** Gives `<role>-<n>`, n from 1 for each role, passing over ids that the user gave away. */
const names = (input: RunInput, others: ReadonlySet<string> = new Set()): ((role: string) => string) => {
  const taken = new Set([...others, ...input.agents.flatMap((agent) => agent.id ?? [])])
  const counts = new Map<string, number>()
  return (role) => {
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
}

const readTask = (file: string, around: Decoding): string =>
  file === "-" ? around.stdin() : fs.readFileSync(path.resolve(around.directory, file), "utf8")
