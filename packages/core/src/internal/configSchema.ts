/** The shape of a configuration as it is written: one definition for decoding, messages, defaults and editors. */
import { isProject, projectExpected } from "@contextfs/memory/vocabulary"
import * as Option from "effect/Option"
import type { ParseIssue } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Duration from "../Duration.js"
import * as Environment from "../Environment.js"
import { AgentId, Delegate, Permission, SessionId } from "../Job.js"
import { near, show } from "./configIssue.js"

/** What holds where neither the file nor the command line says otherwise. Times as they would be written. */
export const defaults = {
  /** The agent program. */
  tool: "claude",
  /** Agents at work at the same time. */
  workers: 3,
  /** From the start of the program to its first event. */
  startTimeout: "120s",
  /** Neither an event nor output, while no tool call is open. */
  idleTimeout: "15 minutes",
  /** How long a program may go on retrying the same error of its provider. */
  retryTimeout: "120s",
  /** From TERM to KILL. */
  grace: "5s",
  /** Stdout and stderr of one attempt together. */
  maxOutput: "64 MiB",
  /** More attempts after one that failed and left no trace of work. */
  retries: 1,
  /** How agents are kept from outliving us: the strongest that the host allows. */
  containment: "auto",
  /** What to do about agents that may write the same files. */
  overlap: "warn",
  /** What to do about an agent whose cost nobody tells, where cost is limited. */
  unknownCost: "warn"
} as const

export const maxWorkers = 256
export const maxRetries = 10
const maxDurationMillis = 30 * 86_400_000
const minOutput = 64 * 1024
const maxOutput = 16 * 1024 ** 3

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30
}

/** Bytes from a number or from a text such as `"64 MiB"`. */
export const toBytes = (input: number | string): number | undefined => {
  if (typeof input === "number") return input
  const match = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)\s*$/i.exec(input)
  const unit = (match?.[2] ?? "").toLowerCase()
  const scale = Object.hasOwn(units, unit) ? units[unit] : undefined
  return match?.[1] === undefined || scale === undefined ? undefined : Math.round(Number(match[1]) * scale)
}

/** One message for a field, however deep the reason. */
const says = (expected: string, choices?: ReadonlyArray<string>) => ({
  message: (issue: ParseIssue) => {
    const given = typeof issue.actual === "string" ? issue.actual : ""
    const meant = choices === undefined ? undefined : near(given, choices)
    const suggestion = meant === undefined ? "" : `; ${meant}`
    const what = given.includes("\u0000") ? "a text without the character NUL" : expected
    return { message: `expected ${what}, got ${show(issue.actual)}${suggestion}`, override: true }
  }
})

/** For what holds others, which have messages of their own. */
const holds = (expected: string) => ({
  message: ({ actual }: ParseIssue) => `expected ${expected}, got ${show(actual)}`
})

const text = (description: string, extra: object = {}) =>
  Schema.String.pipe(Schema.filter((value) => value.trim() !== "" && !value.includes("\u0000"))).annotations({
    ...says("a text that is not empty"),
    jsonSchema: { type: "string", minLength: 1, description, ...extra }
  })

const duration = (description: string, fallback?: string) =>
  Schema.Union(Schema.Number, Schema.String)
    .pipe(
      Schema.filter((value) => {
        const millis = Option.getOrElse(Duration.toMillis(value), () => 0)
        return millis > 0 && millis <= maxDurationMillis
      })
    )
    .annotations({
      ...says('a time above 0 and up to 30 days: seconds, or a text such as "5 minutes"'),
      jsonSchema: {
        anyOf: [{ type: "number", exclusiveMinimum: 0, maximum: maxDurationMillis / 1000 }, { type: "string" }],
        description: `${description} Seconds, or a text such as "5 minutes".`,
        ...(fallback === undefined ? {} : { default: fallback })
      }
    })

const whole = (low: number, high: number, description: string, fallback?: number) =>
  Schema.Int.pipe(Schema.between(low, high)).annotations({
    ...says(`a whole number from ${low} to ${high}`),
    jsonSchema: {
      type: "integer",
      minimum: low,
      maximum: high,
      description,
      ...(fallback === undefined ? {} : { default: fallback })
    }
  })

const choice = <const L extends readonly [string, ...Array<string>]>(
  literals: L,
  description: string,
  fallback?: string
) =>
  Schema.Literal(...literals).annotations({
    ...says(`one of ${literals.join(", ")}`, literals),
    jsonSchema: { enum: literals, description, ...(fallback === undefined ? {} : { default: fallback }) }
  })

