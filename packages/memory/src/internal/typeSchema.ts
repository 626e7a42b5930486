import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { MemoryType, StructuredData } from "../Memory.js"

/** Takes what can be read as the wanted form; the JSON Schema shows that form alone. */
const lenient = <A, I>(wanted: Schema.Schema<A, I>, read: (given: unknown) => unknown) =>
  Schema.transform(Schema.Unknown, wanted, { strict: false, decode: read, encode: (value) => value })

const readNumber = (given: unknown) =>
  typeof given === "string" && given.trim() !== "" && Number.isFinite(Number(given)) ? Number(given) : given
const text = lenient(Schema.String, (given) =>
  typeof given === "number" || typeof given === "boolean" ? String(given) : given
)
const number = lenient(Schema.JsonNumber, readNumber)
const integer = lenient(Schema.Int, readNumber)
const flag = lenient(Schema.Boolean, (given) => (given === "true" ? true : given === "false" ? false : given))
const object = Schema.Record({ key: Schema.String, value: Schema.Unknown })

const list = <A, I>(item: Schema.Schema<A, I>) =>
  lenient(Schema.Array(item), (given) => (Array.isArray(given) ? given : [given]))

/** One of some words, in any case, with spaces and hyphens for underscores. */
const choice = <const Words extends ReadonlyArray<string>>(...words: Words) => {
  const plain = (word: string) =>
    word
      .trim()
      .toLowerCase()
      .replace(/[\s-]+/g, "_")
  return lenient(Schema.Literal(...words), (given) =>
    typeof given === "string" ? (words.find((word) => plain(word) === plain(given)) ?? given) : given
  )
}

const open = <Fields extends Schema.Struct.Fields>(fields: Fields) => Schema.Struct(fields, object)
const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const priority = choice("low", "medium", "high", "critical")
const field = open({ name: text, type: optional(text), required: optional(flag), description: optional(text) })

interface Shape {
  readonly decode: (data: unknown) => Either.Either<StructuredData, ParseResult.ParseError>
  readonly jsonSchema: () => { readonly [key: string]: unknown }
}

const shapeOf = <A extends StructuredData, I>(schema: Schema.Schema<A, I>): Shape => ({
  decode: (data) => Schema.decodeUnknownEither(schema, { errors: "all" })(data),
  jsonSchema: () => ({ ...JSONSchema.make(Schema.typeSchema(schema)) })
})

const shapes: { readonly [Type in MemoryType]?: Shape } = {
  decision: shapeOf(
    open({
      decision: text,
      rationale: optional(text),
      alternatives: optional(list(text)),
      constraints: optional(list(text)),
      date: optional(text),
      status: optional(choice("proposed", "accepted", "deprecated", "superseded"))
    })
  ),
  procedural: shapeOf(
    open({
      steps: list(text),
      title: optional(text),
      prerequisites: optional(list(text)),
      notes: optional(text)
    })
  ),
  error: shapeOf(
    open({
      error_type: text,
      message: text,
      stack_trace: optional(text),
      file: optional(text),
      line: optional(integer),
      resolution: optional(text)
    })
  ),
  api: shapeOf(
    open({
      endpoint: text,
      method: optional(choice("GET", "POST", "PUT", "PATCH", "DELETE")),
      request_schema: optional(object),
      response_schema: optional(object),
      parameters: optional(list(field))
    })
  ),
  todo: shapeOf(
    open({
      title: text,
      status: optional(choice("pending", "in_progress", "completed", "blocked", "cancelled")),
      priority: optional(priority),
      assignee: optional(text),
      due_date: optional(text),
      checklist: optional(list(open({ item: text, done: optional(flag) })))
    })
  ),
  issue: shapeOf(
    open({
      title: text,
      severity: optional(priority),
      status: optional(choice("open", "investigating", "resolved", "closed", "wontfix")),
      steps_to_reproduce: optional(list(text)),
      expected_behavior: optional(text),
      actual_behavior: optional(text),
      resolution: optional(text)
    })
  ),
  test: shapeOf(
    open({
      name: text,
      type: optional(choice("unit", "integration", "e2e", "performance", "security")),
      status: optional(choice("passing", "failing", "skipped", "flaky")),
      file: optional(text),
      assertions: optional(list(text)),
      coverage: optional(number)
    })
  ),
  config: shapeOf(
    open({
      name: text,
      environment: optional(choice("development", "staging", "production", "test")),
      settings: optional(object),
      secrets: optional(list(text).annotations({ description: "names only, never values" }))
    })
  ),
  dependency: shapeOf(
    open({
      name: text,
      version: text,
      latest_version: optional(text),
      type: optional(choice("runtime", "dev", "peer", "optional")),
      vulnerabilities: optional(list(text)),
      changelog_url: optional(text)
    })
  ),
  release: shapeOf(
    open({
      version: text,
      date: optional(text),
      changes: optional(list(text)),
      breaking_changes: optional(list(text)),
      deprecations: optional(list(text)),
      contributors: optional(list(text))
    })
  ),
  review: shapeOf(
    open({
      status: choice("pending", "approved", "changes_requested", "commented"),
      pr_number: optional(integer),
      reviewer: optional(text),
      comments: optional(list(open({ file: optional(text), line: optional(integer), comment: text }))),
      summary: optional(text)
    })
  ),
  schema: shapeOf(
    open({
      name: text,
      type: optional(choice("database", "api", "event", "message", "config")),
      fields: optional(list(field)),
      relationships: optional(list(text))
    })
  )
}

/** Other names in use for a field. */
const aliases: Partial<Record<MemoryType, Readonly<Record<string, string>>>> = {
  test: { test_type: "type" },
  dependency: { dep_type: "type" },
  schema: { schema_type: "type" }
}

const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map(withoutNulls)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]]))
  )
}

const renamed = (type: MemoryType, data: StructuredData): unknown => {
  const names = aliases[type] ?? {}
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      const name = names[key] ?? key
      return name !== key && name in data ? [] : [[name, value]]
    })
  )
}

export const decode = (type: MemoryType, data: StructuredData): Either.Either<StructuredData, string> => {
  const shape = shapes[type]
  if (shape === undefined) return Either.right(data)
  return Either.mapLeft(shape.decode(withoutNulls(renamed(type, data))), (error) =>
    ParseResult.ArrayFormatter.formatErrorSync(error)
      .map(({ path, message }) => `structured_data${path.map((part) => `.${String(part)}`).join("")}: ${message}`)
      .join("\n")
  )
}

export const typeSchema = (type: MemoryType): { readonly [key: string]: unknown } =>
  shapes[type]?.jsonSchema() ?? {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    additionalProperties: true
  }
