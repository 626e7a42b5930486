/** Memories as tools show them: snake_case, absent rather than null, texts cut where many are shown. */
import { type Memory, MemoryId, MemoryType, StructuredData, Trust } from "@contextfs/memory/Memory"
import * as Schema from "effect/Schema"

/** Characters of a content that lists and hits show; `contextfs_recall` gives the whole. */
const excerptChars = 400

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** Where a memory came from. */
const provenance = {
  project: Schema.String,
  namespace: Schema.String,
  trust: Trust,
  source_tool: Schema.String,
  role: optional(Schema.String),
  agent_id: optional(Schema.String),
  run_id: optional(Schema.String),
  job_id: optional(Schema.String),
  repo: optional(Schema.String),
  branch: optional(Schema.String),
  commit: optional(Schema.String)
}

const head = {
  id: MemoryId,
  type: MemoryType,
  summary: optional(Schema.String),
  tags: Schema.Array(Schema.String),
  ...provenance,
  created_at: Schema.String,
  updated_at: Schema.String,
  superseded_by: optional(MemoryId)
}

export const Whole = Schema.Struct({
  ...head,
  content: Schema.String,
  structured_data: optional(StructuredData),
  files: Schema.Array(Schema.String)
})
export type Whole = typeof Whole.Type

export const Excerpt = Schema.Struct({
  ...head,
  excerpt: Schema.String,
  /** The excerpt is not the whole content. */
  cut: Schema.Boolean
})
export type Excerpt = typeof Excerpt.Type

const headOf = (memory: Memory) => ({
  id: memory.id,
  type: memory.type,
  ...(memory.summary === null ? {} : { summary: memory.summary }),
  tags: memory.tags,
  project: memory.project,
  namespace: memory.namespace,
  trust: memory.trust,
  source_tool: memory.sourceTool,
  ...(memory.role === undefined ? {} : { role: memory.role }),
  ...(memory.agentId === undefined ? {} : { agent_id: memory.agentId }),
  ...(memory.runId === undefined ? {} : { run_id: memory.runId }),
  ...(memory.jobId === undefined ? {} : { job_id: memory.jobId }),
  ...(memory.repo === undefined ? {} : { repo: memory.repo }),
  ...(memory.branch === undefined ? {} : { branch: memory.branch }),
  ...(memory.commit === undefined ? {} : { commit: memory.commit }),
  created_at: new Date(memory.createdAt).toISOString(),
  updated_at: new Date(memory.updatedAt).toISOString(),
  ...(memory.supersededBy === null ? {} : { superseded_by: memory.supersededBy })
})

export const whole = (memory: Memory): Whole => ({
  ...headOf(memory),
  content: memory.content,
  ...(memory.structuredData === null ? {} : { structured_data: memory.structuredData }),
  files: memory.files
})

export const excerpt = (memory: Memory): Excerpt => {
  const cut = memory.content.length > excerptChars
  return { ...headOf(memory), excerpt: cut ? clip(memory.content, excerptChars) : memory.content, cut }
}

/** Not in the middle of a character. */
export const clip = (text: string, chars: number): string => {
  if (text.length <= chars) return text
  const last = text.charCodeAt(chars - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? chars - 1 : chars)
}

/** `abc123def456 decision by code (agent-code), 2026-11-23T…: summary`, then the text. */
export const wholeText = (memory: Whole): string =>
  [
    line(memory),
    memory.content,
    ...(memory.structured_data === undefined ? [] : [`structured_data: ${JSON.stringify(memory.structured_data)}`]),
    ...(memory.files.length === 0 ? [] : [`files: ${memory.files.join(", ")}`])
  ].join("\n\n")

export const excerptText = (memory: Excerpt): string =>
  `${line(memory)}\n  ${memory.excerpt.replaceAll("\n", "\n  ")}${memory.cut ? " … (contextfs_recall shows the whole)" : ""}`

const line = (memory: Excerpt | Whole): string => {
  const by = memory.trust === "user" ? "the user" : (memory.role ?? memory.source_tool)
  const old = memory.superseded_by === undefined ? "" : `, superseded by ${memory.superseded_by}`
  const tags = memory.tags.length === 0 ? "" : ` [${memory.tags.join(", ")}]`
  const said = memory.summary === undefined ? "" : `: ${memory.summary}`
  return `${memory.id} ${memory.type} by ${by}, ${memory.created_at}${old}${tags}${said}`
}
