import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ModuleError, type StorageError } from "../MemoryError.js"
import type { MemoryStore } from "../MemoryStore.js"
import * as PromiseStore from "../PromiseStore.js"
import * as UserModule from "../UserModule.js"

type Loaded = Effect.Effect<Layer.Layer<MemoryStore, StorageError>, ModuleError>

const inCode = "memory"

export const fromBackend = (backend: unknown): Loaded => recognise(backend, inCode)

export const load = ({
  directory,
  module,
  options
}: {
  readonly module: string
  readonly directory: string
  readonly options?: unknown
}): Loaded =>
  Effect.gen(function* () {
    const file = yield* UserModule.resolve(module, directory)
    const loaded = yield* UserModule.load(file)
    const exported = loaded["default"] ?? loaded["memory"]
    if (typeof exported !== "function") return yield* recognise(exported, module)
    const made = yield* Effect.tryPromise({
      try: async (): Promise<unknown> => exported(options),
      catch: (cause) =>
        new ModuleError({
          module,
          message: `it does not take these options: ${cause instanceof Error ? cause.message : cause}`,
          hint: "give the options that the module asks for, as JSON"
        })
    })
    return yield* recognise(made, module)
  })

const recognise = (value: unknown, module: string): Loaded => {
  const fail = (message: string, hint: string) => new ModuleError({ module, message, hint })
  if (isMemoryLayer(value)) {
    const [theirs, ours] = [versionIn(value), versionIn(Effect.void)]
    return theirs === undefined || theirs === ours
      ? Effect.succeed(value)
      : fail(
          `its layer was built with effect ${theirs}, this is effect ${ours}: two copies do not work together`,
          `install effect ${ours} beside it, or write it as a store of promises, for which the version does not matter`
        )
  }
  if (isRecord(value) && "~effect/Layer" in value) {
    return fail(
      `its layer was built with effect 4 or newer, this is effect ${versionIn(Effect.void)}`,
      "write it as a store of promises, for which the version of effect does not matter"
    )
  }
  if (isStore(value)) return Effect.succeed(PromiseStore.layer(value))
  const missing = isRecord(value) ? PromiseStore.methods.filter((name) => typeof value[name] !== "function") : []
  return missing.length === 0 || missing.length === PromiseStore.methods.length
    ? fail(
        "it is neither a memory store nor a layer",
        'export one as "default" or "memory", or a function of its options that returns one'
      )
    : fail(`its store lacks ${missing.join(", ")}`, "a store has all methods of PromiseStore")
}

const isRecord = (value: unknown): value is Readonly<Record<PropertyKey, unknown>> =>
  typeof value === "object" && value !== null

/** What a layer gives cannot be seen before it is built. */
const isMemoryLayer = (value: unknown): value is Layer.Layer<MemoryStore, StorageError> => Layer.isLayer(value)

const isStore = (value: unknown): value is PromiseStore.PromiseStore =>
  isRecord(value) && PromiseStore.methods.every((name) => typeof value[name] === "function")

/** The version of Effect in the first effect inside; undefined where none can be seen. */
const versionIn = (value: unknown, depth = 0): string | undefined => {
  if (!isRecord(value) || depth > 8) return undefined
  const mark = value[Effect.EffectTypeId]
  if (isRecord(mark) && typeof mark["_V"] === "string") return mark["_V"]
  for (const inner of Object.values(value)) {
    const found = versionIn(inner, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
