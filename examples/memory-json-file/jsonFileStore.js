// @ts-check
/**
 * A memory in one JSON file, for one process: small enough to read, complete enough to pass the conformance suite. It imports
 * nothing of ContextFS, which checks what comes here and what goes back. Every change is a pure function of the whole state;
 * the file is replaced by a rename before anyone is told of the change.
 */
import { randomInt } from "node:crypto"
import { readFile, rename, writeFile } from "node:fs/promises"

/**
 * @typedef {import("@contextfs/memory/PromiseStore").PromiseStore} PromiseStore
 * @typedef {import("@contextfs/memory/PromiseStore").StoredMemory} Memory
 * @typedef {import("@contextfs/memory/MemoryStore").Filter} Filter
 * @typedef {import("@contextfs/memory/MemoryStore").Link} Link
 * @typedef {import("@contextfs/memory/MemoryStore").MemoryEvent} MemoryEvent
 * @typedef {{ readonly memory: Memory, readonly deleted: boolean }} Entry
 * @typedef {{ readonly entries: ReadonlyArray<Entry>, readonly links: ReadonlyArray<Link>,
 *   readonly events: ReadonlyArray<Event> }} State
 * @typedef {Omit<MemoryEvent, "memory"> & { readonly memoryId: string }} Event  As it is kept: the memory may change since.
 */

/** @type {State} */
const nothing = { entries: [], links: [], events: [] }

/** @param {{ readonly file: string }} options The file is made by the first change. @returns {PromiseStore} */
export default function jsonFileStore(options) {
  if (typeof options?.file !== "string") throw new Error('say which file: {"file": "memory.json"}')
  const { file } = options

  /** What the file holds, once all that was begun before is done. */
  let state = heard(read(file))

  /**
   * One change at a time: the body gives the new state and the answer; a failure leaves file and state as they were.
   * @template A
   * @param {(state: State, now: number) => readonly [A, State]} body
   * @returns {Promise<A>}
   */
  const change = (body) => {
    const done = state.then(async (old) => {
      const [answer, next] = body(old, Date.now())
      await write(file, next)
      return /** @type {const} */ ([answer, next])
    })
    const before = state
    state = heard(
      done.then(
        ([, next]) => next,
        () => before
      )
    )
    return done.then(([answer]) => answer)
  }

  return {
    save: (draft, by) =>
      change((old, now) => {
        const twin = old.entries.find(
          ({ deleted, memory }) =>
            !deleted &&
            memory.supersededBy === null &&
            memory.content.trim() === draft.content.trim() &&
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
                // What it says stays, and what it lacked is added.
                summary: twin.summary ?? draft.summary,
                structuredData:
                  twin.structuredData === null
                    ? draft.structuredData
                    : { ...draft.structuredData, ...twin.structuredData },
                tags: [...new Set([...twin.tags, ...draft.tags])],
                files: [...new Set([...twin.files, ...draft.files])],
                authoritative: twin.authoritative || draft.authoritative,
                updatedAt: now
              }
        return [{ memory, outcome }, noted(put(old, memory), now, outcome, memory.id, by)]
      }),

    get: async (id, { project }) => find(await state, id, project),

    list: async (query) => {
      const { entries } = await state
      const found = entries.filter(fits(query)).map(({ memory }) => memory)
      return found.reverse().slice(0, query.limit)
    },

    search: async (query) => {
      const { entries } = await state
      const words = wordsIn(query.query)
      return entries
        .filter(fits(query))
        .map(({ memory }) => ({ memory, score: scoreOf(memory, words) }))
        .filter(({ score }) => score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, query.limit)
    },

    update: (id, changes, by) =>
      change((old, now) => {
        const memory = { ...findHead(old, id, by.project), ...changes, updatedAt: now }
        return [memory, noted(put(old, memory), now, "updated", memory.id, by)]
      }),

    evolve: (id, draft, by) =>
      change((old, now) => {
        const before = findHead(old, id, by.project)
        const times = { createdAt: now, updatedAt: now }
        const memory = { ...by, ...draft, ...times, namespace: before.namespace, id: newId(), supersededBy: null }
        const next = put(put(old, { ...before, supersededBy: memory.id }), memory)
        const links = joined(
          joined(next.links, { from: memory.id, to: before.id, relation: "evolved_from", weight: 1 }),
          { from: before.id, to: memory.id, relation: "evolved_into", weight: 1 }
        )
        return [memory, noted({ ...next, links }, now, "evolved", memory.id, by)]
      }),

    link: ({ bidirectional, relation, weight, ...ends }, by) =>
      change((old, now) => {
        const from = find(old, ends.from, by.project).id
        const to = find(old, ends.to, by.project).id
        if (from === to) throw failure("InvalidMemory", `memory ${from} cannot be linked to itself`)
        const link = { from, to, relation, weight }
        const there = joined(old.links, link)
        const back = { from: to, to: from, relation: inverse(relation), weight }
        return [link, noted({ ...old, links: bidirectional ? joined(there, back) : there }, now, "linked", from, by)]
      }),

    links: async (id, { project }) => {
      const now = await state
      const memory = find(now, id, project)
      return [...now.links.filter(({ from }) => from === memory.id), ...now.links.filter(({ to }) => to === memory.id)]
    },

    delete: (id, by) =>
      change((old, now) => {
        const memory = find(old, id, by.project)
        const links = old.links.filter(({ from, to }) => from !== memory.id && to !== memory.id)
        return [memory, noted({ ...put(old, memory, true), links }, now, "deleted", memory.id, by)]
      }),

    events: async (query) => told(await state, query).slice(0, query.limit),

    /** Everything that was begun is in the file. */
    close: async () => {
      await state
    }
  }
}

