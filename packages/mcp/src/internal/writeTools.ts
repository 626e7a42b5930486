import { type Identity, type Memory, MemoryId, MemoryType, Relation, StructuredData } from "@contextfs/memory/Memory"
import { MemoryStore } from "@contextfs/memory/MemoryStore"
import * as Redaction from "@contextfs/memory/Redaction"
import { tagOf } from "@contextfs/roles/Role"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as McpTool from "../McpTool.js"
import { Excerpt, excerpt } from "./memoryView.js"
import {
  asToolError,
  idDescription,
  memoryType,
  optional,
  project,
  sameProject,
  Tags,
  text,
  typeDescription,
  weight,
  withDefault
} from "./toolInput.js"

const adding: McpTool.Hints = { readOnly: false, destructive: false, idempotent: false }

/** Every memory of a role is found by its tag, whether the agent thought of it or not. */
const tagged = (tags: ReadonlyArray<string>, caller: Identity): ReadonlyArray<string> =>
  caller.role === undefined ? tags : [...new Set([...tags, tagOf(caller.role)])]

const recordOf = (_: unknown, output: { readonly memory: Excerpt } | undefined): McpTool.CallRecord =>
  output === undefined ? {} : { type: output.memory.type, memoryIds: [output.memory.id] }

const redacted = optional(Schema.Number, "Secrets that were replaced by placeholders before anything was stored")

/** How many secrets the store has replaced in what it was given. */
const replaced = (given: ReadonlyArray<unknown>, { content, structuredData, summary, tags }: Memory) => {
  const found =
    Redaction.count(JSON.stringify([content, structuredData, summary, tags])) - Redaction.count(JSON.stringify(given))
  return found > 0 ? { redacted: found } : {}
}

/** An agent that is told learns not to. */
const replacedText = (count: number | undefined): string =>
  count === undefined
    ? ""
    : ` ${count === 1 ? "1 secret was" : `${count} secrets were`} replaced by placeholders: never save secrets.`

export const save = McpTool.make({
  name: "contextfs_save",
  title: "Save a memory",
  description:
    "Saves one thing the other agents of this project should know: a decision with its rationale, a pattern (code), a failure or its resolution (error), a finding (fact), documentation (doc). Saved once: the same content again adds its tags and replaces nothing. Never save secrets.",
  input: Schema.Struct({
    content: text("The text, at most 64 KiB"),
    type: withDefault(MemoryType, "fact", typeDescription),
    summary: optional(Schema.String, "One line, shown in lists"),
    tags: withDefault(Tags, [], "Words to find it by; the tag of your role is added"),
    structured_data: optional(StructuredData, "Fields of the type: see contextfs_get_type_schema"),
    project
  }),
  output: Schema.Struct({
    outcome: Schema.Literal("created", "merged"),
    memory: Excerpt,
    kept: optional(
      Schema.Array(Schema.Literal("summary", "structured_data")),
      "In what the memory that was there goes on saying something else"
    ),
    redacted
  }),
  hints: { ...adding, idempotent: true },
  handler: (input, caller) =>
    Effect.gen(function* () {
      yield* sameProject(input.project, caller)
      const store = yield* MemoryStore
      const { kept, memory, outcome } = yield* store
        .save(
          {
            content: input.content,
            type: input.type,
            tags: tagged(input.tags, caller),
            ...(input.summary === undefined ? {} : { summary: input.summary }),
            ...(input.structured_data === undefined ? {} : { structuredData: input.structured_data })
          },
          caller
        )
        .pipe(Effect.mapError(asToolError))
      const given = [input.content, input.summary, input.tags, input.structured_data]
      const stays = kept?.map((part) => (part === "summary" ? part : ("structured_data" as const)))
      return {
        outcome,
        memory: excerpt(memory),
        ...(stays === undefined ? {} : { kept: stays }),
        ...replaced(given, memory)
      }
    }),
  text: ({ kept = [], outcome, memory, redacted }) =>
    `${
      outcome === "created"
        ? `Saved ${memory.id} as ${memory.type}.`
        : `Already saved as ${memory.id} (${memory.type}); its tags are now: ${memory.tags.join(", ") || "none"}.`
    }${kept
      .map((part) =>
        part === "summary"
          ? ` Its summary stays ${JSON.stringify(memory.summary)}: contextfs_update changes it.`
          : " Its structured_data stays as it was where yours says something else."
      )
      .join("")}${replacedText(redacted)}`,
  record: recordOf
})

