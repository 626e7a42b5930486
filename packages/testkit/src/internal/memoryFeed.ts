/** The change feed: everything once, in order, by whoever did it. */
import assert from "node:assert/strict"
import type { MemoryEvent } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import { by, check, put } from "./memoryCheck.js"

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
    assert.deepEqual([events[2]?.memoryId, events[6]?.memoryId], [first.id, second.id])
    for (const [index, { at, sequence }] of events.entries()) {
      const before = events[index - 1]
      if (before === undefined) continue
      assert.ok(sequence > before.sequence, "sequences grow")
      assert.ok(at >= before.at && at > 0, "times do not go back")
    }
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
    assert.equal(new Set(seen.map(({ memoryId }) => memoryId)).size, 150)
    assert.equal((yield* store.events({})).length, 100, "the default limit")
  }),
  check("events: project, run and job are filtered before the limit", function* (store) {
    for (let n = 0; n < 30; n += 1) yield* put(store, `other ${n}`)
    const { id } = yield* put(store, "wanted", { project: "rare", runId: "r", jobId: "j" })
    for (let n = 0; n < 30; n += 1) yield* put(store, `more ${n}`)
    for (const filter of [{ project: "rare" }, { runId: "r" }, { jobId: "j" }, { project: "rare", jobId: "j" }]) {
      const events = yield* store.events({ ...filter, limit: 5 })
      assert.deepEqual(
        events.map(({ memoryId }) => memoryId),
        [id],
        JSON.stringify(filter)
      )
      const [event] = events
      const after = yield* store.events({ ...filter, since: event?.sequence ?? 0 })
      assert.deepEqual(after, [], `${JSON.stringify(filter)} after the last`)
    }
    assert.deepEqual(yield* store.events({ project: "one", jobId: "j" }), [])
  })
]
