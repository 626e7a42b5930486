import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { instructions, memoryTools } from "../src/MemoryTools.js"
import { viewTools } from "../src/ViewTools.js"
import { tester } from "./harness.js"

const coder = { ...tester, namespace: "repo-bbbbbbbbbbbb", sourceTool: "agent-code", role: "code", agentId: "coder" }

const call = (name: string, args: unknown, caller = tester) =>
  Effect.gen(function* () {
    const tool = memoryTools.find((tool) => tool.name === name)
    if (tool === undefined) return yield* Effect.dieMessage(`no tool ${name}`)
    return yield* tool.call(args, caller)
  })

const done = (name: string, args: unknown, caller = tester) =>
  Effect.flatMap(call(name, args, caller), (answer) =>
    answer.ok ? Effect.succeed(answer) : Effect.dieMessage(`${name} failed: ${answer.text}`)
  )

const save = (content: string, more: object = {}, caller = tester) =>
  Effect.map(done("contextfs_save", { content, ...more }, caller), ({ record }) => record.memoryIds?.[0] ?? "")

it("names the nine tools, and every one in what the server says of itself or in a description", () => {
  expect(memoryTools.map(({ name }) => name).sort()).toEqual(
    ["save", "search", "recall", "list", "evolve", "link", "update", "delete", "get_type_schema"]
      .map((name) => `contextfs_${name}`)
      .sort()
  )
  expect(instructions).toContain("contextfs_search")
})

