// @ts-check
/**
 * A memory in one JSON file, for one process: small enough to read, complete enough to pass the conformance suite. Every
 * change is a pure function of the whole state; the file is replaced by a rename before anyone is told of the change.
 */
import { randomInt } from "node:crypto"
import { readFile, rename, writeFile } from "node:fs/promises"
import { MemoryId, maxContentBytes } from "@contextfs/memory/Memory"
import {
  AmbiguousId,
  InvalidMemory,
  MemoryConflict,
  MemoryNotFound,
  MemoryStore,
  StorageError
} from "@contextfs/memory/MemoryStore"
import * as TypeSchema from "@contextfs/memory/TypeSchema"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as SynchronizedRef from "effect/SynchronizedRef"

/**
 * @typedef {import("@contextfs/memory/Memory").Memory} Memory
 * @typedef {import("@contextfs/memory/MemoryStore").MemoryStoreService} Service
 * @typedef {import("@contextfs/memory/MemoryStore").Filter} Filter
 * @typedef {import("@contextfs/memory/MemoryStore").Link} Link
 * @typedef {import("@contextfs/memory/MemoryStore").MemoryEvent} MemoryEvent
 * @typedef {import("@contextfs/memory/MemoryStore").EventQuery} EventQuery
 * @typedef {{ readonly memory: Memory, readonly deleted: boolean }} Entry
 * @typedef {Omit<MemoryEvent, "memory"> & { readonly memoryId: string }} Noted
 * @typedef {{ readonly entries: ReadonlyArray<Entry>, readonly links: ReadonlyArray<Link>,
 *   readonly events: ReadonlyArray<Noted> }} State
 */

/** @type {State} */
const nothing = { entries: [], links: [], events: [] }

/** @param {string} path The file; it is made by the first change. @returns {Layer.Layer<MemoryStore, StorageError>} */
export const layerJsonFile = (path) => Layer.effect(MemoryStore, make(path))

/** @param {string} path @returns {Effect.Effect<Service, StorageError>} */
const make = (path) =>
  Effect.gen(function* () {
    const state = yield* Effect.flatMap(read(path), SynchronizedRef.make)

    /**
     * One change at a time: the body gives the new state and the answer; a failure leaves file and state as they were.
     * @template A, E
     * @param {(state: State, now: number) => Effect.Effect<readonly [A, State], E>} body
     * @returns {Effect.Effect<A, E | StorageError>}
     */
    const change = (body) =>
      SynchronizedRef.modifyEffect(state, (old) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => body(old, now)).pipe(
          Effect.tap(([, next]) => write(path, next)),
          Effect.uninterruptible
        )
      )

    return MemoryStore.of({
      save: (input, by) =>
        change((old, now) =>
          Effect.gen(function* () {
            const draft = yield* checked({
              type: input.type ?? "fact",
              content: input.content,
              summary: input.summary || null,
              tags: [...new Set(input.tags ?? [])],
              structuredData: input.structuredData ?? null,
              files: input.files ?? [],
              authoritative: input.authoritative ?? false
            })
            const twin = old.entries.find(
              ({ deleted, memory }) =>
                !deleted &&
                memory.supersededBy === null &&
                memory.content === draft.content &&
                memory.type === draft.type &&
                memory.project === by.project &&
                memory.namespace === by.namespace
            )?.memory
            const outcome = twin === undefined ? "created" : "merged"
            const memory =
              twin === undefined
                ? { ...by, ...draft, id: newId(), createdAt: now, updatedAt: now, supersededBy: null }
                : {
                    ...twin,
                    tags: [...new Set([...twin.tags, ...draft.tags])],
                    summary: draft.summary ?? twin.summary,
                    updatedAt: now
                  }
            return [{ memory, outcome }, noted(put(old, memory), now, outcome, memory.id, by)]
          })
        ),

      get: (id, scope) => Effect.flatMap(state.get, (now) => find(now, id, scope.project)),

      list: (query) =>
        Effect.map(state.get, ({ entries }) =>
          entries
            .filter(fits(query))
            .reverse()
            .slice(0, limited(query.limit, 10, 1000))
            .map(({ memory }) => memory)
        ),

      search: (query) =>
        Effect.map(state.get, ({ entries }) => {
          const words = wordsIn(query.query)
          return entries
            .filter(fits(query))
            .map(({ memory }) => ({ memory, score: scoreOf(memory, words) }))
            .filter(({ score }) => score > 0)
            .sort((a, b) => b.score - a.score)
            .slice(0, limited(query.limit, 5, 100))
        }),

      update: (id, input, by) =>
        change((old, now) =>
          Effect.gen(function* () {
            const before = yield* findHead(old, id, by.project)
            const memory = { ...(yield* checked({ ...before, ...input })), updatedAt: now }
            return [memory, noted(put(old, memory), now, "updated", memory.id, by)]
          })
        ),

      evolve: (id, { content, summary, preserveTags, additionalTags }, by) =>
        change((old, now) =>
          Effect.gen(function* () {
            const before = yield* findHead(old, id, by.project)
            const { type, structuredData, files, authoritative, namespace } = before
            const tags = [...new Set([...(preserveTags === false ? [] : before.tags), ...(additionalTags ?? [])])]
            const draft = { type, content, summary: summary ?? null, tags, structuredData, files, authoritative }
            const memory = {
              ...by,
              ...(yield* checked(draft)),
              namespace,
              id: newId(),
              createdAt: now,
              updatedAt: now,
              supersededBy: null
            }
            const next = put(put(old, { ...before, supersededBy: memory.id }), memory)
            const links = joined(
              joined(next.links, { from: memory.id, to: before.id, relation: "evolved_from", weight: 1 }),
              { from: before.id, to: memory.id, relation: "evolved_into", weight: 1 }
            )
            return [memory, noted({ ...next, links }, now, "evolved", memory.id, by)]
          })
        ),

      link: (input, by) =>
        change((old, now) =>
          Effect.gen(function* () {
            const { relation, weight = 1 } = input
            if (!(weight >= 0 && weight <= 1)) return yield* new InvalidMemory({ message: `weight is ${weight}` })
            const from = (yield* find(old, input.from, by.project)).id
            const to = (yield* find(old, input.to, by.project)).id
            const link = { from, to, relation, weight }
            const there = joined(old.links, link)
            const back = { from: to, to: from, relation: inverse(relation), weight }
            const links = input.bidirectional === true ? joined(there, back) : there
            return [link, noted({ ...old, links }, now, "linked", from, by)]
          })
        ),

      links: (id, scope) =>
        Effect.flatMap(state.get, (now) =>
          Effect.map(find(now, id, scope.project), (memory) => [
            ...now.links.filter(({ from }) => from === memory.id),
            ...now.links.filter(({ to }) => to === memory.id)
          ])
        ),

      delete: (id, by) =>
        change((old, now) =>
          Effect.gen(function* () {
            const memory = yield* find(old, id, by.project)
            const links = old.links.filter(({ from, to }) => from !== memory.id && to !== memory.id)
            return [memory, noted({ ...put(old, memory, true), links }, now, "deleted", memory.id, by)]
          })
        ),

      events: (query) => Effect.map(state.get, (now) => told(now, query).slice(0, limited(query.limit, 100, 1000)))
    })
  })

