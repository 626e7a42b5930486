import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Driver from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { statement } from "../src/internal/events.js"
import { migrations } from "../src/internal/migrations.js"
import type { Identity } from "../src/Memory.js"
import { type EventQuery, layerMemory, layerSqlite, MemoryStore } from "../src/MemoryStore.js"
import * as Sqlite from "../src/Sqlite.js"

const by = (more: Partial<Identity> = {}): Identity => ({
  project: "p",
  namespace: "global",
  trust: "agent",
  sourceTool: "agent-test",
  ...more
})

const store = <A, E>(body: Effect.Effect<A, E, MemoryStore>) => Effect.provide(body, Layer.fresh(layerMemory))

const inFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-events-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

/** What `findings`, `errors` and `monitor` ask for, in every form. */
const asked: ReadonlyArray<readonly [index: string, query: EventQuery]> = [
  ["sequence", { since: 7 }],
  ["events_by_project", { project: "p", since: 7 }],
  ["events_by_run", { project: "p", runId: "r", since: 7 }],
  ["events_of_agents", { project: "p", agents: true }],
  ["events_of_type", { project: "p", agents: true, types: ["error"] }],
  ["events_of_role", { project: "p", agents: true, role: "test" }],
  ["events_by_run", { project: "p", agents: true, runId: "r", types: ["error"] }]
]

describe("events", () => {
  it.scoped("whatever is asked for comes from an index, in its order: nothing is scanned, nothing is sorted", () =>
    Effect.gen(function* () {
      const { sql } = yield* Sqlite.make({ path: ":memory:", migrations })
      for (const [index, query] of asked) {
        const whole: EventQuery =
          query.since === undefined
            ? { ...query, kinds: ["created", "merged", "evolved"], current: true, newestFirst: true }
            : query
        const [text, values] = statement(sql, whole).compile()
        const plan = (yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values)).map(
          ({ detail }) => detail
        )
        const found = `${JSON.stringify(query)}: ${plan.join("; ")}`
        const outer =
          index === "sequence" ? "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)" : `SEARCH e USING INDEX ${index} (`
        expect(plan[0]?.startsWith(outer), found).toBe(true)
        expect(plan, found).toContain("SEARCH m USING INDEX sqlite_autoindex_memories_1 (id=?)")
        expect(plan.join(), found).not.toMatch(/SCAN|TEMP B-TREE/)
      }
    })
  )

  it.effect("of a project with many memories, the few that fit are found, whatever came after them", () =>
    store(
      Effect.gen(function* () {
        const memory = yield* MemoryStore
        const error = { content: "It broke", type: "error" } as const
        yield* memory.save(error, by({ role: "test", runId: "r1" }))
        yield* memory.save({ content: "by the user", type: "error" }, by({ trust: "user" }))
        for (let n = 0; n < 30; n++) yield* memory.save({ content: `fact ${n}` }, by({ role: "code", runId: "r2" }))
        const errors: EventQuery = { project: "p", agents: true, types: ["error"], current: true, newestFirst: true }
        const told = (query: EventQuery) =>
          Effect.map(memory.events(query), (events) => events.map((event) => [event.memory.content, event.by.runId]))
        expect(yield* told({ ...errors, limit: 2 })).toEqual([["It broke", "r1"]])
        expect(yield* told({ ...errors, runId: "r2" })).toEqual([])
        // Said again in another run it is a finding of that run too, and still one of the project.
        yield* memory.save(error, by({ role: "debug", runId: "r2" }))
        expect(yield* told(errors)).toEqual([["It broke", "r2"]])
        expect(yield* told({ ...errors, runId: "r1" })).toEqual([["It broke", "r1"]])
        expect(yield* told({ ...errors, role: "test" })).toEqual([["It broke", "r1"]])
      })
    )
  )

  it.scoped("a memory of the first schema has its events brought up to date, and a reader leaves it as it was", () =>
    Effect.gen(function* () {
      const file = path.join(yield* inFolder, "memory.db")
      yield* Effect.scoped(Sqlite.make({ path: file, migrations: migrations.slice(0, 1) }))
      const db = new Driver(file)
      const save = db.prepare(
        `INSERT INTO memories (id, type, content, tags, files, authoritative, project, namespace, trust, source_tool, role,
          created_at, updated_at, superseded_by, content_hash) VALUES (?, ?, ?, '[]', '[]', 0, 'p', 'global', 'agent', 't',
          'code', 1, 1, ?, ?)`
      )
      const note = db.prepare(
        "INSERT INTO events (at, kind, memory_id, project, author) VALUES (1, 'created', ?, 'p', ?)"
      )
      for (const [id, type, supersededBy] of [
        ["aaaaaaaaaaaa", "error", "bbbbbbbbbbbb"],
        ["bbbbbbbbbbbb", "error", null],
        ["cccccccccccc", "fact", null]
      ]) {
        save.run(id, type, `the ${type} ${id}`, supersededBy, Buffer.from(`${id}`))
        note.run(id, JSON.stringify(by({ role: "code" })))
      }
      db.close()
      const before = fs.readFileSync(file)
      const reader = Effect.flip(Effect.scoped(Layer.build(layerSqlite({ path: file, readOnly: true }))))
      expect((yield* reader).message).toMatch(/older version \(schema 1, this one needs 2\); it was left as it is/)
      expect(fs.readFileSync(file).equals(before)).toBe(true)
      const errors = Effect.flatMap(MemoryStore, (memory) =>
        memory.events({ project: "p", agents: true, types: ["error"], current: true })
      )
      const ids = Effect.map(errors, (events) => events.map((event) => event.memory.id))
      expect(yield* Effect.provide(ids, layerSqlite({ path: file }))).toEqual(["bbbbbbbbbbbb"])
      expect(yield* Effect.provide(ids, layerSqlite({ path: file, readOnly: true }))).toEqual(["bbbbbbbbbbbb"])
    })
  )
})
