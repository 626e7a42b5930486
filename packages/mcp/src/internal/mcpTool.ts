import * as JsonText from "@contextfs/memory/JsonText"
import type { Identity } from "@contextfs/memory/Memory"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as JSONSchema from "effect/JSONSchema"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Answer, Definition, JsonObject, Listing, McpTool } from "../McpTool.js"

export const make = <I, IE, O, OE extends JsonObject, R>(definition: Definition<I, IE, O, OE, R>): McpTool<R> => {
  const { name, title, description, hints } = definition
  const decode = Schema.decodeUnknown(definition.input, { onExcessProperty: "error", errors: "all" })
  const encode = Schema.encode(definition.output)

  const answer = (input: I, caller: Identity): Effect.Effect<Answer, never, R> =>
    Effect.gen(function* () {
      const output = yield* definition.handler(input, caller)
      const structured = yield* Effect.orDie(encode(output))
      return {
        ok: true,
        text: definition.text(output),
        structured,
        record: definition.record?.(input, output) ?? {}
      } as const
    }).pipe(
      Effect.catchTag("ToolError", (error) =>
        Effect.succeed(failed(error.message, definition.record?.(input, undefined)))
      ),
      // The agent has to know that nothing was done; an interruption is not an answer.
      Effect.catchAllDefect((defect) =>
        Effect.succeed(failed(`internal error: ${Cause.pretty(Cause.die(defect)).split("\n", 1)[0]}`))
      )
    )

  return {
    name,
    listing: (): Listing => ({
      name,
      title,
      description,
      inputSchema: objectSchema(definition.input),
      outputSchema: objectSchema(definition.output),
      annotations: {
        title,
        readOnlyHint: hints.readOnly,
        destructiveHint: hints.destructive,
        idempotentHint: hints.idempotent,
        openWorldHint: false
      }
    }),
    call: (args, caller) => {
      // To the schema it would be no key at all.
      const forbidden = JsonText.forbiddenKey(args)
      if (forbidden !== undefined) return Effect.succeed(failed(`${name}: the key "${forbidden}" is not allowed`))
      return decode(args ?? {}).pipe(
        Effect.matchEffect({
          onFailure: (error) => Effect.succeed(failed(`${name}: ${problems(error)}`)),
          onSuccess: (input) => answer(input, caller)
        })
      )
    }
  }
}

const failed = (text: string, record: Answer["record"] = {}): Answer => ({ ok: false, text, record })

/** One line a parameter, however many alternatives its type has. */
const problems = (error: ParseResult.ParseError): string => {
  const byPath = new Map<string, Array<string>>()
  for (const { path, message } of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const name = path.length === 0 ? "arguments" : path.join(".")
    byPath.set(name, [...(byPath.get(name) ?? []), message])
  }
  return [...byPath].map(([name, messages]) => `${name}: ${alternatives(messages)}`).join("\n")
}

/** `Expected "a", actual "x"` and `Expected "b", actual "x"` → `expected one of "a", "b", actual "x"`. */
const alternatives = (messages: ReadonlyArray<string>): string => {
  const parts = messages.map((message) => /^Expected (.*), actual (.*)$/s.exec(message))
  const wanted = parts.flatMap((part) => part?.[1] ?? [])
  return messages.length > 1 && wanted.length === messages.length
    ? `expected one of ${wanted.join(", ")}, actual ${parts[0]?.[2] ?? ""}`
    : messages.join("; ")
}

const objectSchema = <A, I>(schema: Schema.Schema<A, I>): JsonObject => {
  const made = bare(JSONSchema.make(schema))
  // A struct without fields would come as "anything".
  return "properties" in made
    ? { type: "object", ...made }
    : { type: "object", properties: {}, additionalProperties: false }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Without the generated `$schema`, `$id` and titles: they say nothing, and an `$id` twice breaks validators. */
const bare = (schema: unknown): JsonObject => {
  if (!isObject(schema)) return {}
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): ReadonlyArray<readonly [string, unknown]> => {
      if (key === "$schema" || key === "$id" || key === "title") return []
      if (key === "properties" || key === "$defs") {
        if (!isObject(value)) return []
        return [[key, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, bare(each)]))]]
      }
      if (key === "anyOf" && Array.isArray(value)) return [[key, value.map(bare)]]
      return [[key, (key === "items" || key === "additionalProperties") && isObject(value) ? bare(value) : value]]
    })
  )
}
