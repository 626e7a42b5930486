import { randomBytes } from "node:crypto"
import { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ParseError } from "effect/ParseResult"
import type { Scope } from "effect/Scope"
import { type Identity, type Memory, MemoryId, type Relation } from "../Memory.js"
import { AmbiguousId, InvalidMemory, MemoryConflict, MemoryNotFound, type StorageError } from "../MemoryError.js"
import type { Link, MemoryEvent, MemoryStoreService, Saved } from "../MemoryStore.js"
import * as Sqlite from "../Sqlite.js"
import * as draft from "./draft.js"
import { encodeEvent, makeEvents } from "./events.js"
import { migrations } from "./migrations.js"
import * as rows from "./rows.js"
import { makeSearch } from "./search.js"
import { identifierParts, namespaceWord, projectWord, textOf } from "./words.js"

const minPrefix = 6
const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

/** 12 of 36 characters, each equally likely: 62 bits. */
const newId = Effect.sync(() => {
  let id = ""
  while (id.length < 12) for (const byte of randomBytes(16)) if (byte < 252) id += alphabet[byte % 36]
  return MemoryId.make(id.slice(0, 12))
})

const pairs: ReadonlyArray<readonly [Relation, Relation]> = [
  ["references", "referenced_by"],
  ["supersedes", "superseded_by"],
  ["evolved_into", "evolved_from"],
  ["merged_into", "merged_from"],
  ["split_into", "split_from"],
  ["parent_of", "child_of"],
  ["part_of", "contains"],
  ["caused_by", "causes"],
  ["resolves", "resolved_by"],
  ["contradicts", "contradicts"]
]

/** The relation seen from the other end; `related_to` holds for those that have no word of their own for it. */
export const inverse = (relation: Relation): Relation => {
  for (const [one, other] of pairs) {
    if (relation === one) return other
    if (relation === other) return one
  }
  return "related_to"
}

type Fault = SqlError | ParseError

