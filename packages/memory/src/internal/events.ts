import type { Constructor, Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Identity, type Memory } from "../Memory.js"
import type { EventQuery, MemoryEvent } from "../MemoryStore.js"
import { equal, limitOf, Row, toStored } from "./rows.js"

const encodeIdentity = Schema.encodeSync(Schema.parseJson(Identity))

/** The columns of an event. `type` is the memory's present one, and changes with it. */
export const encodeEvent = (at: number, kind: MemoryEvent["kind"], memory: Memory, by: Identity) => ({
  at,
  kind,
  memory_id: memory.id,
  type: memory.type,
  project: by.project,
  role: by.role ?? null,
  run_id: by.runId ?? null,
  job_id: by.jobId ?? null,
  author: encodeIdentity(by)
})

const EventOnly = Schema.Struct({
  sequence: Schema.Number,
  at: Schema.Number,
  kind: Schema.Literal("created", "merged", "updated", "evolved", "linked", "deleted"),
  author: Schema.parseJson(Identity)
})
const decodeRows = Schema.decodeUnknown(Schema.Array(Schema.Struct({ ...EventOnly.fields, ...Row.fields })))

const columns = [
  ...Object.keys(EventOnly.fields).map((column) => `e.${column}`),
  ...Object.keys(Row.fields).map((column) => `m.${column}`)
].join(", ")

/** The condition on the events of this name; `current` only as far as it is about one event alone. */
const whereEvent = (sql: Constructor, name: "e" | "l", query: EventQuery): Fragment => {
  const column = (of: string) => sql.literal(`${name}.${of}`)
  // A run is the smaller part: with the plus its index is taken, not the project's.
  const plus = sql.literal(query.runId === undefined ? "" : "+")
  return sql.and([
    sql`${column("sequence")} > ${query.since ?? 0}`,
    ...(query.project === undefined ? [] : [sql`${plus}${column("project")} = ${query.project}`]),
    ...equal(sql, { [`${name}.run_id`]: query.runId, [`${name}.job_id`]: query.jobId, [`${name}.role`]: query.role }),
    ...(query.agents === true ? [sql`${column("role")} IS NOT NULL`] : []),
    ...(query.kinds === undefined || query.kinds.length === 0 ? [] : [sql.in(`${name}.kind`, query.kinds)]),
    ...(query.types === undefined || query.types.length === 0 ? [] : [sql.in(`${name}.type`, query.types)]),
    ...(query.current === true ? [sql`${column("hidden")} = 0`] : [])
  ])
}

/** Takes time by the limit, not by what there is, for whatever the command line asks for. */
export const statement = (sql: Constructor, query: EventQuery) => {
  const fits = whereEvent(sql, "e", query)
  // Whatever index the planner would like better: whether there is a later one is a question about one memory.
  const isLast = sql`NOT EXISTS (SELECT 1 FROM events l INDEXED BY events_by_memory
    WHERE l.memory_id = e.memory_id AND l.sequence > e.sequence AND ${whereEvent(sql, "l", query)})`
  // CROSS: the events are always the outer loop.
  return sql`SELECT ${sql.literal(columns)} FROM events e CROSS JOIN memories m ON m.id = e.memory_id
    WHERE ${query.current === true ? sql.and([fits, isLast]) : fits}
    ORDER BY e.sequence ${sql.literal(query.newestFirst === true ? "DESC" : "ASC")}
    LIMIT ${limitOf(query.limit, 100, 1000)}`
}

export const makeEvents = (sql: Constructor) => (query: EventQuery) =>
  statement(sql, query).pipe(
    Effect.flatMap(decodeRows),
    Effect.map((decoded) =>
      decoded.map(
        ({ sequence, at, kind, author, ...row }): MemoryEvent => ({
          sequence,
          at,
          kind,
          by: author,
          memory: toStored(row).memory
        })
      )
    )
  )
