/** Lists and search: the right ones, and only these. */
import assert from "node:assert/strict"
import { by, check, contents, put } from "./memoryCheck.js"

const texts = [
  "",
  " ",
  "*",
  '"',
  "'",
  "'; DROP TABLE memories; --",
  "AND OR NOT",
  "NEAR(a b)",
  "content: x",
  "(((",
  "a AND",
  "-x ^y",
  "%_\\",
  "\u0000",
  "\ud800",
  "😀",
  "漢字",
  "the and of",
  "x".repeat(100_000),
  "word ".repeat(5_000),
  "how do I fix src/auth/token.ts:42?"
]

/** A memory that every filter below fits, among others that none of them fits. */
const wanted = { project: "rare", namespace: "ns", role: "code", runId: "r", jobId: "j", repo: "x", sourceTool: "t" }
const filters = [
  ...Object.entries(wanted).map(([name, value]) => ({ [name]: value })),
  { types: ["doc", "api"] },
  { tags: ["left", "right"] },
  { ...wanted, types: ["doc"], tags: ["left"] }
] as const

export const finding = [
  check("list: newest first, ten unless more are asked for", function* (store) {
    for (let n = 0; n < 30; n += 1) yield* put(store, `text ${n}`)
    const newest = (count: number) => Array.from({ length: count }, (_, n) => `text ${29 - n}`)
    assert.deepEqual(contents(yield* store.list({})), newest(10))
    assert.deepEqual(contents(yield* store.list({ limit: 3 })), newest(3))
    assert.deepEqual(contents(yield* store.list({ limit: 1_000 })), newest(30))
  }),
  check("list and search: every filter is applied before the limit", function* (store) {
    const input = { content: "zebra once", type: "doc", tags: ["left", "right", "more"] } as const
    yield* put(store, input, wanted)
    for (let n = 0; n < 60; n += 1) yield* put(store, { content: `zebra zebra ${n}`, tags: ["left"] })
    for (const filter of filters) {
      const shown = JSON.stringify(filter)
      assert.deepEqual(contents(yield* store.list({ ...filter, limit: 2 })), ["zebra once"], `list ${shown}`)
      const hits = yield* store.search({ query: "zebra", ...filter, limit: 2 })
      assert.deepEqual(contents(hits.map(({ memory }) => memory)), ["zebra once"], `search ${shown}`)
    }
    assert.deepEqual(yield* store.list({ ...wanted, types: ["code"] }), [], "filters that cannot all be true")
    assert.deepEqual(yield* store.search({ query: "zebra", project: "nowhere" }), [], "a project without memories")
  }),
  check(
    "search: words of content, summary and tags are found, best first, five unless more are asked for",
    function* (store) {
      const content = yield* put(store, "the quagga lives in content")
      const summary = yield* put(store, { content: "one", summary: "a quagga in the summary" })
      const tags = yield* put(store, { content: "two", tags: ["quagga"] })
      for (let n = 0; n < 8; n += 1) yield* put(store, `okapi number ${n}`)
      const hits = yield* store.search({ query: "quagga" })
      assert.deepEqual(new Set(hits.map(({ memory }) => memory.id)), new Set([content.id, summary.id, tags.id]))
      const scores = hits.map(({ score }) => score)
      assert.deepEqual(
        scores,
        [...scores].sort((a, b) => b - a),
        "scores fall"
      )
      assert.deepEqual(hits.find(({ memory }) => memory.id === summary.id)?.memory, summary)
      assert.equal((yield* store.search({ query: "okapi" })).length, 5)
      assert.equal((yield* store.search({ query: "okapi", limit: 100 })).length, 8)
    }
  ),
  check("search: upper and lower case are the same", function* (store) {
    const { id } = yield* put(store, "Deploy with KUBECTL only")
    for (const query of ["kubectl", "KUBECTL", "Kubectl deploy"]) {
      assert.deepEqual(
        (yield* store.search({ query })).map(({ memory }) => memory.id),
        [id],
        query
      )
    }
  }),
  check("search: nothing fits, nothing is returned", function* (store) {
    assert.deepEqual(yield* store.search({ query: "zebra" }), [])
    yield* put(store, { content: "rotten apple", tags: ["fruit"] })
    for (const query of ["zebra", "xylophone quark"]) assert.deepEqual(yield* store.search({ query }), [], query)
  }),
  check("search: any text is a valid query", function* (store) {
    yield* put(store, { content: "rotten apple", summary: "fruit", tags: ["a"] })
    for (const query of texts) {
      const hits = yield* store.search({ query, project: "one" })
      assert.ok(Array.isArray(hits), `query ${JSON.stringify(query.slice(0, 40))}`)
    }
    assert.deepEqual(contents(yield* store.list({})), ["rotten apple"], "after all these queries")
  }),
  check("search and list: any text is a valid filter", function* (store) {
    yield* put(store, "rotten apple", by({ project: 'it\'s "one" %' }))
    for (const text of texts) {
      const filter = { project: text, role: text, tags: [text] }
      assert.deepEqual(yield* store.list(filter), [])
      assert.deepEqual(yield* store.search({ query: "apple", ...filter }), [])
    }
    assert.equal((yield* store.search({ query: "apple", project: 'it\'s "one" %' })).length, 1)
  })
]
