import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, describe, expect } from "vitest"
import type { Identity } from "../src/Memory.js"
import * as MemoryModule from "../src/MemoryModule.js"
import { layerMemory, MemoryStore, type StorageError } from "../src/MemoryStore.js"
import * as PromiseStore from "../src/PromiseStore.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-memory-module-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))
let count = 0
const module = (text: string): string => {
  const name = `./m${++count}.mjs`
  fs.writeFileSync(path.join(root, name), text)
  return name
}
const by: Identity = { project: "p", namespace: "global", trust: "user", sourceTool: "test" }

const memory = {
  ...by,
  id: "abcdef123456",
  type: "fact",
  summary: null,
  content: "text",
  tags: [],
  structuredData: null,
  files: [],
  authoritative: false,
  createdAt: 1,
  updatedAt: 1,
  supersededBy: null
} as const
const refuse = () => Promise.reject(new Error("not asked for"))
/** A store that answers what it is told to. */
const store = (more: Partial<PromiseStore.PromiseStore>): PromiseStore.PromiseStore => ({
  save: refuse,
  search: refuse,
  get: refuse,
  list: refuse,
  update: refuse,
  evolve: refuse,
  link: refuse,
  links: refuse,
  delete: refuse,
  events: refuse,
  ...more
})
const asked = <A, E>(
  of: PromiseStore.PromiseStore,
  use: (store: Context.Tag.Service<MemoryStore>) => Effect.Effect<A, E>
) => Effect.flatMap(MemoryStore, use).pipe(Effect.provide(PromiseStore.layer(of)))
const named = (name: string, more: object = {}) => Object.assign(new Error("of the store"), { name, ...more })

describe("a module", () => {
  it.effect("may be a store, or a function of its options, at once or later, as default or memory", () =>
    Effect.gen(function* () {
      const methods = PromiseStore.methods.map((name) => `${name}: async () => []`).join(", ")
      const forms = [
        `export default { ${methods} }`,
        `export const memory = { ${methods} }`,
        `export default ({ n }) => ({ ${methods}, list: async () => { if (n !== 1) throw new Error("n"); return [] } })`,
        `export const memory = async (options) => ({ ${methods} })`
      ]
      for (const text of forms) {
        const layer = yield* MemoryModule.load({ module: module(text), directory: root, options: { n: 1 } })
        const found = yield* Effect.flatMap(MemoryStore, (store) => store.list({})).pipe(Effect.provide(layer))
        expect(found).toEqual([])
      }
    })
  )

  it.effect("is refused in one line that says what it lacks", () =>
    Effect.gen(function* () {
      const cases = [
        ["export const other = 1", /neither a memory store nor a layer/],
        ["export default 7", /neither a memory store nor a layer/],
        ["export default { save() {}, get() {} }", /its store lacks search, list, update/],
        ['export default () => { throw new Error("say which file") }', /does not take these options: say which file/],
        ["export default () => undefined", /neither/],
        ['export default { "~effect/Layer": {} }', /built with effect 4 or newer, this is effect 3\.\d+/]
      ] as const
      for (const [text, message] of cases) {
        const name = module(text)
        const error = yield* Effect.flip(MemoryModule.load({ module: name, directory: root }))
        expect(error).toMatchObject({ _tag: "ModuleError", module: name })
        expect(error.message).toMatch(message)
        expect(error.hint).not.toBe("")
      }
    })
  )

  it.effect("may give a layer of the same version of Effect, and no other", () =>
    Effect.gen(function* () {
      const layers: ReadonlyArray<Layer.Layer<MemoryStore, StorageError>> = [
        layerMemory,
        Layer.succeed(
          MemoryStore,
          yield* Effect.provide(MemoryStore, PromiseStore.layer(store({ list: async () => [] })))
        ),
        Layer.effect(MemoryStore, MemoryStore).pipe(Layer.provide(layerMemory))
      ]
      for (const layer of layers) {
        const built = yield* MemoryModule.fromBackend(layer)
        yield* Effect.flatMap(MemoryStore, (store) => store.list({})).pipe(Effect.provide(built))
      }
      // As a layer of another copy looks: the same symbols, another version inside.
      const foreign = (layer: object): object =>
        Object.assign(Object.create(Object.getPrototypeOf(layer)), {
          ...layer,
          effect: { [Effect.EffectTypeId]: { _V: "3.0.1" } }
        })
      const [, succeed] = layers
      const error = yield* Effect.flip(MemoryModule.fromBackend(foreign(succeed ?? {})))
      expect(error.message).toMatch(/^its layer was built with effect 3\.0\.1, this is effect 3\.\d+\.\d+: /)
    })
  )
})