export const make = (options: {
  readonly path: string
  readonly readOnly?: boolean
}): Effect.Effect<MemoryStoreService, StorageError, Scope> =>
  Effect.gen(function* () {
    const { sql, writeTransaction } = yield* Sqlite.make({ ...options, migrations })
    const search = makeSearch(sql)
    const columns = sql.literal(rows.columns)
    const toStorageError = Sqlite.storageError(options.path)

    /** A fault of the database, or a row that is not what we write, is a `StorageError`. */
    const stored = <A, E>(
      effect: Effect.Effect<A, E>
    ): Effect.Effect<A, Exclude<E, Extract<E, Fault>> | StorageError> =>
      Effect.catchIf(
        effect,
        (error): error is Extract<E, Fault> => error instanceof SqlError || error instanceof ParseError,
        (error) => Effect.fail(toStorageError(error))
      )

    const one = (query: Effect.Effect<ReadonlyArray<object>, SqlError>) =>
      query.pipe(
        Effect.flatMap(rows.decodeStored),
        Effect.map((found) => found[0])
      )

    /** The memory an id or prefix names in the project; superseded ones have names too, deleted ones do not. */
    const find = (id: string, project: string | undefined) =>
      Effect.gen(function* () {
        const name = id.trim().toLowerCase()
        if (!/^[a-z0-9]{1,12}$/.test(name)) return yield* new MemoryNotFound({ id })
        if (name.length < minPrefix) return yield* new AmbiguousId({ id, candidates: [] })
        const scope = rows.whereMemory(sql, { hidden: true, ...(project === undefined ? {} : { project }) })
        const found = yield* rows.decodeStored(
          yield* sql`SELECT ${columns} FROM memories m
            WHERE id >= ${name} AND id < ${`${name}~`} AND deleted_at IS NULL AND ${scope} ORDER BY id LIMIT 20`
        )
        const [first] = found
        if (first === undefined) return yield* new MemoryNotFound({ id })
        if (found.length > 1) {
          return yield* new AmbiguousId({ id, candidates: found.map(({ memory }) => memory.id) })
        }
        return first
      })

    /** As `find`, for a change: fails where the memory is not the current one any more. */
    const findHead = (id: string, project: string) =>
      Effect.gen(function* () {
        const found = yield* find(id, project)
        if (found.memory.supersededBy === null) return found
        const heads = yield* sql<{ id: string }>`WITH RECURSIVE line (id, next, depth) AS (
            SELECT id, superseded_by, 0 FROM memories WHERE id = ${found.memory.id}
            UNION SELECT m.id, m.superseded_by, depth + 1 FROM memories m JOIN line ON m.id = line.next
          ) SELECT id FROM line ORDER BY depth DESC LIMIT 1`
        return yield* new MemoryConflict({ id: found.memory.id, head: heads[0]?.id ?? found.memory.supersededBy })
      })

    /** Another visible memory that says the same in the same place. */
    const findTwin = (memory: Pick<Memory, "content" | "type" | "project" | "namespace">, except: string) =>
      one(sql`SELECT ${columns} FROM memories
        WHERE content_hash = ${draft.contentHash(memory.content)} AND project = ${memory.project}
          AND namespace = ${memory.namespace} AND type = ${memory.type}
          AND superseded_by IS NULL AND deleted_at IS NULL AND id <> ${except}`)

    const index = (row: number, memory: Memory) =>
      Effect.gen(function* () {
        const tags = memory.tags.join(" ")
        const data = textOf(memory.structuredData)
        const parts = identifierParts([memory.summary ?? "", tags, memory.content, data].join("\n"))
        yield* sql`INSERT INTO tags (tag, row) SELECT value, ${row} FROM json_each(${JSON.stringify(memory.tags)})`
        yield* sql`INSERT INTO word_index (rowid, scope, summary, tags, content, parts) VALUES (${row},
          ${`${projectWord(memory.project)} ${namespaceWord(memory.namespace)}`}, ${memory.summary ?? ""}, ${tags},
          ${memory.content}, ${[...parts, data, ...memory.files].join("\n")})`
      })

    const insert = (memory: Memory) =>
      Effect.gen(function* () {
        const record = { ...rows.encodeMemory(memory), content_hash: draft.contentHash(memory.content) }
        const inserted = yield* one(sql`INSERT INTO memories ${sql.insert(record)} RETURNING ${columns}`)
        if (inserted === undefined) return memory
        yield* index(inserted.row, inserted.memory)
        return inserted.memory
      })

    const replace = (row: number, memory: Memory) =>
      Effect.gen(function* () {
        const record = { ...rows.encodeMemory(memory), content_hash: draft.contentHash(memory.content) }
        yield* sql`UPDATE memories SET ${sql.update(record, ["id"])} WHERE row = ${row}`
        yield* sql`DELETE FROM tags WHERE row = ${row}`
        yield* sql`DELETE FROM word_index WHERE rowid = ${row}`
        yield* index(row, memory)
        return memory
      })

    const note = (kind: MemoryEvent["kind"], at: number, memory: Memory, by: Identity) =>
      sql`INSERT INTO events ${sql.insert(encodeEvent(at, kind, memory, by))}`

    /** Its events say so too, so that the feed of what is current does not have to pass them. */
    const hide = (memory: Memory) => sql`UPDATE events SET hidden = 1 WHERE memory_id = ${memory.id}`

    const putEdge = (edge: Link, at: number) =>
      sql`INSERT INTO edges (from_id, to_id, relation, weight, created_at)
        VALUES (${edge.from}, ${edge.to}, ${edge.relation}, ${edge.weight}, ${at})
        ON CONFLICT DO UPDATE SET weight = excluded.weight`

    /** Runs a change under the write lock, with the time at which it has the lock. */
    const change = <A, E>(body: (now: number) => Effect.Effect<A, E>) =>
      writeTransaction(Effect.flatMap(Clock.currentTimeMillis, body)).pipe(stored)

    const save: MemoryStoreService["save"] = Effect.fn("MemoryStore.save")(function* (input, by) {
      const wanted = yield* draft.fromInput(input, by)
      const id = yield* newId
      return yield* change((now) =>
        Effect.gen(function* () {
          const twin = yield* findTwin({ ...wanted, project: by.project, namespace: by.namespace }, id)
          if (twin !== undefined) {
            const merged = yield* draft.merge(twin.memory, wanted)
            const memory = yield* replace(twin.row, { ...twin.memory, ...merged, updatedAt: now })
            yield* note("merged", now, memory, by)
            return draft.merged(memory, wanted)
          }
          const memory = yield* insert({ ...by, ...wanted, id, createdAt: now, updatedAt: now, supersededBy: null })
          yield* note("created", now, memory, by)
          return { memory, outcome: "created" } satisfies Saved
        })
      )
    })

    const update: MemoryStoreService["update"] = Effect.fn("MemoryStore.update")(function* (id, input, by) {
      return yield* change((now) =>
        Effect.gen(function* () {
          const { row, memory } = yield* findHead(id, by.project)
          const checked = yield* draft.check({
            ...memory,
            content: input.content ?? memory.content,
            type: input.type ?? memory.type,
            summary: input.summary ?? memory.summary,
            tags: input.tags ?? memory.tags
          })
          yield* refuseTwin({ ...memory, ...checked }, memory.id)
          const updated = yield* replace(row, { ...memory, ...checked, updatedAt: now })
          yield* sql`UPDATE events SET type = ${updated.type} WHERE memory_id = ${updated.id} AND type <> ${updated.type}`
          yield* note("updated", now, updated, by)
          return updated
        })
      )
    })

    const refuseTwin = (memory: Memory, except: string) =>
      Effect.flatMap(findTwin(memory, except), (twin) =>
        twin === undefined
          ? Effect.void
          : new InvalidMemory({
              message: `memory ${twin.memory.id} says exactly this already: link or evolve that one`
            })
      )

    const evolve: MemoryStoreService["evolve"] = Effect.fn("MemoryStore.evolve")(function* (id, input, by) {
      const newer = yield* newId
      return yield* change((now) =>
        Effect.gen(function* () {
          const { row, memory: old } = yield* findHead(id, by.project)
          const checked = yield* draft.check({
            ...old,
            content: input.content,
            summary: input.summary ?? null,
            tags: [...(input.preserveTags === false ? [] : old.tags), ...(input.additionalTags ?? [])]
          })
          const next: Memory = {
            ...by,
            ...checked,
            namespace: old.namespace,
            id: newer,
            createdAt: now,
            updatedAt: now,
            supersededBy: null
          }
          yield* refuseTwin(next, old.id)
          yield* sql`UPDATE memories SET superseded_by = ${newer} WHERE row = ${row}`
          const memory = yield* insert(next)
          yield* putEdge({ from: newer, to: old.id, relation: "evolved_from", weight: 1 }, now)
          yield* putEdge({ from: old.id, to: newer, relation: "evolved_into", weight: 1 }, now)
          yield* hide(old)
          yield* note("evolved", now, memory, by)
          return memory
        })
      )
    })

    const link: MemoryStoreService["link"] = Effect.fn("MemoryStore.link")(function* (input, by) {
      const weight = input.weight ?? 1
      if (!(weight >= 0 && weight <= 1)) {
        return yield* new InvalidMemory({ message: `weight is ${weight}: give a number from 0 to 1` })
      }
      return yield* change((now) =>
        Effect.gen(function* () {
          const { memory: start } = yield* find(input.from, by.project)
          const from = start.id
          const to = (yield* find(input.to, by.project)).memory.id
          if (from === to) return yield* new InvalidMemory({ message: `memory ${from} cannot be linked to itself` })
          const edge: Link = { from, to, relation: input.relation, weight }
          yield* putEdge(edge, now)
          if (input.bidirectional === true) {
            yield* putEdge({ from: to, to: from, relation: inverse(input.relation), weight }, now)
          }
          yield* note("linked", now, start, by)
          return edge
        })
      )
    })

    const remove: MemoryStoreService["delete"] = Effect.fn("MemoryStore.delete")(function* (id, by) {
      return yield* change((now) =>
        Effect.gen(function* () {
          const { row, memory } = yield* find(id, by.project)
          yield* sql`UPDATE memories SET deleted_at = ${now} WHERE row = ${row}`
          yield* sql`DELETE FROM edges WHERE from_id = ${memory.id} OR to_id = ${memory.id}`
          yield* note("deleted", now, memory, by)
          yield* hide(memory)
          return memory
        })
      )
    })

    const links: MemoryStoreService["links"] = Effect.fn("MemoryStore.links")(function* (id, scope) {
      const { memory } = yield* find(id, scope.project)
      return yield* sql<Link>`SELECT from_id AS "from", to_id AS "to", relation, weight FROM edges
        WHERE from_id = ${memory.id} OR to_id = ${memory.id} ORDER BY from_id <> ${memory.id}, relation, from_id, to_id`
    }, stored)

    const list: MemoryStoreService["list"] = Effect.fn("MemoryStore.list")(function* (query) {
      const found = yield* rows.decodeStored(
        yield* sql`SELECT ${columns} FROM memories m WHERE ${rows.whereMemory(sql, query)}
          ORDER BY created_at DESC, row DESC LIMIT ${rows.limitOf(query.limit, 10, 1000)}`
      )
      return found.map(({ memory }) => memory)
    }, stored)

    return {
      save,
      search: Effect.fn("MemoryStore.search")(search, stored),
      get: Effect.fn("MemoryStore.get")(
        (id: string, scope: { readonly project?: string }) =>
          Effect.map(find(id, scope.project), ({ memory }) => memory),
        stored
      ),
      list,
      update,
      evolve,
      link,
      links,
      delete: remove,
      events: Effect.fn("MemoryStore.events")(makeEvents(sql), stored)
    }
  })
