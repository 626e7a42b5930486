import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Driver from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { type Identity, maxContentBytes, memoryTypes, relations } from "../src/Memory.js"
import { layerMemory, layerSqlite, MemoryStore } from "../src/MemoryStore.js"

const by = (more: Partial<Identity> = {}): Identity => ({
  project: "p",
  namespace: "global",
  trust: "agent",
  sourceTool: "agent-test",
  ...more
})

type Attempt = Effect.Effect<unknown, { readonly _tag: string }>

/** A store in a file of its own, with the name of the file. */
const inFile = <A, E>(body: (file: string) => Effect.Effect<A, E, MemoryStore>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-memory-"))),
    (folder) => {
      const file = path.join(folder, "memory.db")
      return body(file).pipe(Effect.provide(layerSqlite({ path: file })))
    },
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
  )

const rowsOf = (file: string, query: string): ReadonlyArray<unknown> => {
  const db = new Driver(file, { readonly: true })
  try {
    return db.prepare(query).all()
  } finally {
    db.close()
  }
}

const store = <A, E>(body: Effect.Effect<A, E, MemoryStore>) => Effect.provide(body, Layer.fresh(layerMemory))

describe("MemoryStore", () => {
  it.effect("what is saved comes back whole, by id, by prefix, in lists, in search and after opening again", () =>
    inFile((file) =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const author = by({
          role: "test",
          agentId: "a",
          runId: "r",
          jobId: "j",
          repo: "x",
          branch: "main",
          commit: "c"
        })
        yield* TestClock.adjust("5 seconds")
        const { memory: saved, outcome } = yield* memory.save(
          {
            content: "Tokens expire after 15 minutes",
            type: "decision",
            summary: " Token lifetime ",
            tags: ["auth", "test-agent", "auth ", ""],
            structuredData: { decision: "15 minutes", alternatives: "an hour", own: { deep: [1] } },
            files: ["src/auth.ts"],
            authoritative: true
          },
          author
        )
        expect(outcome).toBe("created")
        expect(saved).toEqual({
          ...author,
          id: expect.stringMatching(/^[a-z0-9]{12}$/),
          type: "decision",
          content: "Tokens expire after 15 minutes",
          summary: "Token lifetime",
          tags: ["auth", "test-agent"],
          structuredData: { decision: "15 minutes", alternatives: ["an hour"], own: { deep: [1] } },
          files: ["src/auth.ts"],
          authoritative: true,
          createdAt: 5000,
          updatedAt: 5000,
          supersededBy: null
        })
        for (const id of [saved.id, saved.id.slice(0, 6), ` ${saved.id.toUpperCase()} `]) {
          expect(yield* memory.get(id, { project: "p" })).toEqual(saved)
        }
        expect(yield* memory.list({ project: "p" })).toEqual([saved])
        expect((yield* memory.search({ query: "token" })).map((hit) => hit.memory)).toEqual([saved])
        const again = yield* Effect.flatMap(MemoryStore, (other) => other.get(saved.id, {})).pipe(
          Effect.provide(Layer.fresh(layerSqlite({ path: file })))
        )
        expect(again).toEqual(saved)
      })
    )
  )

  it.effect("the same content again is one memory: tags and data united, the repeat an event of its own author", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const first = yield* memory.save(
          { content: "same", tags: ["a"], structuredData: { x: 1 } },
          by({ jobId: "j1" })
        )
        const second = yield* memory.save(
          { content: "same\n", tags: ["b"], summary: "now with one", structuredData: { y: 2 } },
          by({ jobId: "j2", runId: "r2" })
        )
        expect(second).toEqual({
          outcome: "merged",
          memory: {
            ...first.memory,
            tags: ["a", "b"],
            summary: "now with one",
            structuredData: { x: 1, y: 2 }
          }
        })
        expect((yield* memory.list({})).length).toBe(1)
        expect((yield* memory.list({ tags: ["b", "a"] })).length).toBe(1)
        expect((yield* memory.search({ query: "one" })).length).toBe(1)
        expect((yield* memory.events({})).map((event) => [event.kind, event.by.jobId])).toEqual([
          ["created", "j1"],
          ["merged", "j2"]
        ])
        expect((yield* memory.events({ runId: "r2" })).map((event) => event.memory.id)).toEqual([first.memory.id])
        const elsewhere = [by({ project: "q" }), by({ namespace: "n" })]
        for (const other of elsewhere) expect((yield* memory.save({ content: "same" }, other)).outcome).toBe("created")
        expect((yield* memory.save({ content: "same", type: "code" }, by())).outcome).toBe("created")
      })
    )
  )

  it.effect("an agent cannot reword what the user said by saving it again", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "c", summary: "mine", structuredData: { a: 1 } }, by({ trust: "user" }))
        const repeat = yield* memory.save({ content: "c", summary: "theirs", structuredData: { a: 2, b: 3 } }, by())
        expect(repeat.memory).toMatchObject({ summary: "mine", structuredData: { a: 1, b: 3 }, trust: "user" })
      })
    )
  )

  it.effect("deleted: gone from every default answer, its links with it; the same text can be saved anew", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: old } = yield* memory.save({ content: "rotten apple" }, by())
        const { memory: friend } = yield* memory.save({ content: "fresh pear" }, by())
        yield* memory.link({ from: friend.id, to: old.id, relation: "related_to" }, by())
        yield* memory.delete(old.id, by({ jobId: "j" }))
        expect((yield* Effect.flip(memory.get(old.id, {})))._tag).toBe("MemoryNotFound")
        expect((yield* Effect.flip(memory.delete(old.id, by())))._tag).toBe("MemoryNotFound")
        expect(yield* memory.search({ query: "rotten" })).toEqual([])
        expect((yield* memory.list({})).map(({ id }) => id)).toEqual([friend.id])
        expect((yield* memory.list({ hidden: true })).length).toBe(2)
        expect(yield* memory.links(friend.id, {})).toEqual([])
        const again = yield* memory.save({ content: "rotten apple" }, by())
        expect(again.outcome).toBe("created")
        expect(again.memory.id).not.toBe(old.id)
        expect((yield* memory.events({ jobId: "j" })).map(({ kind, memory: { id } }) => [kind, id])).toEqual([
          ["deleted", old.id]
        ])
      })
    )
  )

  it.effect("evolve keeps data, tags and place, names its own author, links both ways and hides the old one", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: old } = yield* memory.save(
          { content: "port 80", type: "config", tags: ["net"], structuredData: { name: "port" }, files: ["a"] },
          by({ namespace: "n", jobId: "j1", role: "code" })
        )
        const next = yield* memory.evolve(
          old.id.slice(0, 8),
          { content: "port 8080", additionalTags: ["new"] },
          by({ namespace: "elsewhere", jobId: "j2" })
        )
        expect(next).toMatchObject({
          type: "config",
          content: "port 8080",
          tags: ["net", "new"],
          structuredData: { name: "port" },
          files: ["a"],
          namespace: "n",
          jobId: "j2"
        })
        expect(next.role).toBeUndefined()
        expect((yield* memory.get(old.id, {})).supersededBy).toBe(next.id)
        expect((yield* memory.search({ query: "port" })).map((hit) => hit.memory.id)).toEqual([next.id])
        expect((yield* memory.list({})).map(({ id }) => id)).toEqual([next.id])
        expect((yield* memory.links(old.id, {})).map(({ from, to, relation }) => [from, relation, to])).toEqual([
          [old.id, "evolved_into", next.id],
          [next.id, "evolved_from", old.id]
        ])
        const last = yield* memory.evolve(next.id, { content: "port 443", preserveTags: false }, by())
        expect(last.tags).toEqual([])
        for (const late of [
          memory.evolve(old.id, { content: "x" }, by()),
          memory.update(old.id, { content: "x" }, by())
        ]) {
          expect(yield* Effect.flip(late)).toMatchObject({ _tag: "MemoryConflict", id: old.id, head: last.id })
        }
      })
    )
  )

  it.live("of many who evolve the same memory at once one wins, and the others are told the new head", () =>
    inFile((file) =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: old } = yield* memory.save({ content: "start" }, by())
        const connection = (n: number) =>
          Effect.flatMap(MemoryStore, (own) => Effect.either(own.evolve(old.id, { content: `by ${n}` }, by()))).pipe(
            Effect.provide(Layer.fresh(layerSqlite({ path: file })))
          )
        const results = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8], connection, { concurrency: "unbounded" })
        const winners = results.filter(Either.isRight).map(({ right }) => right.id)
        expect(winners.length).toBe(1)
        for (const lost of results.filter(Either.isLeft)) {
          expect(lost.left).toMatchObject({ _tag: "MemoryConflict", head: winners[0] })
        }
      })
    )
  )

  it.effect(
    "ids: a prefix that fits several names them all; short ones, wildcards and other projects find nothing",
    () =>
      inFile((file) =>
        Effect.gen(function* () {
          const memory = yield* MemoryStore
          yield* memory.save({ content: "one" }, by())
          yield* memory.save({ content: "two" }, by())
          const db = new Driver(file)
          db.exec("UPDATE memories SET id = 'abcdef00000' || row")
          db.close()
          expect(yield* Effect.flip(memory.get("abcdef", {}))).toMatchObject({
            _tag: "AmbiguousId",
            candidates: ["abcdef000001", "abcdef000002"]
          })
          expect((yield* memory.get("abcdef000002", {})).content).toBe("two")
          expect(yield* Effect.flip(memory.get("abcde", {}))).toMatchObject({ _tag: "AmbiguousId", candidates: [] })
          for (const id of ["", "%", "abcde_", "abcdef%", "abcdef*", "abcdef0000010", "zzzzzz", "ABCDEF'"]) {
            expect((yield* Effect.flip(memory.get(id, {})))._tag).toBe("MemoryNotFound")
          }
          const foreign = by({ project: "other" })
          const attempts: ReadonlyArray<Attempt> = [
            memory.get("abcdef000001", { project: "other" }),
            memory.delete("abcdef000001", foreign),
            memory.update("abcdef000001", { content: "x" }, foreign),
            memory.evolve("abcdef000001", { content: "x" }, foreign),
            memory.link({ from: "abcdef000001", to: "abcdef000002", relation: "supports" }, foreign)
          ]
          for (const tried of attempts) {
            expect((yield* Effect.flip(tried))._tag).toBe("MemoryNotFound")
          }
          expect((yield* memory.list({})).length).toBe(2)
        })
      )
  )

  it.effect("every relation can be stored, with an inverse that is a relation too; a bad weight cannot", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: a } = yield* memory.save({ content: "a" }, by())
        const { memory: b } = yield* memory.save({ content: "b" }, by())
        for (const relation of relations) {
          yield* memory.link({ from: a.id, to: b.id, relation, weight: 0.5, bidirectional: true }, by())
        }
        const links = yield* memory.links(a.id, {})
        expect(links.filter(({ from }) => from === a.id).map(({ relation }) => relation)).toEqual([...relations].sort())
        expect(links.filter(({ from }) => from === b.id).length).toBeGreaterThan(15)
        expect(links).toContainEqual({ from: b.id, to: a.id, relation: "child_of", weight: 0.5 })
        yield* memory.link({ from: a.id, to: b.id, relation: "supports" }, by())
        expect(yield* memory.links(a.id, {})).toContainEqual({ from: a.id, to: b.id, relation: "supports", weight: 1 })
        for (const weight of [-0.1, 1.1, Number.NaN]) {
          const wrong = memory.link({ from: a.id, to: b.id, relation: "supports", weight }, by())
          expect((yield* Effect.flip(wrong))._tag).toBe("InvalidMemory")
        }
        const self = memory.link({ from: a.id, to: a.id, relation: "supports" }, by())
        expect((yield* Effect.flip(self))._tag).toBe("InvalidMemory")
      })
    )
  )

  it.effect("update changes in place, clears what is empty, keeps search true and refuses to make a twin", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: a } = yield* memory.save({ content: "alpha", summary: "s", tags: ["t"] }, by())
        yield* memory.save({ content: "beta" }, by())
        yield* TestClock.adjust("1 second")
        const updated = yield* memory.update(a.id, { content: "gamma", summary: "", tags: [], type: "doc" }, by())
        expect(updated).toEqual({ ...a, content: "gamma", summary: null, tags: [], type: "doc", updatedAt: 1000 })
        expect(yield* memory.search({ query: "alpha" })).toEqual([])
        expect((yield* memory.search({ query: "gamma" })).length).toBe(1)
        expect(yield* memory.list({ tags: ["t"] })).toEqual([])
        const twin = memory.update(a.id, { content: "beta", type: "fact" }, by())
        expect((yield* Effect.flip(twin))._tag).toBe("InvalidMemory")
        expect((yield* memory.get(a.id, {})).content).toBe("gamma")
      })
    )
  )

  it.effect("refuses what cannot be stored, and stores nothing of it", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const circular: Record<string, unknown> = {}
        circular["self"] = circular
        for (const input of [
          { content: "" },
          { content: " \n" },
          { content: "ä".repeat(maxContentBytes / 2 + 1) },
          { content: "x", type: "todo" as const, structuredData: { title: "t", status: "whatever" } },
          { content: "x", structuredData: circular },
          { content: "x", tags: ["t".repeat(500)] }
        ]) {
          expect((yield* Effect.flip(memory.save(input, by())))._tag).toBe("InvalidMemory")
        }
        expect(yield* memory.list({ hidden: true })).toEqual([])
        expect(yield* memory.events({})).toEqual([])
        const whole = yield* memory.save({ content: "ä".repeat(maxContentBytes / 2) }, by())
        expect(Buffer.byteLength(whole.memory.content)).toBe(maxContentBytes)
        const half = yield* memory.save({ content: "half \ud800 and \0 nul" }, by())
        expect((yield* memory.get(half.memory.id, {})).content).toBe("half \ufffd and  nul")
        for (const type of memoryTypes) yield* memory.save({ content: "every type", type }, by())
        expect((yield* memory.list({ limit: 100 })).length).toBe(memoryTypes.length + 2)
      })
    )
  )

  it.effect("lists newest first, in an order that does not depend on luck, filtered before the limit", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const save = (content: string, more: Partial<Identity>) => memory.save({ content }, by(more))
        yield* save("wanted", { project: "rare", role: "code", runId: "r", jobId: "j", repo: "x", sourceTool: "t" })
        for (let n = 0; n < 60; n++) yield* save(`other ${n}`, {})
        expect((yield* memory.list({})).map(({ content }) => content)).toEqual(
          Array.from({ length: 10 }, (_, n) => `other ${59 - n}`)
        )
        for (const filter of [
          { project: "rare" },
          { role: "code" },

          { runId: "r" },
          { jobId: "j" },
          { repo: "x" },
          { sourceTool: "t" }
        ]) {
          expect((yield* memory.list({ ...filter, limit: 5 })).map(({ content }) => content)).toEqual(["wanted"])
        }
        expect((yield* memory.list({ limit: -1 })).length).toBe(1)
        expect((yield* memory.list({ limit: 1e9 })).length).toBe(61)
      })
    )
  )

  it.effect("the change feed goes on from any sequence and knows project, run and job", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        for (let n = 0; n < 5; n++) yield* memory.save({ content: `${n}` }, by({ runId: `r${n % 2}`, jobId: `j${n}` }))
        yield* memory.save({ content: "q" }, by({ project: "q" }))
        const all = yield* memory.events({})
        expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
        expect(yield* memory.events({ since: 2, limit: 2 })).toEqual(all.slice(2, 4))
        expect((yield* memory.events({ runId: "r1" })).map(({ by }) => by.jobId)).toEqual(["j1", "j3"])
        expect((yield* memory.events({ project: "q" })).length).toBe(1)
        expect((yield* memory.events({ project: "p", since: 5 })).length).toBe(0)
      })
    )
  )

  it.effect("row, index, tags, edges and event are one transaction: a fault in the last undoes all", () =>
    inFile((file) =>
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const { memory: kept } = yield* memory.save({ content: "kept", tags: ["t"] }, by())
        const db = new Driver(file)
        db.exec("CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END")
        db.close()
        const attempts: ReadonlyArray<Attempt> = [
          memory.save({ content: "lost", tags: ["lost"] }, by()),
          memory.save({ content: "kept", tags: ["lost"] }, by()),
          memory.evolve(kept.id, { content: "lost" }, by()),
          memory.update(kept.id, { content: "lost" }, by()),
          memory.delete(kept.id, by())
        ]
        for (const tried of attempts) {
          expect((yield* Effect.flip(tried))._tag).toBe("StorageError")
        }
        expect(yield* memory.list({ hidden: true })).toEqual([kept])
        expect(yield* memory.search({ query: "lost" })).toEqual([])
        expect(rowsOf(file, "SELECT tag FROM tags")).toEqual([{ tag: "t" }])
        expect(rowsOf(file, "SELECT * FROM edges")).toEqual([])
        expect(rowsOf(file, "SELECT count(*) AS n FROM word_index")).toEqual([{ n: 1 }])
      })
    )
  )
})
