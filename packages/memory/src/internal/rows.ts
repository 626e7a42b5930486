import type { Constructor, Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { type Memory, MemoryId, MemoryType, StructuredData, Trust } from "../Memory.js"
import type { Filter } from "../MemoryStore.js"

const Strings = Schema.parseJson(Schema.Array(Schema.String))
const Text = Schema.NullOr(Schema.String)

export const Row = Schema.Struct({
  row: Schema.Number,
  id: MemoryId,
  type: MemoryType,
  summary: Text,
  content: Schema.String,
  tags: Strings,
  structured_data: Schema.NullOr(Schema.parseJson(StructuredData)),
  files: Strings,
  authoritative: Schema.Number,
  project: Schema.String,
  namespace: Schema.String,
  trust: Trust,
  source_tool: Schema.String,
  role: Text,
  agent_id: Text,
  run_id: Text,
  job_id: Text,
  repo: Text,
  branch: Text,
  commit_hash: Text,
  created_at: Schema.Number,
  updated_at: Schema.Number,
  superseded_by: Schema.NullOr(MemoryId),
  deleted_at: Schema.NullOr(Schema.Number)
})

export const columns = Object.keys(Row.fields).join(", ")

/** A stored record with what only the store knows about it. */
export interface Stored {
  readonly row: number
  readonly memory: Memory
}

export const toStored = (row: typeof Row.Type): Stored => ({
  row: row.row,
  memory: {
    id: row.id,
    type: row.type,
    summary: row.summary,
    content: row.content,
    tags: row.tags,
    structuredData: row.structured_data,
    files: row.files,
    authoritative: row.authoritative === 1,
    project: row.project,
    namespace: row.namespace,
    trust: row.trust,
    sourceTool: row.source_tool,
    ...(row.role === null ? {} : { role: row.role }),
    ...(row.agent_id === null ? {} : { agentId: row.agent_id }),
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    ...(row.job_id === null ? {} : { jobId: row.job_id }),
    ...(row.repo === null ? {} : { repo: row.repo }),
    ...(row.branch === null ? {} : { branch: row.branch }),
    ...(row.commit_hash === null ? {} : { commit: row.commit_hash }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    supersededBy: row.superseded_by
  }
})

const decodeRows = Schema.decodeUnknown(Schema.Array(Row))

export const decodeStored = (rows: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<Stored>, ParseError> =>
  Effect.map(decodeRows(rows), (decoded) => decoded.map(toStored))

/** The columns of a record that may change or are given at its creation. */
export const encodeMemory = (memory: Memory) => ({
  id: memory.id,
  type: memory.type,
  summary: memory.summary,
  content: memory.content,
  tags: JSON.stringify(memory.tags),
  structured_data: memory.structuredData === null ? null : JSON.stringify(memory.structuredData),
  files: JSON.stringify(memory.files),
  authoritative: memory.authoritative ? 1 : 0,
  project: memory.project,
  namespace: memory.namespace,
  trust: memory.trust,
  source_tool: memory.sourceTool,
  role: memory.role ?? null,
  agent_id: memory.agentId ?? null,
  run_id: memory.runId ?? null,
  job_id: memory.jobId ?? null,
  repo: memory.repo ?? null,
  branch: memory.branch ?? null,
  commit_hash: memory.commit ?? null,
  created_at: memory.createdAt,
  updated_at: memory.updatedAt
})

/** A condition for each value that is given. */
export const equal = (sql: Constructor, pairs: Readonly<Record<string, string | undefined>>): Array<Fragment> =>
  Object.entries(pairs).flatMap(([column, value]) => (value === undefined ? [] : [sql`${sql(column)} = ${value}`]))

/** The condition on `memories m` that a filter means. */
export const whereMemory = (sql: Constructor, filter: Filter): Fragment =>
  sql.and([
    filter.hidden === true ? sql`1` : sql`m.superseded_by IS NULL AND m.deleted_at IS NULL`,
    ...equal(sql, {
      "m.project": filter.project,
      "m.namespace": filter.namespace,
      "m.role": filter.role,
      "m.run_id": filter.runId,
      "m.job_id": filter.jobId,
      "m.repo": filter.repo,
      "m.source_tool": filter.sourceTool
    }),
    ...(filter.types === undefined || filter.types.length === 0 ? [] : [sql.in("m.type", filter.types)]),
    ...(filter.tags ?? []).map((tag) => sql`m.row IN (SELECT row FROM tags WHERE tag = ${tag})`)
  ])

/** A limit within 1 and `most`, whatever was asked. */
export const limitOf = (asked: number | undefined, standard: number, most: number): number =>
  asked === undefined || Number.isNaN(asked) ? standard : Math.max(1, Math.min(most, Math.trunc(asked)))