const list = (description: string, valid: (item: string) => boolean, expected: string) =>
  Schema.Array(Schema.String.pipe(Schema.filter(valid)).annotations(says(expected))).annotations({
    ...holds("a list of texts"),
    jsonSchema: { type: "array", items: { type: "string" }, description }
  })

const environment = Schema.Record({
  key: Schema.String.pipe(Schema.filter(Environment.isName)).annotations(says("the name of a variable")),
  value: Schema.String.pipe(Schema.filter((value) => !value.includes("\u0000"))).annotations(says("a text"))
}).annotations({
  ...holds("variables by name"),
  jsonSchema: {
    type: "object",
    description: "Variables for the agent, over what it gets anyway.",
    propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
    additionalProperties: { type: "string" }
  }
})

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const timeout = duration("After this time the agent is ended. Default: no limit.")
const startTimeout = duration("Time to the program's first event.", defaults.startTimeout)
const idleTimeout = duration("Time without any event or output while no tool call is open.", defaults.idleTimeout)
const permission = choice(
  Permission.literals,
  "What the agent may do: look, edit in its directory, run commands too, or anything. Default: its role's."
)
const delegate = choice(
  Delegate.literals,
  "The most that agents may do which this agent asks for; none: it cannot ask for any. Default: of an orchestrator its own permission, of others none."
)
const retries = whole(0, maxRetries, "More attempts after one that failed and left no trace of work.", defaults.retries)
const containment = choice(
  ["auto", "group", "namespace"],
  "How the agent is kept from leaving processes behind.",
  defaults.containment
)

const amount = (most: number, whole: boolean, description: string) =>
  Schema.Number.pipe(
    Schema.filter((value) => value > 0 && value <= most && (!whole || Number.isInteger(value)))
  ).annotations({
    ...says(`a ${whole ? "whole " : ""}number above 0, at most ${most}`),
    jsonSchema: { type: whole ? "integer" : "number", exclusiveMinimum: 0, maximum: most, description }
  })

const limits = {
  maxCostUsd: optional(amount(1_000_000, false, "US dollars, as the programs tell their cost.")),
  maxTokens: optional(amount(1_000_000_000_000, true, "Tokens in and out together."))
}

export const jobBudget = Schema.Struct(limits).annotations({
  ...holds('limits such as {"maxCostUsd": 5}'),
  description: "What all attempts of one agent together may spend."
})

export const runBudget = Schema.Struct({
  ...limits,
  unknownCost: optional(
    choice(
      ["warn", "refuse"],
      "About an agent whose program does not tell its cost, where cost is limited: say so, or do not start it.",
      defaults.unknownCost
    )
  )
}).annotations({
  ...holds('limits such as {"maxCostUsd": 5}'),
  description: "What the whole run may spend; when it is reached, nothing more is started."
})

export const AgentInput = Schema.Struct({
  role: text("Who the agent is: test, code, review, docs, debug, custom, orchestrator."),
  directory: text("Where it works; relative to this file."),
  task: optional(text("What it has to do.")),
  taskFile: optional(text("A file with the task, relative to this file; - is stdin.")),
  id: optional(
    AgentId.annotations({
      ...says("letters a-z, digits and dashes, at most 64"),
      jsonSchema: { type: "string", pattern: "^[a-z0-9][a-z0-9-]{0,63}$", description: "Its name in the run." }
    })
  ),
  tool: optional(text("The agent program for this agent.")),
  model: optional(text("The model, as its program names it.")),
  session: optional(
    SessionId.annotations({
      ...says("the id of a session: no blanks, no dash at its beginning"),
      jsonSchema: {
        type: "string",
        pattern: "^[^\\s-]\\S*$",
        maxLength: 200,
        description: "Continue this session of its program, by the sessionId of an earlier result."
      }
    })
  ),
  timeout: optional(timeout),
  startTimeout: optional(startTimeout),
  idleTimeout: optional(idleTimeout),
  permission: optional(permission),
  delegate: optional(delegate),
  env: optional(environment),
  retries: optional(retries),
  containment: optional(containment),
  budget: optional(jobBudget)
}).annotations(holds("an agent with role, directory and task"))
export type AgentInput = typeof AgentInput.Type