describe.each([...memoryTools, ...viewTools].map((tool) => [tool.name, tool.listing()] as const))(
  "%s",
  (_, listing) => {
    it("shows schemas that are objects, closed, with a description of every parameter", () => {
      for (const schema of [listing.inputSchema, listing.outputSchema]) {
        expect(schema).toMatchObject({ type: "object", additionalProperties: false })
        expect(JSON.stringify(schema)).not.toMatch(/"\$id"|"\$schema"|\[Circular/)
      }
      const { properties } = listing.inputSchema
      for (const [name, property] of Object.entries(properties ?? {})) {
        expect(property, name).toMatchObject({ description: expect.stringMatching(/^[A-Z`f]/) })
      }
      expect(listing.annotations).toMatchObject({ openWorldHint: false })
    })
  }
)

describe("in a memory", () => {
  const test = <E>(name: string, body: () => Effect.Effect<void, E, MemoryStore.MemoryStore>) =>
    it.effect(name, () => body().pipe(Effect.provide(Layer.fresh(MemoryStore.layerMemory))))

  test("what is saved carries who saved it, and the tag of the role, whatever the input says", () =>
    Effect.gen(function* () {
      const id = yield* save("Sessions are kept in Redis", { type: "decision", tags: ["auth"], summary: "Redis" })
      const store = yield* MemoryStore.MemoryStore
      expect(yield* store.get(id, {})).toMatchObject({ ...tester, type: "decision", summary: "Redis" })
      expect((yield* store.get(id, {})).tags.toSorted()).toEqual(["auth", "test-agent"])
      const forged = yield* call("contextfs_save", { content: "x", role: "review", runId: "other", trust: "user" })
      expect(forged).toMatchObject({
        ok: false,
        text: expect.stringMatching(/role: is unexpected[\s\S]*trust: is unexpected/)
      })
      expect(yield* store.list({})).toHaveLength(1)
    }))

  test("another project is refused by name, read and write, and the own one is accepted", () =>
    Effect.gen(function* () {
      yield* save("Secret of another project", {}, { ...tester, project: "other" })
      for (const [name, args] of [
        ["contextfs_save", { content: "x" }],
        ["contextfs_search", { query: "Secret" }],
        ["contextfs_list", {}],
        ["contextfs_update", { id: "abcdefgh" }]
      ] as const) {
        const refused = yield* call(name, { ...args, project: "other" })
        expect(refused).toMatchObject({ ok: false, text: expect.stringContaining('project "shop"') })
      }
      expect((yield* done("contextfs_search", { query: "Secret", project: "shop" })).structured).toEqual({ hits: [] })
      const store = yield* MemoryStore.MemoryStore
      expect(yield* store.list({ project: "shop" })).toEqual([])
    }))

  test("a memory of another project is not there for recall, evolve, link, update and delete", () =>
    Effect.gen(function* () {
      const id = yield* save("Theirs", {}, { ...tester, project: "other" })
      const own = yield* save("Ours")
      for (const [name, args] of [
        ["contextfs_recall", { id }],
        ["contextfs_evolve", { memory_id: id, new_content: "y" }],
        ["contextfs_link", { from_id: own, to_id: id, relation: "related_to" }],
        ["contextfs_update", { id, content: "z" }],
        ["contextfs_delete", { id }]
      ] as const) {
        expect(yield* call(name, args)).toMatchObject({ ok: false, text: expect.stringContaining(id) })
      }
      const store = yield* MemoryStore.MemoryStore
      expect(yield* store.get(id, {})).toMatchObject({ content: "Theirs", supersededBy: null })
    }))

  test("search reaches all repositories of the project, and only the caller's own with cross_repo false", () =>
    Effect.gen(function* () {
      const mine = yield* save("The cache key holds the tenant")
      const theirs = yield* save("The cache is flushed on deploy", {}, coder)
      const ids = (args: object) =>
        Effect.map(done("contextfs_search", { query: "cache", ...args }), ({ record }) => record.memoryIds)
      expect((yield* ids({}))?.toSorted()).toEqual([mine, theirs].sort())
      expect(yield* ids({ cross_repo: false })).toEqual([mine])
      expect(yield* ids({ source_tool: "agent-code" })).toEqual([theirs])
      expect(yield* ids({ type: "error" })).toEqual([])
      expect((yield* ids({ query: "code-agent" }))?.[0]).toBe(theirs)
    }))

  test("the same content again is merged and said to be", () =>
    Effect.gen(function* () {
      const id = yield* save("Same", { tags: ["a"] })
      const again = yield* done("contextfs_save", { content: "Same", tags: ["b"] })
      expect(again.structured).toMatchObject({ outcome: "merged", memory: { id } })
      expect(again.text).toMatch(/Already saved/)
    }))

  test("the same content with another summary rewords nothing, and the agent is told how to", () =>
    Effect.gen(function* () {
      const first = { summary: "First", structured_data: { a: 1 } }
      const id = yield* save("Same", first)
      const other = { content: "Same", summary: "Second", structured_data: { a: 2 } }
      const again = yield* done("contextfs_save", other)
      expect(again.structured).toMatchObject({ memory: { id, summary: "First" }, kept: ["summary", "structured_data"] })
      expect(again.text).toContain('Its summary stays "First": contextfs_update changes it.')
      expect((yield* done("contextfs_recall", { id })).structured).toMatchObject({ memory: first })
    }))

  test("what is wrong with a number, an id or a project is said with what is right", () =>
    Effect.gen(function* () {
      const id = yield* save("One")
      const told = (name: string, args: unknown, caller = tester) =>
        Effect.map(call(name, args, caller), ({ text }) => text)
      expect(yield* told("contextfs_search", { query: "x", limit: 1_000 })).toContain(
        "limit: Expected a whole number from 1"
      )
      const far = { from_id: id, to_id: id, relation: "supports", weight: 2 }
      expect(yield* told("contextfs_link", far)).toContain("weight: Expected a number from 0 to 1, actual 2")
      expect(yield* told("contextfs_recall", { id: "zzzzzzzz" })).toContain("contextfs_list")
      const nameless = { ...tester, project: "p".repeat(3_000) }
      expect(yield* told("contextfs_save", { content: "x" }, nameless)).toContain("at most 200 characters")
      expect(yield* done("contextfs_list", {}, nameless)).toMatchObject({ structured: { memories: [] } })
    }))

  test("evolving an old version names the new one; the new one has the evolver's tag", () =>
    Effect.gen(function* () {
      const first = yield* save("Version one", { tags: ["keep"] })
      const second = yield* done("contextfs_evolve", { memory_id: first, new_content: "Version two" }, coder)
      expect(second.structured).toMatchObject({ memory: { tags: expect.arrayContaining(["keep", "code-agent"]) } })
      const head = second.record.memoryIds?.[0] ?? "none"
      expect(yield* call("contextfs_evolve", { memory_id: first, new_content: "Mine" })).toMatchObject({
        ok: false,
        text: expect.stringContaining(head)
      })
    }))

  test("link, update, list, recall and delete do what they say", () =>
    Effect.gen(function* () {
      const one = yield* save("x".repeat(5_000), { type: "code" })
      const two = yield* save("Two")
      yield* done("contextfs_link", { from_id: one.slice(0, 6), to_id: two, relation: "supports" })
      yield* done("contextfs_update", { id: two, content: "Two, corrected", tags: ["t"] })
      expect((yield* done("contextfs_recall", { id: two })).structured).toMatchObject({
        memory: { content: "Two, corrected" }
      })
      const listed = yield* done("contextfs_list", { limit: 5 })
      expect(listed.structured).toMatchObject({
        memories: [{ id: two }, { id: one, cut: true, excerpt: "x".repeat(400) }]
      })
      expect((yield* done("contextfs_recall", { id: one })).text).toContain("x".repeat(5_000))
      yield* done("contextfs_delete", { id: two })
      expect(yield* call("contextfs_recall", { id: two })).toMatchObject({ ok: false })
      expect((yield* done("contextfs_list", {})).record.memoryIds).toEqual([one])
    }))

  test("a wrong value is told in one line a parameter", () =>
    Effect.gen(function* () {
      const bad = yield* call("contextfs_save", { content: "x", type: "nonsense", structured_data: [1] })
      expect(bad.ok).toBe(false)
      expect(bad.text.split("\n")).toHaveLength(2)
      expect(bad.text).toMatch(/type: expected one of "fact", .*, actual "nonsense"/)
      expect(yield* call("contextfs_search", { query: "x", limit: 0 })).toMatchObject({ ok: false })
      expect(yield* call("contextfs_search", undefined)).toMatchObject({
        ok: false,
        text: expect.stringContaining("query")
      })
      expect(yield* call("contextfs_save", { content: "" })).toMatchObject({ ok: false })
    }))

  test("the schema of a type is JSON Schema", () =>
    Effect.gen(function* () {
      const { structured } = yield* done("contextfs_get_type_schema", { memory_type: "decision" })
      expect(JSON.stringify(structured)).toMatch(/rationale/)
    }))
})