export const evolve = McpTool.make({
  name: "contextfs_evolve",
  title: "Evolve a memory",
  description:
    "Replaces an outdated memory by a new version; the old one stays in the history. Fails if somebody else evolved it meanwhile, and names the version to evolve instead.",
  input: Schema.Struct({
    memory_id: text(idDescription),
    new_content: text("The whole new text"),
    summary: optional(Schema.String, "One line, shown in lists"),
    preserve_tags: withDefault(Schema.Boolean, true, "Keep the tags of the old version"),
    additional_tags: withDefault(Tags, [], "More tags")
  }),
  output: Schema.Struct({ memory: Excerpt, supersedes: Schema.String, redacted }),
  hints: adding,
  handler: (input, caller) =>
    Effect.gen(function* () {
      const store = yield* MemoryStore
      const memory = yield* store
        .evolve(
          input.memory_id,
          {
            content: input.new_content,
            preserveTags: input.preserve_tags,
            additionalTags: tagged(input.additional_tags, caller),
            ...(input.summary === undefined ? {} : { summary: input.summary })
          },
          caller
        )
        .pipe(Effect.mapError(asToolError))
      const given = [input.new_content, input.summary ?? memory.summary, input.additional_tags]
      const seen = { ...memory, structuredData: null, tags: input.additional_tags.length === 0 ? [] : memory.tags }
      return { memory: excerpt(memory), supersedes: input.memory_id, ...replaced(given, seen) }
    }),
  text: ({ memory, redacted, supersedes }) =>
    `Saved ${memory.id}, which supersedes ${supersedes}.${replacedText(redacted)}`,
  record: recordOf
})

export const link = McpTool.make({
  name: "contextfs_link",
  title: "Link two memories",
  description: "Says how one memory bears on another, for example a finding that `contradicts` a decision.",
  input: Schema.Struct({
    from_id: text(idDescription),
    to_id: text(idDescription),
    relation: Relation.annotations({ description: "What the first is to the second" }),
    weight: withDefault(weight, 1, "How strongly, 0 to 1"),
    bidirectional: withDefault(Schema.Boolean, false, "Also store the inverse relation")
  }),
  output: Schema.Struct({ from_id: Schema.String, to_id: Schema.String, relation: Relation, weight: Schema.Number }),
  hints: { ...adding, idempotent: true },
  handler: (input, caller) =>
    Effect.gen(function* () {
      const store = yield* MemoryStore
      const made = yield* store
        .link(
          {
            from: input.from_id,
            to: input.to_id,
            relation: input.relation,
            weight: input.weight,
            bidirectional: input.bidirectional
          },
          caller
        )
        .pipe(Effect.mapError(asToolError))
      return { from_id: made.from, to_id: made.to, relation: made.relation, weight: made.weight }
    }),
  text: ({ from_id, relation, to_id }) => `Linked: ${from_id} ${relation} ${to_id}.`,
  record: (_, output) => (output === undefined ? {} : { memoryIds: [output.from_id, output.to_id] })
})

export const update = McpTool.make({
  name: "contextfs_update",
  title: "Correct a memory",
  description: "Changes a memory in place; what is left out stays. For new knowledge use contextfs_evolve.",
  input: Schema.Struct({
    id: text(idDescription),
    content: optional(Schema.String, "The whole new text"),
    summary: optional(Schema.String, "One line, shown in lists"),
    tags: optional(Tags, "All tags, instead of the present ones"),
    type: memoryType,
    project
  }),
  output: Schema.Struct({ memory: Excerpt, redacted }),
  hints: { readOnly: false, destructive: true, idempotent: true },
  handler: (input, caller) =>
    Effect.gen(function* () {
      yield* sameProject(input.project, caller)
      const store = yield* MemoryStore
      const memory = yield* store
        .update(
          input.id,
          {
            ...(input.content === undefined ? {} : { content: input.content }),
            ...(input.summary === undefined ? {} : { summary: input.summary }),
            ...(input.tags === undefined ? {} : { tags: input.tags }),
            ...(input.type === undefined ? {} : { type: input.type })
          },
          caller
        )
        .pipe(Effect.mapError(asToolError))
      // What is left out was there before, placeholders and all.
      const given = [input.content ?? memory.content, input.summary ?? memory.summary, input.tags ?? memory.tags]
      return { memory: excerpt(memory), ...replaced(given, { ...memory, structuredData: null }) }
    }),
  text: ({ memory, redacted }) => `Updated ${memory.id}.${replacedText(redacted)}`,
  record: recordOf
})

export const remove = McpTool.make({
  name: "contextfs_delete",
  title: "Delete a memory",
  description: "Hides a memory that is wrong or of no use from every search and list, with its links.",
  input: Schema.Struct({ id: text(idDescription) }),
  output: Schema.Struct({ id: MemoryId, deleted: Schema.Literal(true) }),
  hints: { readOnly: false, destructive: true, idempotent: true },
  handler: ({ id }, caller) =>
    Effect.gen(function* () {
      const store = yield* MemoryStore
      const memory = yield* store.delete(id, caller).pipe(Effect.mapError(asToolError))
      return { id: memory.id, deleted: true as const }
    }),
  text: ({ id }) => `Deleted ${id}.`,
  record: (_, output) => (output === undefined ? {} : { memoryIds: [output.id] })
})
