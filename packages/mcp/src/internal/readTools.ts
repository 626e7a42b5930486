import { MemoryType } from "@contextfs/memory/Memory"
import { MemoryStore } from "@contextfs/memory/MemoryStore"
import { typeSchema } from "@contextfs/memory/TypeSchema"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as McpTool from "../McpTool.js"
import { Excerpt, excerpt, excerptText, Whole, whole, wholeText } from "./memoryView.js"
import {
  asToolError,
  idDescription,
  limitTo,
  memoryType,
  optional,
  project,
  queryRecord,
  reading,
  sameProject,
  text,
  typeDescription,
  withDefault
} from "./toolInput.js"

export const search = McpTool.make({
  name: "contextfs_search",
  title: "Search the shared memory",
  description:
    "Finds what you and other agents saved in this project, best first: decisions, errors, patterns, findings. Search before you start, before you decide, and when something fails. Any text is a valid query; a tag such as `test-agent` works too.",
  input: Schema.Struct({
    query: text("Words to look for"),
    limit: withDefault(limitTo(100), 5, "Most memories to return"),
    type: memoryType,
    cross_repo: withDefault(Schema.Boolean, true, "false: only what was saved in this repository"),
    source_repo: optional(Schema.String, "Only memories from the repository of this name"),
    source_tool: optional(Schema.String, "Only memories from this tool, for example `agent-test`"),
    project
  }),
  output: Schema.Struct({ hits: Schema.Array(Schema.Struct({ score: Schema.Number, ...Excerpt.fields })) }),
  hints: reading,
  handler: (input, caller) =>
    Effect.gen(function* () {
      yield* sameProject(input.project, caller)
      const store = yield* MemoryStore
      const hits = yield* store
        .search({
          query: input.query,
          limit: input.limit,
          project: caller.project,
          ...(input.cross_repo ? {} : { namespace: caller.namespace }),
          ...(input.type === undefined ? {} : { types: [input.type] }),
          ...(input.source_repo === undefined ? {} : { repo: input.source_repo }),
          ...(input.source_tool === undefined ? {} : { sourceTool: input.source_tool })
        })
        .pipe(Effect.mapError(asToolError))
      return { hits: hits.map(({ memory, score }) => ({ score, ...excerpt(memory) })) }
    }),
  text: ({ hits }) => (hits.length === 0 ? "Nothing found." : hits.map(excerptText).join("\n")),
  record: ({ query }, output) => ({
    query: queryRecord(query),
    ...(output === undefined ? {} : { memoryIds: output.hits.map(({ id }) => id) })
  })
})

export const recall = McpTool.make({
  name: "contextfs_recall",
  title: "Recall a memory",
  description: "Shows one memory of this project whole: content, structured data and where it came from.",
  input: Schema.Struct({ id: text(idDescription) }),
  output: Schema.Struct({ memory: Whole }),
  hints: reading,
  handler: ({ id }, caller) =>
    Effect.gen(function* () {
      const store = yield* MemoryStore
      const memory = yield* store.get(id, { project: caller.project }).pipe(Effect.mapError(asToolError))
      return { memory: whole(memory) }
    }),
  text: ({ memory }) => wholeText(memory),
  record: (_, output) => (output === undefined ? {} : { type: output.memory.type, memoryIds: [output.memory.id] })
})

export const list = McpTool.make({
  name: "contextfs_list",
  title: "List memories",
  description: "The newest memories of this project, newest first.",
  input: Schema.Struct({
    limit: withDefault(limitTo(100), 10, "Most memories to return"),
    type: memoryType,
    source_tool: optional(Schema.String, "Only memories from this tool, for example `agent-test`"),
    project
  }),
  output: Schema.Struct({ memories: Schema.Array(Excerpt) }),
  hints: reading,
  handler: (input, caller) =>
    Effect.gen(function* () {
      yield* sameProject(input.project, caller)
      const store = yield* MemoryStore
      const memories = yield* store
        .list({
          limit: input.limit,
          project: caller.project,
          ...(input.type === undefined ? {} : { types: [input.type] }),
          ...(input.source_tool === undefined ? {} : { sourceTool: input.source_tool })
        })
        .pipe(Effect.mapError(asToolError))
      return { memories: memories.map(excerpt) }
    }),
  text: ({ memories }) => (memories.length === 0 ? "No memories yet." : memories.map(excerptText).join("\n")),
  record: (_, output) => (output === undefined ? {} : { memoryIds: output.memories.map(({ id }) => id) })
})

export const getTypeSchema = McpTool.make({
  name: "contextfs_get_type_schema",
  title: "Schema of a memory type",
  description: "JSON Schema of the `structured_data` that memories of a type hold.",
  input: Schema.Struct({ memory_type: MemoryType.annotations({ description: typeDescription }) }),
  output: Schema.Struct({
    memory_type: MemoryType,
    json_schema: Schema.Record({ key: Schema.String, value: Schema.Unknown })
  }),
  hints: reading,
  handler: ({ memory_type }) => Effect.succeed({ memory_type, json_schema: typeSchema(memory_type) }),
  text: ({ json_schema }) => JSON.stringify(json_schema, null, 2)
})
