/** The change feed: everything once, in order, by whoever did it. */
import assert from "node:assert/strict"
import type { EventQuery, MemoryEvent } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import { by, check, contents, put } from "./memoryCheck.js"

export const feed = [
  check("events: each change is one, in order, with its author", function* (store) {
    const first = yield* put(store, "one", { jobId: "j1" })
    const second = yield* put(store, "two", { jobId: "j2" })
    yield* put(store, "one", { jobId: "j3" })
    yield* store.update(first.id, { summary: "s" }, by({ jobId: "j4" }))
    yield* store.link({ from: first.id, to: second.id, relation: "supports" }, by({ jobId: "j5" }))
    yield* store.evolve(first.id, { content: "three" }, by({ jobId: "j6" }))
    yield* store.delete(second.id, by({ jobId: "j7", role: "code" }))
    const events = yield* store.events({})
    assert.deepEqual(
      events.map(({ kind, by: author }) => [kind, author.jobId]),
      [
        ["created", "j1"],
        ["created", "j2"],
        ["merged", "j3"],
        ["updated", "j4"],
        ["linked", "j5"],
        ["evolved", "j6"],
        ["deleted", "j7"]
      ]
    )
    assert.deepEqual({ ...events.at(-1)?.by }, by({ jobId: "j7", role: "code" }))
    assert.deepEqual([events[2]?.memory.id, events[6]?.memory.id], [first.id, second.id])
    for (const [index, { at, sequence }] of events.entries()) {
      const before = events[index - 1]
      if (before === undefined) continue
      assert.ok(sequence > before.sequence, "sequences grow")
      assert.ok(at >= before.at && at > 0, "times do not go back")
    }
  }),
  check("events: each comes with its memory as it is now, hidden or not", function* (store) {
    const old = yield* put(store, "old")
    const next = yield* store.evolve(old.id, { content: "next" }, by())
    yield* store.update(next.id, { type: "doc", tags: ["t"] }, by())
    yield* store.delete(next.id, by())
    const events = yield* store.events({})
    assert.deepEqual(
      events.map(({ kind, memory }) => [kind, memory.content, memory.type, memory.tags, memory.supersededBy]),
      [
        ["created", "old", "fact", [], next.id],
        ["evolved", "next", "doc", ["t"], null],
        ["updated", "next", "doc", ["t"], null],
        ["deleted", "next", "doc", ["t"], null]
      ]
    )
  }),
  check("events: a cursor misses nothing and repeats nothing", function* (store) {
    yield* Effect.forEach(
      Array.from({ length: 150 }, (_, n) => n),
      (n) => put(store, `text ${n}`),
      { concurrency: 8, discard: true }
    )
    const seen: Array<MemoryEvent> = []
    for (;;) {
      const page = yield* store.events({ since: seen.at(-1)?.sequence ?? 0, limit: 7 })
      assert.ok(page.length <= 7, `${page.length} events where 7 is the limit`)
      if (page.length === 0) break
      seen.push(...page)
      if (seen.length > 150) break
    }
    assert.deepEqual(seen, yield* store.events({ limit: 1_000 }))
    assert.equal(new Set(seen.map(({ memory }) => memory.id)).size, 150)
    assert.equal((yield* store.events({})).length, 100, "the default limit")
  }),
  check("events: project, run and job are filtered before the limit", function* (store) {
    for (let n = 0; n < 30; n += 1) yield* put(store, `other ${n}`)
    const { id } = yield* put(store, "wanted", { project: "rare", runId: "r", jobId: "j" })
    for (let n = 0; n < 30; n += 1) yield* put(store, `more ${n}`)
    for (const filter of [{ project: "rare" }, { runId: "r" }, { jobId: "j" }, { project: "rare", jobId: "j" }]) {
      const events = yield* store.events({ ...filter, limit: 5 })
      assert.deepEqual(
        events.map(({ memory }) => memory.id),
        [id],
        JSON.stringify(filter)
      )
      const [event] = events
      const after = yield* store.events({ ...filter, since: event?.sequence ?? 0 })
      assert.deepEqual(after, [], `${JSON.stringify(filter)} after the last`)
    }
    assert.deepEqual(yield* store.events({ project: "one", jobId: "j" }), [])
  }),
  check("events: role, agents, kind and present type are filtered before the limit", function* (store) {
    for (let n = 0; n < 30; n += 1) yield* put(store, `other ${n}`)
    const { id } = yield* put(store, { content: "wanted", type: "fact" }, { role: "review" })
    yield* store.update(id, { type: "error" }, by({ role: "review" }))
    for (let n = 0; n < 30; n += 1) yield* put(store, `more ${n}`)
    const kinds = ["created", "merged"] as const
    for (const filter of [{ role: "review" }, { agents: true }, { types: ["error"] }] as const) {
      const shown = JSON.stringify(filter)
      const events = yield* store.events({ ...filter, limit: 5 })
      assert.deepEqual(
        events.map(({ kind, memory }) => [kind, memory.id]),
        [
          ["created", id],
          ["updated", id]
        ],
        shown
      )
      const saved = yield* store.events({ ...filter, kinds, limit: 5 })
      assert.deepEqual(
        saved.map(({ kind }) => kind),
        ["created"],
        `kinds and ${shown}`
      )
    }
    assert.deepEqual(yield* store.events({ role: "review", types: ["fact"] }), [])
    assert.deepEqual(yield* store.events({ role: "nobody" }), [])
  }),
  check("events: newest first, before the limit", function* (store) {
    for (let n = 0; n < 30; n += 1) yield* put(store, `text ${n}`)
    const events = yield* store.events({ newestFirst: true, limit: 2 })
    assert.deepEqual(contents(events.map(({ memory }) => memory)), ["text 29", "text 28"])
    const since = events[1]?.sequence ?? 0
    assert.deepEqual(yield* store.events({ newestFirst: true, since }), events.slice(0, 1))
  }),
  check("events: current ones are the last of each memory that is neither superseded nor deleted", function* (store) {
    const run = (runId: string) => ({ role: "code", runId })
    yield* put(store, "said twice", run("r1"))
    const old = yield* put(store, "old", run("r1"))
    const gone = yield* put(store, "gone", run("r1"))
    yield* put(store, "said once", run("r1"))
    yield* put(store, "said twice", run("r2"))
    yield* store.evolve(old.id, { content: "new" }, by(run("r2")))
    yield* store.delete(gone.id, by(run("r2")))
    const current = (query: EventQuery) =>
      Effect.map(store.events({ ...query, current: true }), (events) =>
        events.map(({ by: author, memory }) => [memory.content, author.runId])
      )
    const saved = { kinds: ["created", "merged", "evolved"], agents: true } as const
    assert.deepEqual(yield* current(saved), [
      ["said once", "r1"],
      ["said twice", "r2"],
      ["new", "r2"]
    ])
    assert.deepEqual(yield* current({ ...saved, newestFirst: true, limit: 2 }), [
      ["new", "r2"],
      ["said twice", "r2"]
    ])
    assert.deepEqual(yield* current({ ...saved, runId: "r1" }), [
      ["said twice", "r1"],
      ["said once", "r1"]
    ])
  })
]
