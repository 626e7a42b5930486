import { ModuleError } from "@contextfs/memory/MemoryError"
import * as UserModule from "@contextfs/memory/UserModule"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Permission } from "../Job.js"
import type { ToolAdapter } from "../ToolAdapter.js"
import type { Loaded } from "../ToolModule.js"

const says = (expected: string) => ({ message: () => ({ message: `must be ${expected}`, override: true }) })
const callable = Schema.declare((value): value is () => unknown => typeof value === "function").annotations(
  says("a function")
)
const text = Schema.String.annotations(says("a text"))
const yes = Schema.Boolean.annotations(says("true or false"))

/** The shape of an adapter; what its functions do is for the conformance suite. */
const Shape = Schema.Struct({
  name: Schema.String.pipe(Schema.pattern(/^[a-z][a-z0-9-]{0,63}$/)).annotations(
    says("lower-case letters, digits and hyphens")
  ),
  description: text,
  program: Schema.NullOr(text).annotations(says("the program's name, or null")),
  command: Schema.optional(Schema.NonEmptyArray(text).annotations(says("a list of texts"))),
  output: Schema.Literal("events", "text").annotations(says('"events" or "text"')),
  exitAbove128: Schema.Literal("signal", "status").annotations(says('"signal" or "status"')),
  passEnv: callable,
  capabilities: Schema.Struct({
    permissions: Schema.Array(Permission).annotations(says(`a list of ${Permission.literals.join(", ")}`)),
    memory: yes,
    resume: yes,
    model: yes,
    cost: yes,
    turnLimit: Schema.optional(yes),
    systemPrompt: Schema.optional(yes),
    outputSchema: Schema.optional(yes)
  }),
  invocation: callable,
  decoder: callable
})
const decode = Schema.decodeUnknownEither(Shape, { errors: "all" })

export const problems = (value: unknown): ReadonlyArray<string> => {
  const decoded = decode(value)
  return Either.isRight(decoded)
    ? []
    : ParseResult.ArrayFormatter.formatErrorSync(decoded.left).map(({ _tag, message, path }) =>
        path.length === 0 ? "it is no object" : `${path.join(".")} ${_tag === "Missing" ? "is missing" : message}`
      )
}

const isAdapter = (value: unknown): value is ToolAdapter => problems(value).length === 0

export const load = (specifier: string, directory: string): Effect.Effect<Loaded, ModuleError> =>
  Effect.gen(function* () {
    const file = yield* UserModule.resolve(specifier, directory)
    const loaded = yield* UserModule.load(file)
    const adapter = loaded["default"] ?? loaded["adapter"]
    if (isAdapter(adapter)) return { file, adapter }
    return yield* new ModuleError({
      module: specifier,
      message:
        adapter === undefined
          ? "the module exports no tool adapter"
          : `the module's tool adapter is not whole: ${problems(adapter).join("; ")}`,
      hint: 'export a ToolAdapter as "default" or "adapter"'
    })
  })
