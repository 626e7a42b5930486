/**
 * The record that agents share, and the words it is made of: types, relations, scope, provenance.
 * Names and values follow the original ContextFS, so that prompts and habits carry over.
 */
import * as Schema from "effect/Schema"
import { memoryTypes, relations } from "./vocabulary.js"

export { isProject, memoryTypes, relations } from "./vocabulary.js"

/** Twelve characters; any prefix of at least six names a memory where it is unambiguous. */
export const MemoryId = Schema.String.pipe(Schema.pattern(/^[a-z0-9]{12}$/), Schema.brand("@contextfs/memory/MemoryId"))
export type MemoryId = typeof MemoryId.Type

export const MemoryType = Schema.Literal(...memoryTypes)
export type MemoryType = typeof MemoryType.Type

export const Relation = Schema.Literal(...relations)
export type Relation = typeof Relation.Type

/** How far a memory may be believed: said by the user, by an agent, or taken from elsewhere. */
export const Trust = Schema.Literal("user", "agent", "imported")
export type Trust = typeof Trust.Type

/**
 * Who is speaking. It comes from the token or environment that a server was started with, never from a tool's
 * arguments; absent fields are unknown.
 */
export const Identity = Schema.Struct({
  /** Free label that groups memories across repositories; see `isProject` for what one can be saved under. */
  project: Schema.String,
  /** Repository (or folder) the speaker works in; `global` outside of any. */
  namespace: Schema.String,
  trust: Trust,
  /** For example `agent-test`, `claude-code`, `contextfs-cli`. */
  sourceTool: Schema.String,
  role: Schema.optionalWith(Schema.String, { exact: true }),
  agentId: Schema.optionalWith(Schema.String, { exact: true }),
  runId: Schema.optionalWith(Schema.String, { exact: true }),
  jobId: Schema.optionalWith(Schema.String, { exact: true }),
  repo: Schema.optionalWith(Schema.String, { exact: true }),
  branch: Schema.optionalWith(Schema.String, { exact: true }),
  commit: Schema.optionalWith(Schema.String, { exact: true })
})
export type Identity = typeof Identity.Type

export const StructuredData = Schema.Record({ key: Schema.String, value: Schema.Unknown })
export type StructuredData = typeof StructuredData.Type

/** Largest `content`, in bytes of UTF-8. */
export const maxContentBytes = 64 * 1024

/** A stored memory. Times are milliseconds since the epoch. */
export const Memory = Schema.Struct({
  id: MemoryId,
  type: MemoryType,
  summary: Schema.NullOr(Schema.String),
  content: Schema.String,
  tags: Schema.Array(Schema.String),
  structuredData: Schema.NullOr(StructuredData),
  ...Identity.fields,
  files: Schema.Array(Schema.String),
  authoritative: Schema.Boolean,
  createdAt: Schema.Number,
  updatedAt: Schema.Number,
  supersededBy: Schema.NullOr(MemoryId)
})
export type Memory = typeof Memory.Type