describe("a store of promises", () => {
  it.effect("is given what has been checked, with nothing left out", () =>
    Effect.gen(function* () {
      const given: Array<unknown> = []
      const of = store({
        save: async (draft) => {
          given.push(draft)
          return { memory, outcome: "created" }
        },
        search: async (query) => {
          given.push(query.limit)
          return []
        },
        get: async () => ({ ...memory, tags: ["old"], summary: "old" }),
        evolve: async (_, draft) => {
          given.push([draft.tags, draft.summary])
          return memory
        },
        update: async (_, changes) => {
          given.push(changes)
          return memory
        }
      })
      yield* asked(of, (store) => store.save({ content: "text", tags: ["a", " a ", ""] }, by))
      yield* asked(of, (store) => store.search({ query: "x", limit: 1_000_000 }))
      yield* asked(of, (store) => store.evolve("abcdef", { content: "new", additionalTags: ["more"] }, by))
      yield* asked(of, (store) => store.update("abcdef", { tags: ["b", "b"] }, by))
      expect(given).toEqual([
        {
          type: "fact",
          content: "text",
          summary: null,
          tags: ["a"],
          structuredData: null,
          files: [],
          authoritative: false
        },
        100,
        [["old", "more"], null],
        { tags: ["b"] }
      ])
      for (const input of [
        { content: " " },
        { content: "x", type: "todo", structuredData: { title: 1, status: "?" } }
      ] as const) {
        expect((yield* Effect.flip(asked(store({}), (store) => store.save(input, by))))._tag).toBe("InvalidMemory")
      }
      const heavy = { from: "abcdef", to: "bcdefg", relation: "supports", weight: 2 } as const
      expect((yield* Effect.flip(asked(store({}), (store) => store.link(heavy, by))))._tag).toBe("InvalidMemory")
    })
  )

  it.effect("fails as its errors are named; what they may not be, or is no answer, is a StorageError", () =>
    Effect.gen(function* () {
      const fails = (error: unknown) => store({ get: () => Promise.reject(error), list: () => Promise.reject(error) })
      const get = (error: unknown) => Effect.flip(asked(fails(error), (store) => store.get("abcdef", {})))
      expect(yield* get(named("MemoryNotFound"))).toMatchObject({ _tag: "MemoryNotFound", id: "abcdef" })
      expect(yield* get(named("AmbiguousId", { candidates: ["x", "y"] }))).toMatchObject({
        _tag: "AmbiguousId",
        candidates: ["x", "y"]
      })
      expect(yield* get(named("MemoryConflict", { head: "h" }))).toMatchObject({ _tag: "StorageError" })
      expect(yield* get("a text")).toMatchObject({
        _tag: "StorageError",
        message: "the memory backend failed to get: a text"
      })
      const list = yield* Effect.flip(asked(fails(named("MemoryNotFound")), (store) => store.list({})))
      expect(list._tag).toBe("StorageError")
      const liar = store({ list: async () => [memory, JSON.parse('{"id": "short"}')] })
      const answer = yield* Effect.flip(asked(liar, (store) => store.list({})))
      expect(answer).toMatchObject({ _tag: "StorageError" })
      expect(answer.message).toMatch(/^the memory backend failed to list: its answer is not what it should be: 1/)
      // One that throws instead of rejecting is no different.
      const thrower = store({
        list: () => {
          throw new Error("at once")
        }
      })
      expect((yield* Effect.flip(asked(thrower, (store) => store.list({})))).message).toMatch(/at once/)
    })
  )

  it.effect("is closed once, when nobody uses it any more", () =>
    Effect.gen(function* () {
      let closed = 0
      const of = store({
        list: async () => {
          expect(closed).toBe(0)
          return []
        },
        close: async () => {
          closed += 1
        }
      })
      yield* asked(of, (store) => store.list({}))
      expect(closed).toBe(1)
    })
  )
})