export const ToolInput = Schema.Struct({
  adapter: optional(
    text(
      "How to talk to it: a known tool, command, a module relative to this file (./my-tool.js), or a package. Default: the tool of this name, else command."
    )
  ),
  command: optional(
    Schema.NonEmptyArray(text("A word of the command.")).annotations({
      ...says("a list of texts that is not empty"),
      jsonSchema: {
        type: "array",
        minItems: 1,
        items: { type: "string" },
        description: "What to start, with its first arguments."
      }
    })
  ),
  args: optional(list("Arguments after ours.", (item) => !item.includes("\u0000"), "a text")),
  env: optional(environment),
  passEnv: optional(
    list(
      "Variables of yours that it gets; a trailing * stands for any ending.",
      Environment.isPattern,
      "a name, or the beginning of one and *"
    )
  ),
  output: optional(
    choice(
      ["text", "events"],
      "For adapter command: plain text, or the events of `mock`, one JSON object a line.",
      "text"
    )
  )
}).annotations(holds("settings such as command"))
export type ToolInput = typeof ToolInput.Type

export const MemoryInput = Schema.Struct({
  module: text("A module relative to this file (./my-store.js), or a package, that exports a memory backend."),
  options: optional(Schema.Unknown.annotations({ jsonSchema: { description: "What the module is given: any JSON." } }))
}).annotations({
  ...holds('a backend such as {"module": "./my-store.js"}'),
  description: "Another backend for the shared memory. Default: SQLite in the data folder."
})

export const RunInput = Schema.Struct({
  $schema: optional(Schema.String.annotations({ ...says("a text"), jsonSchema: { type: "string" } })),
  project: optional(
    Schema.String.pipe(Schema.filter(isProject)).annotations({
      ...says(projectExpected),
      jsonSchema: { type: "string", minLength: 1, maxLength: 200, description: "What groups the memories of this run." }
    })
  ),
  tool: optional(text("The agent program.", { default: defaults.tool })),
  workers: optional(whole(1, maxWorkers, "Agents at work at the same time.", defaults.workers)),
  timeout: optional(timeout),
  startTimeout: optional(startTimeout),
  idleTimeout: optional(idleTimeout),
  retryTimeout: optional(
    duration("How long a program may retry the same error of its provider.", defaults.retryTimeout)
  ),
  grace: optional(duration("From asking a program to end to ending it.", defaults.grace)),
  maxOutput: optional(
    Schema.Union(Schema.Number, Schema.String)
      .pipe(
        Schema.filter((value) => {
          const bytes = toBytes(value)
          return bytes !== undefined && bytes >= minOutput && bytes <= maxOutput
        })
      )
      .annotations({
        ...says('a size from "64 KiB" to "16 GiB": bytes, or a text with its unit'),
        jsonSchema: {
          anyOf: [{ type: "number", minimum: minOutput, maximum: maxOutput }, { type: "string" }],
          description: "Output of one attempt; beyond it the attempt fails. Bytes, or a text with its unit.",
          default: defaults.maxOutput
        }
      })
  ),
  permission: optional(permission),
  delegate: optional(delegate),
  retries: optional(retries),
  containment: optional(containment),
  budget: optional(runBudget),
  overlap: optional(
    choice(
      ["warn", "serialize", "refuse"],
      "About agents that may write the same files: say so, run them one after the other, or do not start.",
      defaults.overlap
    )
  ),
  runRetries: optional(
    whole(0, 100_000, "Further attempts of all agents together, within retries of each. Default: no limit.")
  ),
  runTimeout: optional(duration("After this time the whole run is ended; it can be resumed. Default: no limit.")),
  tools: optional(
    Schema.Record({ key: Schema.String, value: ToolInput }).annotations({
      ...holds("settings by the name of a tool"),
      description: "How tools are started, by name; a new name makes a new tool."
    })
  ),
  memory: optional(MemoryInput),
  agents: Schema.NonEmptyArray(AgentInput).annotations({
    ...holds("a list of agents that is not empty"),
    description: "The agents."
  })
})
export type RunInput = typeof RunInput.Type

/** What a queue is told once, for all jobs that come to it. */
export const QueueInput = Schema.Struct({
  ...RunInput.omit("$schema", "runTimeout", "agents").fields,
  maxQueueSize: optional(whole(0, 1_000_000, "How many jobs may wait before submit does; 0: no limit.", 0))
})
export type QueueInput = typeof QueueInput.Type

/** Both forms, for editors. */
export const FileInput = Schema.Union(Schema.NonEmptyArray(AgentInput), RunInput)
