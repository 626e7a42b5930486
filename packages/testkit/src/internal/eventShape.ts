/** The documented shape of `AgentEvent`, for adapters that no compiler has seen. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const failure = {
  class: Schema.Literal("auth", "rate", "quota", "context", "server", "network", "turns", "permission", "other"),
  message: Schema.String,
  status: optional(Schema.JsonNumber),
  resetsAt: optional(Schema.JsonNumber)
}

const Event = Schema.Union(
  Schema.Struct({
    kind: Schema.Literal("started"),
    sessionId: optional(Schema.String),
    model: optional(Schema.String),
    failedServers: optional(Schema.Array(Schema.String))
  }),
  Schema.Struct({ kind: Schema.Literal("message"), text: Schema.String, delta: optional(Schema.Boolean) }),
  Schema.Struct({
    kind: Schema.Literal("toolCall"),
    id: Schema.String,
    name: Schema.String,
    input: optional(Schema.Unknown)
  }),
  Schema.Struct({
    kind: Schema.Literal("toolResult"),
    id: Schema.String,
    name: optional(Schema.String),
    ok: Schema.Boolean,
    denied: optional(Schema.Boolean),
    message: optional(Schema.String)
  }),
  Schema.Struct({
    kind: Schema.Literal("usage"),
    usage: Schema.Struct({
      inputTokens: optional(Schema.JsonNumber),
      outputTokens: optional(Schema.JsonNumber),
      cachedTokens: optional(Schema.JsonNumber),
      costUsd: optional(Schema.JsonNumber),
      turns: optional(Schema.JsonNumber)
    })
  }),
  Schema.Struct({
    kind: Schema.Literal("limit"),
    limit: Schema.Struct({
      ...failure,
      attempt: optional(Schema.JsonNumber),
      retryInMs: optional(Schema.JsonNumber)
    })
  }),
  Schema.Struct({
    kind: Schema.Literal("finished"),
    ok: Schema.Boolean,
    text: optional(Schema.String),
    error: optional(Schema.Struct(failure)),
    denials: optional(Schema.Array(Schema.Struct({ tool: Schema.String, message: Schema.String })))
  })
)

const decodeEvents = Schema.decodeUnknownEither(Schema.Array(Event), { onExcessProperty: "error" })

/** What is wrong with the events of one line; undefined where nothing is. */
export const eventProblem = (events: unknown): string | undefined =>
  Either.match(decodeEvents(events), {
    onLeft: (error) => ParseResult.TreeFormatter.formatErrorSync(error),
    onRight: () => undefined
  })
