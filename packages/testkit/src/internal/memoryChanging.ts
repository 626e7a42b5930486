/** Changes: current truth by default, one winner, nothing half done. */
import assert from "node:assert/strict"
import { relations } from "@contextfs/memory/Memory"
import type { MemoryStoreService } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { by, check, contents, failure, put } from "./memoryCheck.js"

const found = (store: MemoryStoreService, query: string) =>
  Effect.map(store.search({ query }), (hits) => contents(hits.map(({ memory }) => memory)))

export const changing = [
  check("update: changes in place what is given, and search follows", function* (store) {
    const old = yield* put(store, { content: "alpha", summary: "first", tags: ["old"] })
    const updated = yield* store.update(old.id, { content: "gamma", tags: ["new"] }, by({ jobId: "job-2" }))
    assert.deepEqual(
      { ...updated, updatedAt: 0 },
      { ...old, content: "gamma", tags: ["new"], updatedAt: 0 },
      "only what was given changes"
    )
    assert.ok(updated.updatedAt >= old.updatedAt)
    assert.deepEqual(yield* store.get(old.id, {}), updated)
    assert.deepEqual(yield* found(store, "alpha"), [])
    assert.deepEqual(yield* found(store, "gamma"), ["gamma"])
    assert.deepEqual(yield* store.list({ tags: ["old"] }), [])
    const typed = yield* store.update(old.id, { type: "doc", summary: "second" }, by())
    assert.deepEqual([typed.type, typed.summary, typed.content], ["doc", "second", "gamma"])
    yield* failure(store.update(old.id, { content: " " }, by()), "InvalidMemory", "an update to nothing")
    assert.equal((yield* store.get(old.id, {})).content, "gamma", "after a refused update")
  }),
  check("evolve: a new memory supersedes the old one, which is hidden unless asked for", function* (store) {
    const old = yield* put(
      store,
      { content: "port 80", type: "config", tags: ["net"] },
      { role: "code", jobId: "job-1" }
    )
    const next = yield* store.evolve(old.id, { content: "port 8080", additionalTags: ["new"] }, by({ jobId: "job-2" }))
    assert.notEqual(next.id, old.id)
    assert.deepEqual(
      [next.content, next.type, [...next.tags].sort(), next.jobId, next.role, next.supersededBy],
      ["port 8080", "config", ["net", "new"], "job-2", undefined, null]
    )
    assert.equal((yield* store.get(old.id, {})).supersededBy, next.id)
    assert.deepEqual(contents(yield* store.list({})), ["port 8080"])
    assert.deepEqual(yield* found(store, "port"), ["port 8080"])
    assert.deepEqual(new Set(contents(yield* store.list({ hidden: true }))), new Set(["port 80", "port 8080"]))
    assert.equal((yield* store.search({ query: "port", hidden: true })).length, 2)
    const bare = yield* store.evolve(next.id, { content: "port 443", preserveTags: false }, by())
    assert.deepEqual(bare.tags, [])
  }),
  check("evolve: who comes too late gets the current head, for an update as well", function* (store) {
    const first = yield* put(store, "first")
    const second = yield* store.evolve(first.id, { content: "second" }, by())
    const third = yield* store.evolve(second.id, { content: "third" }, by())
    const late = [
      store.evolve(first.id, { content: "late" }, by()),
      store.evolve(second.id, { content: "late" }, by()),
      store.update(first.id, { content: "late" }, by())
    ]
    for (const each of late) {
      const { head } = yield* failure(each, "MemoryConflict", "a change of a superseded memory")
      assert.equal(head, third.id)
    }
    assert.deepEqual(contents(yield* store.list({})), ["third"])
  }),
  check("evolve: of many at once one wins, and the others are told who", function* (store) {
    const { id } = yield* put(store, "start")
    const results = yield* Effect.forEach(
      [1, 2, 3, 4, 5, 6, 7, 8],
      (n) => Effect.either(store.evolve(id, { content: `by ${n}` }, by())),
      { concurrency: "unbounded" }
    )
    const winners = results.filter(Either.isRight).map(({ right }) => right.id)
    assert.equal(winners.length, 1, "winners")
    for (const { left } of results.filter(Either.isLeft)) {
      assert.equal(left._tag, "MemoryConflict")
      if (left._tag === "MemoryConflict") assert.equal(left.head, winners[0])
    }
    assert.deepEqual(
      (yield* store.list({})).map((memory) => memory.id),
      winners
    )
  }),
  check("link: every relation, seen from both ends, a memory's own first", function* (store) {
    const [a, b, c] = [yield* put(store, "a"), yield* put(store, "b"), yield* put(store, "c")]
    for (const relation of relations) yield* store.link({ from: a.id, to: b.id, relation, weight: 0.5 }, by())
    const made = yield* store.link({ from: c.id, to: a.id, relation: "supports" }, by())
    assert.deepEqual({ ...made }, { from: c.id, to: a.id, relation: "supports", weight: 1 })
    const links = yield* store.links(a.id, {})
    assert.deepEqual(new Set(links.slice(0, -1).map(({ relation }) => relation)), new Set(relations))
    assert.deepEqual({ ...links.at(-1) }, made, "links to it come after its own")
    assert.equal((yield* store.links(b.id, {})).length, relations.length)
    yield* store.link({ from: c.id, to: a.id, relation: "supports", weight: 0.25 }, by())
    assert.deepEqual(
      (yield* store.links(c.id, {})).map(({ weight }) => weight),
      [0.25],
      "linked again, by another weight"
    )
  }),
  check("link: bidirectional stores the inverse as well", function* (store) {
    const [a, b] = [yield* put(store, "a"), yield* put(store, "b")]
    yield* store.link({ from: a.id, to: b.id, relation: "parent_of", bidirectional: true }, by())
    assert.deepEqual(
      (yield* store.links(b.id, {})).map(({ from, to, relation }) => [from, relation, to]),
      [
        [b.id, "child_of", a.id],
        [a.id, "parent_of", b.id]
      ]
    )
  }),
  check("link: a weight outside 0 to 1 and an end that does not exist are refused", function* (store) {
    const [a, b] = [yield* put(store, "a"), yield* put(store, "b")]
    for (const weight of [-0.1, 1.1, Number.NaN]) {
      const link = store.link({ from: a.id, to: b.id, relation: "supports", weight }, by())
      yield* failure(link, "InvalidMemory", `weight ${weight}`)
    }
    const unknown = "zzzzzzzzzzzz"
    const link = store.link({ from: a.id, to: unknown, relation: "supports" }, by())
    yield* failure(link, "MemoryNotFound", "an unknown end")
    assert.deepEqual(yield* store.links(a.id, {}), [])
  }),
  check("delete: gone from every default answer, its links with it", function* (store) {
    const old = yield* put(store, "rotten apple")
    const friend = yield* put(store, "fresh pear")
    yield* store.link({ from: friend.id, to: old.id, relation: "related_to" }, by())
    assert.equal((yield* store.delete(old.id, by())).id, old.id)
    yield* failure(store.get(old.id, {}), "MemoryNotFound", "get of a deleted memory")
    yield* failure(store.delete(old.id, by()), "MemoryNotFound", "delete of a deleted memory")
    yield* failure(store.update(old.id, { content: "x" }, by()), "MemoryNotFound", "update of a deleted memory")
    yield* failure(store.evolve(old.id, { content: "x" }, by()), "MemoryNotFound", "evolve of a deleted memory")
    assert.deepEqual(yield* found(store, "rotten"), [])
    assert.deepEqual(contents(yield* store.list({})), ["fresh pear"])
    assert.equal((yield* store.list({ hidden: true })).length, 2)
    assert.deepEqual(yield* store.links(friend.id, {}), [])
  }),
  check("save: what was deleted or superseded can be said again, and is seen", function* (store) {
    const deleted = yield* put(store, "apple one")
    yield* store.delete(deleted.id, by())
    yield* put(store, "apple one")
    const superseded = yield* put(store, "apple two")
    yield* store.evolve(superseded.id, { content: "apple three" }, by())
    yield* put(store, "apple two")
    const all = ["apple one", "apple three", "apple two"]
    assert.deepEqual([...contents(yield* store.list({}))].sort(), all)
    assert.deepEqual([...(yield* found(store, "apple"))].sort(), all)
  })
]
