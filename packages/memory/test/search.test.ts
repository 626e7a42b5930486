import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { identifierParts, identifiers, queryWords } from "../src/internal/words.js"
import type { Identity } from "../src/Memory.js"
import { layerMemory, MemoryStore, type SearchQuery } from "../src/MemoryStore.js"

const by = (more: Partial<Identity> = {}): Identity => ({
  project: "p",
  namespace: "global",
  trust: "agent",
  sourceTool: "agent-test",
  ...more
})

const store = <A, E>(body: Effect.Effect<A, E, MemoryStore>) => Effect.provide(body, Layer.fresh(layerMemory))

const contents = (query: SearchQuery) =>
  Effect.flatMap(MemoryStore, (memory) =>
    Effect.map(memory.search(query), (hits) => hits.map((hit) => hit.memory.content))
  )

describe("search", () => {
  it.effect("any text is a valid query", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "Auth tokens: see src/auth.ts, v0.2.35 (OR NEAR AND NOT)" }, by())
        const run = Effect.runSync
        const anything = FastCheck.oneof(
          Arbitrary.make(Schema.String),
          FastCheck.string({ unit: "binary", maxLength: 200 }),
          FastCheck.stringMatching(/^[\s"'*:^(){}+\-.,?/\\ANDORTNE0-9]{0,40}$/)
        )
        FastCheck.assert(
          FastCheck.property(anything, (query) => Array.isArray(run(memory.search({ query, project: "p" })))),
          { numRuns: 2000 }
        )
        for (const query of [
          "auth?",
          "'tokens'",
          'src/auth.ts"',
          "v0.2.35",
          "(auth",
          "tokens-",
          "OR",
          "NOT auth",
          "x".repeat(1e6)
        ]) {
          const found = yield* memory.search({ query })
          expect([query.slice(0, 10), found.length]).toEqual([query.slice(0, 10), query.startsWith("xx") ? 0 : 1])
        }
      })
    )
  )

  it.effect("nothing fits, nothing returned: no words, unknown words, marks alone, other scopes", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "the only record" }, by())
        for (const query of ["", "  ", "?!", "unknown", "\u0301", "𞤀", "🙂", "\0"]) {
          expect([query, yield* contents({ query, project: "p" })]).toEqual([query, []])
        }
        expect(yield* contents({ query: "record", project: "q" })).toEqual([])
        expect(yield* contents({ query: "record", project: "p", namespace: "n" })).toEqual([])
      })
    )
  )

  it.effect("scope and every filter come before rank: one record among a thousand better ones is found", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save(
          { content: "a long text in which deploy is said once among many other words", type: "doc", tags: ["rare"] },
          by({ project: "small", namespace: "n", role: "docs", runId: "r", jobId: "j", repo: "x", sourceTool: "t" })
        )
        for (let n = 0; n < 1000; n++) {
          yield* memory.save({ content: `deploy deploy ${n}`, summary: "deploy" }, by({ project: "big" }))
        }
        for (const filter of [
          { project: "small" },
          { namespace: "n" },
          { types: ["doc" as const] },
          { tags: ["rare"] },
          { role: "docs" },
          { runId: "r" },
          { jobId: "j" },
          { repo: "x" },
          { sourceTool: "t" }
        ]) {
          const found = yield* contents({ query: "deploy", limit: 1, ...filter })
          expect([filter, found.length, found[0]?.startsWith("a long")]).toEqual([filter, 1, true])
        }
        expect((yield* contents({ query: "deploy", limit: 1000 })).length).toBe(100)
        expect((yield* contents({ query: "deploy" })).length).toBe(5)
      })
    )
  )

  it.effect("finds identifiers and paths whole and in parts, tags, files, data, and other forms of a word", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save(
          {
            content: "getUserById in packages/core/src/user-store.ts fails for sha256Digest",
            tags: ["test-agent"],
            files: ["lib/session_cache.py"],
            structuredData: { resolution: "clamp the offset" }
          },
          by()
        )
        yield* memory.save({ content: "unrelated" }, by())
        for (const query of [
          "getUserById",
          "user by id",
          "packages/core/src/user-store.ts",
          "user-store",
          "digest",
          "test-agent",
          "session_cache.py",
          "clamping",
          "failing"
        ]) {
          expect([query, (yield* contents({ query })).length]).toEqual([query, 1])
        }
      })
    )
  )

  it.effect("a task description finds what one of its words names, in a small memory", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "We store sessions in Redis", type: "decision" }, by())
        const query = "Implement the logout endpoint of the auth module so that all sessions of a user end at once"
        expect(yield* contents({ query, project: "p" })).toEqual(["We store sessions in Redis"])
      })
    )
  )

  it.effect("in a memory that has something to go by, one common word of many is no answer", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        for (let n = 0; n < 200; n++) yield* memory.save({ content: `service number${n} uses port${n}` }, by())
        expect(yield* contents({ query: "quantum banana service recipe", project: "p" })).toEqual([])
        expect(yield* contents({ query: "service number7", project: "p", limit: 1 })).toEqual([
          "service number7 uses port7"
        ])
      })
    )
  )

  it.effect("a summary weighs more than content, and equal scores keep the order of saving", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "cache says the text here" }, by())
        yield* memory.save({ content: "nothing of it in this text", summary: "cache" }, by())
        expect((yield* contents({ query: "cache" }))[0]).toBe("nothing of it in this text")
        for (const n of ["one", "two", "three"]) yield* memory.save({ content: `equal ${n}` }, by())
        expect(yield* contents({ query: "equal" })).toEqual(["equal one", "equal two", "equal three"])
      })
    )
  )

  it.effect("what alone shares an identifier with the best answer comes with it, after better matches", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        yield* memory.save({ content: "The nightly import fails with a timeout in jobs/import_users.ts" }, by())
        yield* memory.save({ content: "jobs/import_users.ts holds one connection per row" }, by())
        yield* memory.save({ content: "jobs/other_thing.ts holds none" }, by())
        expect(yield* contents({ query: "why does the nightly run fail?" })).toEqual([
          "The nightly import fails with a timeout in jobs/import_users.ts",
          "jobs/import_users.ts holds one connection per row"
        ])
        expect((yield* contents({ query: "why does the nightly run fail?", limit: 1 })).length).toBe(1)
        expect((yield* contents({ query: "nightly", project: "other" })).length).toBe(0)
      })
    )
  )

  it.effect("no text makes saving or finding it slow", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const begun = performance.now()
        for (const piece of ["a", "A", "aA", "-", "a-", ".", "/", "1a", "#1", "\u0301", "🙂", "_a", "\n", "<"]) {
          const text = `find ${piece.repeat(65_000 / Buffer.byteLength(piece))} me`
          const { memory: saved } = yield* memory.save({ content: text, summary: "needle" }, by())
          yield* memory.search({ query: text, project: "p" })
          yield* memory.search({ query: "needle", limit: 1 })
          yield* memory.delete(saved.id, by())
        }
        // A pattern that tries every start against every end needs minutes for these.
        expect(performance.now() - begun).toBeLessThan(20_000)
      })
    )
  )

  it("splits words as promised", () => {
    expect(queryWords("What is the Größe of AuthTOKEN, auth-token?", 10)).toEqual([
      "größe",
      "authtoken",
      "auth",
      "token"
    ])
    expect(queryWords("to be or not to be", 10)).toEqual(["to", "be", "or", "not"])
    expect(identifiers("See src/auth.ts, #42, user-store (getUser) v1.2.3. Plain words... and a.b --- #")).toEqual([
      "src/auth.ts",
      "#42",
      "user-store",
      "getUser",
      "v1.2.3"
    ])
    expect(identifierParts("getHTTPServer2 snake_case sha256 abc aB plain")).toEqual([
      "get",
      "http",
      "server",
      "2",
      "sha",
      "256"
    ])
  })
})
