import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Identity, Memory, Relation } from "../Memory.js"
import { AmbiguousId, InvalidMemory, MemoryConflict, MemoryNotFound, StorageError } from "../MemoryError.js"
import { MemoryStore, type MemoryStoreService } from "../MemoryStore.js"
import type { PromiseStore } from "../PromiseStore.js"
import * as draft from "./draft.js"
import { limitOf } from "./rows.js"
import { plain } from "./words.js"

const Saved = Schema.Struct({ memory: Memory, outcome: Schema.Literal("created", "merged") })
const Hits = Schema.Array(Schema.Struct({ memory: Memory, score: Schema.Number }))
const Link = Schema.Struct({ from: Schema.String, to: Schema.String, relation: Relation, weight: Schema.Number })
const Events = Schema.Array(
  Schema.Struct({
    sequence: Schema.Number,
    at: Schema.Number,
    kind: Schema.Literal("created", "merged", "updated", "evolved", "linked", "deleted"),
    by: Identity,
    memory: Memory
  })
)

export const methods = [
  "save",
  "search",
  "get",
  "list",
  "update",
  "evolve",
  "link",
  "links",
  "delete",
  "events"
] as const satisfies ReadonlyArray<keyof PromiseStore>

const Thrown = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  id: Schema.optionalWith(Schema.String, { exact: true }),
  candidates: Schema.optionalWith(Schema.Array(Schema.String), { exact: true }),
  head: Schema.optionalWith(Schema.String, { exact: true })
})
const isThrown = Schema.is(Thrown)

type Failure = MemoryNotFound | AmbiguousId | InvalidMemory | MemoryConflict | StorageError
type Tag = Failure["_tag"]

const failureOf = (method: string, asked: string, cause: unknown): Failure => {
  if (isThrown(cause)) {
    const { candidates, head, id = asked, message, name } = cause
    if (name === "MemoryNotFound") return new MemoryNotFound({ id })
    if (name === "AmbiguousId") return new AmbiguousId({ id, candidates: candidates ?? [] })
    if (name === "InvalidMemory") return new InvalidMemory({ message })
    if (name === "MemoryConflict") return new MemoryConflict({ id, head: head ?? id })
  }
  return storageError(method, cause instanceof Error ? cause.message : `${cause}`, cause)
}

const storageError = (method: string, message: string, cause: unknown) =>
  new StorageError({ message: `the memory backend failed to ${method}: ${message}`, cause })

const isOf =
  <T extends Tag>(tags: ReadonlyArray<T>) =>
  (failure: Failure): failure is Extract<Failure, { readonly _tag: T }> =>
    tags.some((tag) => tag === failure._tag)

/** Asks the store; an error that the method may not have, or an answer that is none, is a `StorageError`. */
const ask = <A, I, T extends Tag>(
  method: string,
  id: string,
  schema: Schema.Schema<A, I>,
  tags: ReadonlyArray<T>,
  body: () => Promise<unknown>
): Effect.Effect<A, Extract<Failure, { readonly _tag: T }> | StorageError> =>
  Effect.tryPromise({ try: async () => body(), catch: (cause) => failureOf(method, id, cause) }).pipe(
    Effect.catchAll((failure) =>
      Effect.fail(
        failure._tag === "StorageError" || isOf(tags)(failure)
          ? failure
          : storageError(method, failure.message, failure)
      )
    ),
    Effect.flatMap((answer) =>
      Effect.mapError(Schema.decodeUnknown(schema)(answer), (error) =>
        storageError(
          method,
          `its answer is not what it should be: ${ParseResult.ArrayFormatter.formatErrorSync(error)
            .slice(0, 3)
            .map(({ message, path }) => `${path.join(".")} ${message}`)
            .join("; ")}`,
          error
        )
      )
    )
  )

const missing = ["MemoryNotFound", "AmbiguousId"] as const
const changing = [...missing, "InvalidMemory", "MemoryConflict"] as const

export const layer = (store: PromiseStore): Layer.Layer<MemoryStore> =>
  Layer.scoped(
    MemoryStore,
    Effect.acquireRelease(Effect.succeed(service(store)), () => Effect.promise(async () => store.close?.()))
  )

const service = (store: PromiseStore): MemoryStoreService => {
  const get: MemoryStoreService["get"] = (id, scope) => ask("get", id, Memory, missing, () => store.get(id, scope))
  return {
    get,
    save: (input, by) =>
      Effect.flatMap(draft.fromInput(input, by), (checked) =>
        Effect.map(
          ask("save", "", Saved, ["InvalidMemory"], () => store.save(checked, by)),
          (saved) => (saved.outcome === "merged" ? draft.merged(saved.memory, checked) : saved)
        )
      ),
    search: (query) =>
      ask("search", "", Hits, [], () =>
        store.search({ ...query, query: plain(query.query), limit: limitOf(query.limit, 5, 100) })
      ),
    list: (query) =>
      ask("list", "", Schema.Array(Memory), [], () => store.list({ ...query, limit: limitOf(query.limit, 10, 1000) })),
    update: (id, input, by) =>
      Effect.gen(function* () {
        const old = yield* get(id, { project: by.project })
        const { content, summary, tags, type } = yield* draft.check({ ...old, ...input })
        return yield* ask("update", id, Memory, changing, () =>
          store.update(
            id,
            {
              ...(input.content === undefined ? {} : { content }),
              ...(input.type === undefined ? {} : { type }),
              ...(input.summary === undefined ? {} : { summary }),
              ...(input.tags === undefined ? {} : { tags })
            },
            by
          )
        )
      }),
    evolve: (id, { additionalTags = [], content, preserveTags, summary }, by) =>
      Effect.gen(function* () {
        const old = yield* get(id, { project: by.project })
        const kept = preserveTags === false ? [] : old.tags
        const next = { ...old, content, summary: summary ?? null, tags: [...kept, ...additionalTags] }
        const checked = yield* draft.check(next)
        return yield* ask("evolve", id, Memory, changing, () => store.evolve(id, checked, by))
      }),
    link: ({ bidirectional = false, weight = 1, ...ends }, by) =>
      weight >= 0 && weight <= 1
        ? ask("link", ends.from, Link, [...missing, "InvalidMemory"], () =>
            store.link({ ...ends, bidirectional, weight }, by)
          )
        : new InvalidMemory({ message: `weight is ${weight}: give a number from 0 to 1` }),
    links: (id, scope) => ask("links", id, Schema.Array(Link), missing, () => store.links(id, scope)),
    delete: (id, by) => ask("delete", id, Memory, missing, () => store.delete(id, by)),
    events: (query) =>
      ask("events", "", Events, [], () => store.events({ ...query, limit: limitOf(query.limit, 100, 1000) }))
  }
}
