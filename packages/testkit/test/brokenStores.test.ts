/** Each check is worth something: a store that breaks one promise fails the check of that promise. */
import { type Memory, MemoryId } from "@contextfs/memory/Memory"
import {
  AmbiguousId,
  layerMemory,
  MemoryConflict,
  MemoryNotFound,
  MemoryStore,
  type MemoryStoreService,
  StorageError
} from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, expect, it } from "vitest"
import { memoryConformance } from "../src/MemoryConformance.js"

type Change = (store: MemoryStoreService) => Partial<MemoryStoreService>

/** What fails among the checks whose names begin so, one line each. */
const failed = async (change: Change, check: string): Promise<string> => {
  const layer = Layer.effect(
    MemoryStore,
    Effect.map(MemoryStore, (store) => MemoryStore.of({ ...store, ...change(store) }))
  ).pipe(Layer.provide(layerMemory))
  const found: Array<string> = []
  const checks = memoryConformance(() => layer).filter(({ name }) => name.startsWith(check))
  expect(checks.length).toBeGreaterThan(0)
  for (const { name, run } of checks) {
    await Promise.resolve(run()).catch((error: unknown) => found.push(`${name}: ${error}`))
  }
  return found.join("\n")
}

/** A store whose ids all begin alike; `of` decides what a prefix that fits several is. */
const alike =
  (of: (id: string, fitting: ReadonlyArray<Memory>) => Effect.Effect<Memory, AmbiguousId | MemoryNotFound>): Change =>
  (store) => {
    const known = new Map<string, Memory>()
    const renamed = (memory: Memory): Memory => {
      const id = known.get(memory.id)?.id ?? MemoryId.make(`aaaaaa${String(known.size).padStart(6, "0")}`)
      const own = { ...memory, id }
      known.set(memory.id, own)
      return own
    }
    return {
      save: (input, by) => Effect.map(store.save(input, by), (saved) => ({ ...saved, memory: renamed(saved.memory) })),
      list: (query) => Effect.map(store.list(query), (memories) => memories.map(renamed)),
      get: (id) =>
        of(
          id,
          [...known.values()].filter((memory) => memory.id.startsWith(id))
        )
    }
  }

const firstOf = (id: string, [first]: ReadonlyArray<Memory>) =>
  first === undefined ? Effect.fail(new MemoryNotFound({ id })) : Effect.succeed(first)

const honest = (id: string, fitting: ReadonlyArray<Memory>) =>
  fitting.length > 1
    ? Effect.fail(new AmbiguousId({ id, candidates: fitting.map((memory) => memory.id) }))
    : firstOf(id, fitting)

const syntaxError = Effect.fail(new StorageError({ message: "fts5: syntax error" }))