/** @param {string} file @returns {Promise<State>} */
const read = async (file) => {
  try {
    return JSON.parse(await readFile(file, "utf8"))
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return nothing
    throw new Error(`cannot read ${file}`, { cause })
  }
}

/** @param {string} file @param {State} state */
const write = async (file, state) => {
  await writeFile(`${file}.new`, JSON.stringify(state), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Whoever asks is told of a failure; it is no fault that nobody asks. @template A @param {Promise<A>} promise */
const heard = (promise) => {
  promise.catch(() => undefined)
  return promise
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
const newId = () => Array.from({ length: 12 }, () => alphabet[randomInt(36)]).join("")

/** An error is told apart by its name. @param {string} name @param {string} message @param {object} [more] */
const failure = (name, message, more) => Object.assign(new Error(message), { name, ...more })

/** @param {State} state @param {Memory} memory @param {boolean} deleted @returns {State} */
const put = (state, memory, deleted = false) => {
  const known = state.entries.some((entry) => entry.memory.id === memory.id)
  const entry = { memory, deleted }
  const entries = known
    ? state.entries.map((old) => (old.memory.id === memory.id ? entry : old))
    : [...state.entries, entry]
  return { ...state, entries }
}

/** @type {(state: State, at: number, kind: MemoryEvent["kind"], memoryId: string, by: MemoryEvent["by"]) => State} */
const noted = (state, at, kind, memoryId, by) => ({
  ...state,
  events: [...state.events, { sequence: state.events.length + 1, at, kind, memoryId, by }]
})

/** @param {ReadonlyArray<Link>} links @param {Link} link */
const joined = (links, link) => [
  ...links.filter(({ from, to, relation }) => from !== link.from || to !== link.to || relation !== link.relation),
  link
]

/** @type {(state: State, id: string, project: string | undefined) => Memory} */
const find = (state, id, project) => {
  if (/^[a-z0-9]{1,5}$/.test(id)) throw failure("AmbiguousId", `${id} is too short`)
  const found = state.entries.filter(
    ({ deleted, memory }) =>
      id !== "" && !deleted && memory.id.startsWith(id) && (project ?? memory.project) === memory.project
  )
  const [first] = found
  if (first === undefined) throw failure("MemoryNotFound", `no memory ${id}`, { id })
  if (found.length === 1) return first.memory
  throw failure("AmbiguousId", `${id} fits several`, { candidates: found.map(({ memory }) => memory.id) })
}

/** As `find`, for a change. @type {(state: State, id: string, project: string) => Memory} */
const findHead = (state, id, project) => {
  const memory = find(state, id, project)
  if (memory.supersededBy === null) return memory
  let head = memory.supersededBy
  for (let next = state.entries.find((entry) => entry.memory.id === head); next?.memory.supersededBy; ) {
    head = next.memory.supersededBy
    next = state.entries.find((entry) => entry.memory.id === head)
  }
  throw failure("MemoryConflict", `${id} has been superseded`, { head })
}

/** @param {Filter} filter @returns {(entry: Entry) => boolean} */
const fits =
  (filter) =>
  ({ deleted, memory }) =>
    (filter.hidden === true || (!deleted && memory.supersededBy === null)) &&
    same(filter, memory, "project") &&
    same(filter, memory, "namespace") &&
    same(filter, memory, "role") &&
    same(filter, memory, "runId") &&
    same(filter, memory, "jobId") &&
    same(filter, memory, "repo") &&
    same(filter, memory, "sourceTool") &&
    oneOf(filter.types, memory.type) &&
    (filter.tags ?? []).every((tag) => memory.tags.includes(tag))

/** @typedef {import("@contextfs/memory/PromiseStore").StoredEvent} StoredEvent */
/** @type {(state: State, query: import("@contextfs/memory/MemoryStore").EventQuery) => ReadonlyArray<StoredEvent>} */
const told = ({ entries, events }, query) => {
  const memories = new Map(entries.map((entry) => [entry.memory.id, entry]))
  const fitting = events.flatMap(({ memoryId, ...event }) => {
    const entry = memories.get(memoryId)
    const { by, kind, sequence } = event
    return entry !== undefined &&
      sequence > (query.since ?? 0) &&
      (query.project ?? by.project) === by.project &&
      (query.runId ?? by.runId) === by.runId &&
      (query.jobId ?? by.jobId) === by.jobId &&
      (query.role ?? by.role) === by.role &&
      (query.agents !== true || by.role !== undefined) &&
      oneOf(query.kinds, kind) &&
      oneOf(query.types, entry.memory.type) &&
      (query.current !== true || (!entry.deleted && entry.memory.supersededBy === null))
      ? [{ ...event, memory: entry.memory }]
      : []
  })
  const last = new Map(fitting.map(({ memory, sequence }) => [memory.id, sequence]))
  const wanted = fitting.filter(({ memory, sequence }) => query.current !== true || last.get(memory.id) === sequence)
  return query.newestFirst === true ? wanted.reverse() : wanted
}

/** @type {<A>(wanted: ReadonlyArray<A> | undefined, it: A) => boolean} */
const oneOf = (wanted, it) => wanted === undefined || wanted.length === 0 || wanted.includes(it)

/** @type {(filter: Filter, memory: Memory, key: keyof Filter & keyof Memory) => boolean} */
const same = (filter, memory, key) => filter[key] === undefined || filter[key] === memory[key]

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