/** @param {string} path @returns {Effect.Effect<State, StorageError>} */
const read = (path) =>
  Effect.tryPromise({
    try: async () => JSON.parse(await readFile(path, "utf8")),
    catch: (cause) => new StorageError({ message: `cannot read ${path}`, cause })
  }).pipe(
    Effect.catchIf(
      ({ cause }) => cause instanceof Error && "code" in cause && cause.code === "ENOENT",
      () => Effect.succeed(nothing)
    )
  )

/** @param {string} path @param {State} state */
const write = (path, state) =>
  Effect.tryPromise({
    try: async () => {
      await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
    catch: (cause) => new StorageError({ message: `cannot write ${path}`, cause })
  })

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
const newId = () => MemoryId.make(Array.from({ length: 12 }, () => alphabet[randomInt(36)]).join(""))

/**
 * What may be stored, its structured data in the form of its type.
 * @template {Pick<Memory, "type" | "content" | "structuredData">} A
 * @param {A} draft @returns {Either.Either<A, InvalidMemory>}
 */
const checked = (draft) => {
  if (draft.content.trim() === "") return Either.left(new InvalidMemory({ message: "content is empty" }))
  if (Buffer.byteLength(draft.content) > maxContentBytes) {
    return Either.left(new InvalidMemory({ message: `content is over ${maxContentBytes} bytes` }))
  }
  if (draft.structuredData === null) return Either.right(draft)
  return Either.mapBoth(TypeSchema.decode(draft.type, draft.structuredData), {
    onLeft: (message) => new InvalidMemory({ message }),
    onRight: (structuredData) => ({ ...draft, structuredData })
  })
}

/** @param {State} state @param {Memory} memory @param {boolean} deleted @returns {State} */
const put = (state, memory, deleted = false) => {
  const known = state.entries.some((entry) => entry.memory.id === memory.id)
  const entry = { memory, deleted }
  const entries = known
    ? state.entries.map((old) => (old.memory.id === memory.id ? entry : old))
    : [...state.entries, entry]
  return { ...state, entries }
}

/** @type {(state: State, at: number, kind: MemoryEvent["kind"], memoryId: string, by: Noted["by"]) => State} */
const noted = (state, at, kind, memoryId, by) => ({
  ...state,
  events: [...state.events, { sequence: state.events.length + 1, at, kind, memoryId, by }]
})

/** The events that fit, each with its memory. @param {State} state @param {EventQuery} query */
const told = ({ entries, events }, query) => {
  const memories = new Map(entries.map((entry) => [entry.memory.id, entry]))
  const fitting = events.flatMap(({ memoryId, ...event }) => {
    const entry = memories.get(MemoryId.make(memoryId))
    const fits =
      entry !== undefined &&
      event.sequence > (query.since ?? 0) &&
      (query.project ?? event.by.project) === event.by.project &&
      (query.runId ?? event.by.runId) === event.by.runId &&
      (query.jobId ?? event.by.jobId) === event.by.jobId &&
      (query.role ?? event.by.role) === event.by.role &&
      (query.agents !== true || event.by.role !== undefined) &&
      oneOf(query.kinds, event.kind) &&
      oneOf(query.types, entry.memory.type) &&
      (query.current !== true || isVisible(entry))
    return fits ? [{ ...event, memory: entry.memory }] : []
  })
  const last = new Map(fitting.map(({ memory, sequence }) => [memory.id, sequence]))
  const wanted = fitting.filter(({ memory, sequence }) => query.current !== true || last.get(memory.id) === sequence)
  return query.newestFirst === true ? wanted.reverse() : wanted
}

/** @param {ReadonlyArray<Link>} links @param {Link} link */
const joined = (links, link) => [
  ...links.filter(({ from, to, relation }) => from !== link.from || to !== link.to || relation !== link.relation),
  link
]

/** @type {(state: State, id: string, project: string | undefined) => Either.Either<Memory, MemoryNotFound | AmbiguousId>} */
const find = (state, id, project) => {
  if (/^[a-z0-9]{1,5}$/.test(id)) return Either.left(new AmbiguousId({ id, candidates: [] }))
  const found = state.entries.filter(
    ({ deleted, memory }) =>
      id !== "" && !deleted && memory.id.startsWith(id) && (project ?? memory.project) === memory.project
  )
  const [first] = found
  if (first === undefined) return Either.left(new MemoryNotFound({ id }))
  return found.length === 1
    ? Either.right(first.memory)
    : Either.left(new AmbiguousId({ id, candidates: found.map(({ memory }) => memory.id) }))
}

/** @param {State} state @param {string} id @param {string} project */
const findHead = (state, id, project) =>
  Either.flatMap(find(state, id, project), (memory) => {
    if (memory.supersededBy === null) return Either.right(memory)
    let head = memory
    for (let next = head; next.supersededBy !== null; ) {
      const after = state.entries.find((entry) => entry.memory.id === next.supersededBy)
      if (after === undefined) break
      head = next = after.memory
    }
    return Either.left(new MemoryConflict({ id: memory.id, head: head.id }))
  })

/** @param {Entry} entry */
const isVisible = ({ deleted, memory }) => !deleted && memory.supersededBy === null

/** @param {Filter} filter @returns {(entry: Entry) => boolean} */
const fits = (filter) => (entry) => {
  const { memory } = entry
  return (
    (filter.hidden === true || isVisible(entry)) &&
    same(filter, memory, "project") &&
    same(filter, memory, "namespace") &&
    same(filter, memory, "role") &&
    same(filter, memory, "runId") &&
    same(filter, memory, "jobId") &&
    same(filter, memory, "repo") &&
    same(filter, memory, "sourceTool") &&
    oneOf(filter.types, memory.type) &&
    (filter.tags ?? []).every((tag) => memory.tags.includes(tag))
  )
}

/** @type {(filter: Filter, memory: Memory, key: keyof Filter & keyof Memory) => boolean} */
const same = (filter, memory, key) => filter[key] === undefined || filter[key] === memory[key]

/** @template A @param {ReadonlyArray<A> | undefined} wanted @param {A} value */
const oneOf = (wanted, value) => wanted === undefined || wanted.length === 0 || wanted.includes(value)

/** @param {string} text */
const wordsIn = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])

/** How many of the words it has, those in summary and tags twice. @param {Memory} memory @param {Set<string>} words */
const scoreOf = (memory, words) => {
  const named = wordsIn([memory.summary ?? "", ...memory.tags].join(" "))
  const said = wordsIn(memory.content)
  let score = 0
  for (const word of words) score += (named.has(word) ? 2 : 0) + (said.has(word) ? 1 : 0)
  return score
}

/** @type {(asked: number | undefined, standard: number, most: number) => number} */
const limited = (asked = Number.NaN, standard, most) =>
  Number.isNaN(asked) ? standard : Math.max(1, Math.min(most, Math.trunc(asked)))

/** @type {ReadonlyArray<readonly [Link["relation"], Link["relation"]]>} */
const pairs = [
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

/** The relation seen from the other end. @param {Link["relation"]} relation @returns {Link["relation"]} */
const inverse = (relation) => {
  for (const [one, other] of pairs) {
    if (relation === one) return other
    if (relation === other) return one
  }
  return "related_to"
}