const broken: Readonly<Record<string, readonly [check: string, seen: RegExp, change: Change]>> = {
  "drops the summary": [
    "save: what is saved comes back",
    /Token lifetime/,
    (store) => ({ save: (input, by) => store.save({ ...input, summary: "" }, by) })
  ],
  "forgets which job it was": [
    "save: what is saved comes back",
    /job-1/,
    (store) => ({ save: (input, { jobId: _, ...by }) => store.save(input, by) })
  ],
  "has another default type": [
    "save: what is not given",
    /'doc'/,
    (store) => ({ save: (input, by) => store.save({ type: "doc", ...input }, by) })
  ],
  "changes the ends of lines": [
    "save: every type and any text",
    /two/,
    (store) => ({ save: (input, by) => store.save({ ...input, content: input.content.replace(/\r\n/g, "\n") }, by) })
  ],
  "calls a repeat created": [
    "save: the same content again",
    /'created'/,
    (store) => ({
      save: (input, by) => Effect.map(store.save(input, by), (saved) => ({ ...saved, outcome: "created" }))
    })
  ],
  "keeps only the newest tags of a repeat": [
    "save: the same content again",
    /'a'/,
    (store) => ({
      save: (input, by) =>
        Effect.flatMap(store.save(input, by), (saved) =>
          saved.outcome === "created"
            ? Effect.succeed(saved)
            : store.update(saved.memory.id, { tags: input.tags ?? [] }, by).pipe(
                Effect.map((memory) => ({ ...saved, memory })),
                Effect.orDie
              )
        )
    })
  ],
  "merges over projects": [
    "save: the same content in another project",
    /fact in project two/,
    (store) => ({ save: (input, by) => store.save(input, { ...by, project: "one" }) })
  ],
  "takes what is empty": [
    "save: what is empty",
    /InvalidMemory was expected/,
    (store) => ({ save: (input, by) => store.save({ ...input, content: input.content.trim() || "nothing" }, by) })
  ],
  "cuts what is too large": [
    "save: what is empty",
    /InvalidMemory was expected/,
    (store) => ({ save: (input, by) => store.save({ ...input, content: input.content.slice(0, 30_000) }, by) })
  ],
  "keeps half of what it refuses": [
    "save: what is empty",
    /a trace/,
    (store) => ({
      save: (input, by) => store.save({ content: "a trace" }, by).pipe(Effect.zipRight(store.save(input, by)))
    })
  ],
  "is busy while another writes": [
    "save: of many at once",
    /busy/,
    (store) => {
      let busy = false
      return {
        save: (input, by) =>
          Effect.suspend(() => {
            if (busy) return Effect.fail(new StorageError({ message: "the store is busy" }))
            busy = true
            const ended = Effect.sync(() => {
              busy = false
            })
            return Effect.yieldNow().pipe(Effect.zipRight(store.save(input, by)), Effect.ensuring(ended))
          })
      }
    }
  ],
  "takes the first of several ids": ["get: the whole id or any prefix", /AmbiguousId was expected/, alike(firstOf)],
  "names candidates that do not fit": [
    "get: the whole id or any prefix",
    /candidate zzzzzz/,
    alike((id, fitting) =>
      fitting.length > 1
        ? Effect.fail(new AmbiguousId({ id, candidates: ["zzzzzz000000", "zzzzzz000001"] }))
        : firstOf(id, fitting)
    )
  ],
  "takes a prefix of five": [
    "get: a prefix that is too short",
    /a prefix of 5/,
    (store) => ({
      get: (id, scope) =>
        Effect.flatMap(store.list(scope), (all) =>
          firstOf(
            id,
            all.filter((memory) => memory.id.startsWith(id))
          )
        )
    })
  ],
  "takes wildcards": [
    "get: a prefix that is too short",
    /the id "%%%%%%"/,
    (store) => ({
      get: (id, scope) =>
        id.includes("%") ? Effect.flatMap(store.list(scope), (all) => firstOf(id, all)) : store.get(id, scope)
    })
  ],
  "gets from any project": ["scope:", /get succeeds/, (store) => ({ get: (id) => store.get(id, {}) })],
  "deletes in any project": [
    "scope:",
    /delete succeeds/,
    (store) => ({
      delete: (id, by) => Effect.flatMap(store.get(id, {}), ({ project }) => store.delete(id, { ...by, project }))
    })
  ],
  "lists the oldest first": [
    "list: newest first",
    /text 29/,
    (store) => ({ list: (query) => Effect.map(store.list({ ...query, limit: 1_000 }), (all) => [...all].reverse()) })
  ],
  "lists everything": [
    "list: newest first",
    /text/,
    (store) => ({ list: (query) => store.list({ limit: 1_000, ...query }) })
  ],
  "filters lists after the limit": [
    "list and search: every filter",
    /list \{"project"/,
    (store) => ({
      list: ({ project, ...query }) =>
        Effect.map(store.list(query), (all) =>
          all.filter((memory) => project === undefined || memory.project === project)
        )
    })
  ],
  "filters hits after the limit": [
    "list and search: every filter",
    /search \{"role"/,
    (store) => ({
      search: ({ role, ...query }) =>
        Effect.map(store.search(query), (hits) =>
          hits.filter(({ memory }) => role === undefined || memory.role === role)
        )
    })
  ],
  "takes any of several tags": [
    "list and search: every filter",
    /\{"tags"/,
    (store) => ({
      list: ({ tags, ...query }) => store.list({ ...query, ...(tags === undefined ? {} : { tags: tags.slice(0, 1) }) })
    })
  ],
  "knows no repositories": [
    "list and search: every filter",
    /\{"repo"/,
    (store) => ({ search: ({ repo: _, ...query }) => store.search(query) })
  ],
  "searches in contents only": [
    "search: words of content, summary and tags",
    /./,
    (store) => ({
      search: (query) =>
        Effect.map(store.search(query), (hits) => hits.filter(({ memory }) => memory.content.includes(query.query)))
    })
  ],
  "gives the best hit last": [
    "search: words of content, summary and tags",
    /scores fall/,
    (store) => ({ search: (query) => Effect.map(store.search(query), (hits) => [...hits].reverse()) })
  ],
  "searches by case": [
    "search: upper and lower case",
    /kubectl/,
    (store) => ({
      search: (query) =>
        Effect.map(store.search(query), (hits) => hits.filter(({ memory }) => memory.content.includes(query.query)))
    })
  ],
  "gives the newest where nothing fits": [
    "search: nothing fits",
    /zebra/,
    (store) => ({
      search: (query) =>
        Effect.flatMap(store.search(query), (hits) =>
          hits.length > 0
            ? Effect.succeed(hits)
            : Effect.map(store.list({}), (all) => all.map((memory) => ({ memory, score: 0 })))
        )
    })
  ],
  "takes a query for its own language": [
    "search: any text is a valid query",
    /syntax error/,
    (store) => ({ search: (query) => (query.query.includes('"') ? syntaxError : store.search(query)) })
  ],
  "pastes filters into statements": [
    "search and list: any text is a valid filter",
    /syntax error/,
    (store) => ({ list: (query) => (query.project?.includes("'") ? syntaxError : store.list(query)) })
  ],
  "updates by making another memory": [
    "update: changes in place",
    /only what was given/,
    (store) => ({
      update: (id, { content = "same", tags }, by) =>
        store.evolve(id, { content, preserveTags: tags === undefined, additionalTags: tags ?? [] }, by)
    })
  ],
  "clears what an update does not give": [
    "update: changes in place",
    /only what was given/,
    (store) => ({ update: (id, input, by) => store.update(id, { summary: "", ...input }, by) })
  ],
  "shows what is superseded": [
    "evolve: a new memory supersedes",
    /port 80/,
    (store) => ({ list: (query) => store.list({ ...query, hidden: true }) })
  ],
  "finds what is superseded": [
    "evolve: a new memory supersedes",
    /port 80/,
    (store) => ({ search: (query) => store.search({ ...query, hidden: true }) })
  ],
  "loses the tags of what it evolves": [
    "evolve: a new memory supersedes",
    /'net'/,
    (store) => ({ evolve: (id, input, by) => store.evolve(id, { ...input, preserveTags: false }, by) })
  ],
  "keeps the author of what it evolves": [
    "evolve: a new memory supersedes",
    /'code'/,
    (store) => ({
      evolve: (id, input, by) =>
        Effect.flatMap(store.get(id, {}), ({ role }) =>
          store.evolve(id, input, { ...by, ...(role === undefined ? {} : { role }) })
        )
    })
  ],
  "names the next memory, not the head": [
    "evolve: who comes too late",
    /Expected values to be strictly equal/,
    (store) => ({
      evolve: (id, input, by) =>
        store
          .evolve(id, input, by)
          .pipe(
            Effect.catchTag("MemoryConflict", (conflict) =>
              Effect.flatMap(store.get(id, {}), ({ supersededBy }) =>
                Effect.fail(new MemoryConflict({ id, head: supersededBy ?? conflict.head }))
              )
            )
          )
    })
  ],
  "lets the last one win": [
    "evolve: of many at once",
    /winners/,
    (store) => {
      const evolve: MemoryStoreService["evolve"] = (id, input, by) =>
        store.evolve(id, input, by).pipe(Effect.catchTag("MemoryConflict", ({ head }) => evolve(head, input, by)))
      return { evolve }
    }
  ],
  "gives links in any order": [
    "link: every relation",
    /./,
    (store) => ({ links: (id, scope) => Effect.map(store.links(id, scope), (links) => [...links].reverse()) })
  ],
  "gives a memory's own links only": [
    "link: every relation",
    /./,
    (store) => ({
      links: (id, scope) => Effect.map(store.links(id, scope), (links) => links.filter(({ from }) => from === id))
    })
  ],
  "links one way only": [
    "link: bidirectional",
    /child_of/,
    (store) => ({ link: (input, by) => store.link({ ...input, bidirectional: false }, by) })
  ],
  "takes any weight": [
    "link: a weight outside",
    /weight -0.1 succeeds/,
    (store) => ({ link: ({ weight: _, ...input }, by) => store.link(input, by) })
  ],
  "links to nothing": [
    "link: a weight outside",
    /an unknown end succeeds/,
    (store) => ({
      link: (input, by) =>
        store.link(input, by).pipe(Effect.catchTag("MemoryNotFound", () => Effect.succeed({ ...input, weight: 1 })))
    })
  ],
  "gets what is deleted": [
    "delete: gone",
    /get of a deleted memory succeeds/,
    (store) => ({
      get: (id, scope) =>
        Effect.flatMap(store.list({ ...scope, hidden: true, limit: 1_000 }), (all) =>
          firstOf(
            id,
            all.filter((memory) => memory.id.startsWith(id))
          )
        )
    })
  ],
  "keeps the links of what is deleted": [
    "delete: gone",
    /related_to/,
    (store) => {
      const kept: Array<{ from: string; to: string; relation: "related_to"; weight: number }> = []
      return {
        link: (input, by) =>
          Effect.tap(store.link(input, by), ({ from, to }) =>
            Effect.sync(() => kept.push({ from, to, relation: "related_to", weight: 1 }))
          ),
        links: () => Effect.succeed(kept)
      }
    }
  ],
  "forgets what is deleted": [
    "delete: gone",
    /./,
    (store) => ({ list: ({ hidden: _, ...query }) => store.list(query) })
  ],
  "merges into what is hidden": [
    "save: what was deleted or superseded",
    /apple/,
    (store) => ({
      save: (input, by) =>
        Effect.flatMap(store.list({ hidden: true, limit: 1_000 }), (all) => {
          const twin = all.find(({ content }) => content === input.content)
          return twin === undefined ? store.save(input, by) : Effect.succeed({ memory: twin, outcome: "merged" })
        })
    })
  ],
  "lets a repeat reword what is there": [
    "save: what is there says what it said",
    /second/,
    (store) => ({
      save: (input, by) =>
        Effect.flatMap(store.save(input, by), (saved) =>
          input.summary === undefined
            ? Effect.succeed(saved)
            : Effect.map(Effect.orDie(store.update(saved.memory.id, { summary: input.summary }, by)), (memory) => ({
                ...saved,
                memory
              }))
        )
    })
  ],
  "does not say what it kept": [
    "save: what is there says what it said",
    /told to have been kept/,
    (store) => ({ save: (input, by) => Effect.map(store.save(input, by), ({ kept: _, ...saved }) => saved) })
  ],
  "keeps what nobody sees": [
    "save: control characters",
    /zebra/,
    (store) => ({
      save: (input, by) =>
        Effect.map(store.save(input, by), (saved) => ({
          ...saved,
          memory: { ...saved.memory, content: input.content }
        }))
    })
  ],
  "takes any name for a project": [
    "save: a project has a name",
    /InvalidMemory was expected/,
    (store) => ({ save: (input, by) => store.save(input, { ...by, project: "p" }) })
  ],
  "does not tell of repeats": [
    "events: each change",
    /merged/,
    (store) => ({
      events: (query) => Effect.map(store.events(query), (events) => events.filter(({ kind }) => kind !== "merged"))
    })
  ],
  "names the author of the memory, not of the change": [
    "events: each change",
    /j3/,
    (store) => ({
      events: (query) =>
        Effect.map(store.events(query), (events) =>
          events.map((event) => ({
            ...event,
            by: events.find(({ memory }) => memory.id === event.memory.id)?.by ?? event.by
          }))
        )
    })
  ],
  "counts events by their time": [
    "events: each change",
    /sequences grow/,
    (store) => ({
      events: (query) =>
        Effect.map(store.events(query), (events) => events.map((event) => ({ ...event, sequence: 1_000 })))
    })
  ],
  "repeats the event of the cursor": [
    "events: a cursor",
    /./,
    (store) => ({ events: ({ since = 0, ...query }) => store.events({ ...query, since: Math.max(0, since - 1) }) })
  ],
  "has pages of its own size": [
    "events: a cursor",
    /where 7 is the limit/,
    (store) => ({ events: ({ limit: _, ...query }) => store.events(query) })
  ],
  "filters events after the limit": [
    "events: project, run and job",
    /"runId"/,
    (store) => ({
      events: ({ runId, ...query }) =>
        Effect.map(store.events(query), (events) =>
          events.filter((event) => runId === undefined || event.by.runId === runId)
        )
    })
  ],
  "tells memories as they were": [
    "events: each comes with its memory",
    /next/,
    (store) => ({
      events: (query) =>
        Effect.map(store.events(query), (events) =>
          events.map((event) => ({ ...event, memory: { ...event.memory, supersededBy: null } }))
        )
    })
  ],
  "gives events of every role": [
    "events: role, agents",
    /"role":"review"/,
    (store) => ({ events: ({ role: _, ...query }) => store.events(query) })
  ],
  "takes the user for an agent": [
    "events: role, agents",
    /"agents":true/,
    (store) => ({ events: ({ agents: _, ...query }) => store.events(query) })
  ],
  "gives events of every kind": [
    "events: role, agents",
    /kinds and/,
    (store) => ({ events: ({ kinds: _, ...query }) => store.events(query) })
  ],
  "filters by type after the limit": [
    "events: role, agents",
    /"types"/,
    (store) => ({
      events: ({ types, ...query }) =>
        Effect.map(store.events(query), (events) =>
          events.filter(({ memory }) => types === undefined || types.includes(memory.type))
        )
    })
  ],
  "turns the oldest around": [
    "events: newest first",
    /text 29/,
    (store) => ({
      events: ({ newestFirst, ...query }) =>
        Effect.map(store.events(query), (events) => (newestFirst === true ? [...events].reverse() : events))
    })
  ],
  "gives what is not current": [
    "events: current ones",
    /old/,
    (store) => ({ events: ({ current: _, ...query }) => store.events(query) })
  ],
  "knows one last event of a memory, whatever is asked for": [
    "events: current ones",
    /r1/,
    (store) => ({
      events: ({ runId, ...query }) =>
        Effect.map(store.events(query), (events) =>
          events.filter((event) => runId === undefined || event.by.runId === runId)
        )
    })
  ],
  "gives events of every job": [
    "events: project, run and job",
    /"jobId"/,
    (store) => ({ events: ({ jobId: _, ...query }) => store.events(query) })
  ]
}

describe("a store that", () => {
  it("has ids that are alike and says so fails nothing", async () => {
    expect(await failed(alike(honest), "get: the whole id or any prefix")).toBe("")
  })
  for (const [what, [check, seen, change]] of Object.entries(broken)) {
    it(`${what} fails its check`, async () => {
      expect(await failed(change, check)).toMatch(seen)
    })
  }

  it("cannot be opened fails every check with what is wrong", async () => {
    const checks = memoryConformance(() => Layer.fail(new StorageError({ message: "no such folder" })))
    for (const { run } of checks) await expect(Promise.resolve().then(run)).rejects.toThrow(/no such folder/)
  })

  it("breaks anything is found: every check has failed for one of these", async () => {
    const used = Object.values(broken).map(([check]) => check)
    const unused = memoryConformance(() => layerMemory).filter(
      ({ name }) => !used.some((check) => name.startsWith(check))
    )
    expect(unused.map(({ name }) => name)).toEqual([])
  })
})
