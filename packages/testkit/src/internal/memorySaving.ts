/** Saving, and reading what was saved. */
import assert from "node:assert/strict"
import { maxContentBytes, memoryTypes } from "@contextfs/memory/Memory"
import * as Effect from "effect/Effect"
import { by, check, contents, failure, put } from "./memoryCheck.js"

const author = by({
  role: "test",
  agentId: "agent-1",
  runId: "run-1",
  jobId: "job-1",
  repo: "shop",
  branch: "main",
  commit: "c0ffee"
})

const texts = [
  "plain",
  "two\nlines\r\nand\ta tab",
  '\'; DROP TABLE memories; -- "quoted" `so` \\ % _ *',
  "ünïcödé 漢字 مرحبا 😀 e\u0301",
  '{"type":"result","ok":true}',
  "x".repeat(maxContentBytes)
]

export const saving = [
  check("save: what is saved comes back whole, with its author", function* (store) {
    const input = {
      content: "Tokens expire after 15 minutes",
      type: "decision",
      summary: "Token lifetime",
      tags: ["auth", "test-agent"],
      structuredData: { decision: "15 minutes", rationale: "short" },
      files: ["src/auth.ts"],
      authoritative: true
    } as const
    const { memory, outcome } = yield* store.save(input, author)
    assert.equal(outcome, "created")
    assert.match(memory.id, /^[a-z0-9]{12}$/)
    const { id, createdAt, updatedAt, ...rest } = memory
    assert.deepEqual({ ...rest }, { ...author, ...input, supersededBy: null })
    assert.ok(createdAt > 0 && updatedAt === createdAt, `created at ${createdAt}, updated at ${updatedAt}`)
    assert.deepEqual(yield* store.get(id, { project: "one" }), memory)
    assert.deepEqual(yield* store.list({}), [memory])
  }),
  check("save: what is not given is fact, null or empty", function* (store) {
    const memory = yield* put(store, "only content")
    const { type, summary, tags, structuredData, files, authoritative, supersededBy, role, runId } = memory
    assert.deepEqual(
      { type, summary, tags, structuredData, files, authoritative, supersededBy, role, runId },
      {
        type: "fact",
        summary: null,
        tags: [],
        structuredData: null,
        files: [],
        authoritative: false,
        supersededBy: null,
        role: undefined,
        runId: undefined
      }
    )
  }),
  check("save: every type and any text, up to the largest, comes back as it was", function* (store) {
    for (const content of texts) {
      const { id } = yield* put(store, content)
      assert.equal((yield* store.get(id, {})).content, content)
    }
    for (const type of memoryTypes) assert.equal((yield* put(store, { content: "typed", type })).type, type)
    assert.equal((yield* store.list({ limit: 1_000 })).length, texts.length + memoryTypes.length)
  }),
  check("save: control characters are no part of what is said, so that every word is found", function* (store) {
    const memory = yield* put(store, {
      content: "ze\u0000bra \u001b[1;31mgir\u001baffe\u001b[0m\n\ttab",
      summary: "oka\u0007pi \u001b]0;title\u0007",
      tags: ["quag\u0008ga", "\u0000"],
      structuredData: { seen: "ele\u0000phant" }
    })
    const { content, structuredData, summary, tags } = memory
    assert.deepEqual(
      { content, summary, structuredData, tags },
      { content: "zebra giraffe\n\ttab", summary: "okapi", structuredData: { seen: "elephant" }, tags: ["quagga"] }
    )
    for (const query of ["zebra", "giraffe", "okapi", "quagga", "ze\u0000bra", "\u001b[1mgiraffe"]) {
      const hits = yield* store.search({ query })
      assert.deepEqual(
        hits.map(({ memory: { id } }) => id),
        [memory.id],
        `search ${JSON.stringify(query)}`
      )
    }
    assert.equal((yield* store.save({ content: "zebra giraffe\n\ttab" }, by())).memory.id, memory.id)
  }),
  check("save: a project has a name that can be read", function* (store) {
    for (const project of ["", " ", "p".repeat(201), "two\nlines", "nu\u0000l"]) {
      const { message } = yield* failure(
        store.save({ content: "x" }, by({ project })),
        "InvalidMemory",
        `saving in project ${JSON.stringify(project.slice(0, 20))}`
      )
      assert.match(message, /project/)
    }
    assert.deepEqual(yield* store.list({ hidden: true }), [])
    yield* put(store, "x", { project: "p".repeat(200) })
  }),
  check("save: the same content again in a project is merged, its tags united", function* (store) {
    const first = yield* put(store, { content: "same", tags: ["a", "b"] })
    const { memory, outcome } = yield* store.save({ content: "same", tags: ["b", "c"] }, by({ jobId: "job-2" }))
    assert.equal(outcome, "merged")
    assert.equal(memory.id, first.id)
    assert.deepEqual([...memory.tags].sort(), ["a", "b", "c"])
    assert.deepEqual(yield* store.list({}), [memory])
    assert.deepEqual(yield* store.list({ tags: ["a", "c"] }), [memory])
  }),
  check("save: what is there says what it said, whatever the same content is saved with again", function* (store) {
    const first = { content: "same", summary: "first", structuredData: { a: 1 }, files: ["a.ts"] }
    const { id } = yield* put(store, first)
    const again = { content: "same\n", summary: "second", structuredData: { a: 2, b: 3 }, files: ["b.ts"] }
    // Whoever saves it: to reword it there is `update`.
    for (const trust of ["agent", "user"] as const) {
      const saved = yield* store.save(again, by({ trust }))
      const { content, files, structuredData, summary } = saved.memory
      assert.equal(saved.memory.id, id)
      assert.deepEqual(
        { content, summary, structuredData, files: [...files].sort() },
        { ...first, structuredData: { a: 1, b: 3 }, files: ["a.ts", "b.ts"] },
        `saved again with trust ${trust}`
      )
      assert.deepEqual(saved.kept, ["summary", "structuredData"], "what is told to have been kept")
      assert.deepEqual(yield* store.get(id, {}), saved.memory)
    }
    const bare = yield* put(store, "bare")
    const filled = yield* store.save({ content: "bare", summary: "filled", structuredData: { a: 1 } }, by())
    assert.deepEqual(
      { ...filled, memory: { ...filled.memory, updatedAt: bare.updatedAt } },
      { outcome: "merged", memory: { ...bare, summary: "filled", structuredData: { a: 1 } } }
    )
  }),
  check("save: the same content in another project, or of another type, is another memory", function* (store) {
    const first = yield* put(store, "same")
    for (const [type, project] of [
      ["fact", "two"],
      ["code", "one"]
    ] as const) {
      const { memory, outcome } = yield* store.save({ content: "same", type }, by({ project }))
      assert.equal(outcome, "created", `${type} in project ${project}`)
      assert.notEqual(memory.id, first.id)
    }
  }),
  check(
    "save: what is empty, too large or not of its type's schema is refused, and nothing of it kept",
    function* (store) {
      for (const input of [
        { content: "" },
        { content: " \n" },
        { content: "ä".repeat(maxContentBytes / 2 + 1) },
        { content: "x", type: "todo", structuredData: { title: "t", status: "no such status" } }
      ] as const) {
        yield* failure(store.save(input, by()), "InvalidMemory", `saving ${JSON.stringify(input).slice(0, 80)}`)
      }
      assert.deepEqual(yield* store.list({ hidden: true }), [])
      assert.deepEqual(yield* store.events({}), [])
    }
  ),
  check("save: of many at once none is lost, and equal ones become one", function* (store) {
    const saved = yield* Effect.forEach(
      Array.from({ length: 120 }, (_, n) => n),
      (n) => store.save({ content: `text ${n % 60}`, tags: [`tag-${n}`] }, by({ jobId: `job-${n}` })),
      { concurrency: "unbounded" }
    )
    assert.equal(saved.filter(({ outcome }) => outcome === "created").length, 60)
    const all = yield* store.list({ limit: 1_000 })
    assert.deepEqual(new Set(contents(all)), new Set(Array.from({ length: 60 }, (_, n) => `text ${n}`)))
    assert.equal(all.length, 60)
    assert.equal(new Set(all.flatMap(({ tags }) => tags)).size, 120, "tags of merged saves")
    assert.equal((yield* store.events({ limit: 1_000 })).length, 120, "events")
  }),
  check("get: the whole id or any prefix of 6 names a memory; one that fits several names them all", function* (store) {
    for (let n = 0; n < 40; n += 1) yield* put(store, `text ${n}`)
    const all = yield* store.list({ limit: 1_000 })
    assert.equal(all.length, 40)
    for (const memory of all) {
      for (const length of [6, 9, 12]) {
        const prefix = memory.id.slice(0, length)
        const fitting = all.filter(({ id }) => id.startsWith(prefix))
        if (fitting.length === 1) {
          assert.deepEqual(yield* store.get(prefix, {}), memory)
          continue
        }
        const { candidates } = yield* failure(store.get(prefix, {}), "AmbiguousId", `${fitting.length} ids ${prefix}…`)
        for (const candidate of candidates) assert.ok(candidate.startsWith(prefix), `candidate ${candidate}`)
        assert.ok(candidates.length > 1 && candidates.length <= fitting.length, `${candidates.length} candidates`)
      }
    }
  }),
  check("get: a prefix that is too short, a wildcard or an unknown id names nothing", function* (store) {
    const { id } = yield* put(store, "text")
    const { candidates } = yield* failure(store.get(id.slice(0, 5), {}), "AmbiguousId", "a prefix of 5")
    assert.deepEqual(candidates, [])
    for (const wrong of ["", "zzzzzzzzzzzz", "%%%%%%", "______", "******", `${id.slice(0, 6)}%`, `${id}0`, `${id}'`]) {
      yield* failure(store.get(wrong, {}), "MemoryNotFound", `the id ${JSON.stringify(wrong)}`)
    }
  }),
  check("scope: no id of another project is seen or changed", function* (store) {
    const { id } = yield* put(store, "mine")
    const other = yield* put(store, "theirs", { project: "two" })
    const foreign = by({ project: "two" })
    yield* failure(store.get(id, { project: "two" }), "MemoryNotFound", "get")
    yield* failure(store.links(id, { project: "two" }), "MemoryNotFound", "links")
    yield* failure(store.update(id, { content: "x" }, foreign), "MemoryNotFound", "update")
    yield* failure(store.evolve(id, { content: "x" }, foreign), "MemoryNotFound", "evolve")
    yield* failure(store.delete(id, foreign), "MemoryNotFound", "delete")
    for (const [from, to] of [
      [id, other.id],
      [other.id, id]
    ] as const) {
      yield* failure(store.link({ from, to, relation: "supports" }, foreign), "MemoryNotFound", "link")
    }
    assert.deepEqual(contents(yield* store.list({ project: "one" })), ["mine"])
  })
]
