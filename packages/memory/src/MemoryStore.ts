/**
 * The shared memory as a service. `layerSqlite` keeps it in one file that many processes may use at once;
 * `layerMemory` keeps it in this process. Any other layer for this tag is a backend of equal right.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Identity, Memory, MemoryType, Relation, StructuredData } from "./Memory.js"

/** The store cannot be read or written: the message says what and where, `hint` what to do. */
export class StorageError extends Schema.TaggedError<StorageError>("@contextfs/memory/StorageError")("StorageError", {
  message: Schema.String,
  hint: Schema.optionalWith(Schema.String, { exact: true }),
  cause: Schema.optionalWith(Schema.Defect, { exact: true })
}) {}

/** No visible memory has this id or prefix in the caller's project. */
export class MemoryNotFound extends Schema.TaggedError<MemoryNotFound>("@contextfs/memory/MemoryNotFound")(
  "MemoryNotFound",
  { id: Schema.String }
) {
  override get message(): string {
    return `no memory ${JSON.stringify(this.id)}`
  }
}

/** The prefix is too short or fits several memories, which are named. */
export class AmbiguousId extends Schema.TaggedError<AmbiguousId>("@contextfs/memory/AmbiguousId")("AmbiguousId", {
  id: Schema.String,
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.candidates.length === 0
      ? `id ${JSON.stringify(this.id)} is too short: give at least 6 characters`
      : `id ${JSON.stringify(this.id)} is ambiguous: ${this.candidates.join(", ")}`
  }
}

/** What was given cannot be stored: too large, empty, or not of the type's schema. */
export class InvalidMemory extends Schema.TaggedError<InvalidMemory>("@contextfs/memory/InvalidMemory")(
  "InvalidMemory",
  { message: Schema.String }
) {}

/** The memory was evolved by someone else meanwhile; `head` is the one that is current now. */
export class MemoryConflict extends Schema.TaggedError<MemoryConflict>("@contextfs/memory/MemoryConflict")(
  "MemoryConflict",
  { id: Schema.String, head: Schema.String }
) {
  override get message(): string {
    return `memory ${this.id} has been superseded by ${this.head}: evolve that one`
  }
}

export interface SaveInput {
  readonly content: string
  /** Default `fact`. */
  readonly type?: MemoryType
  readonly summary?: string
  readonly tags?: ReadonlyArray<string>
  readonly structuredData?: StructuredData
  readonly files?: ReadonlyArray<string>
  readonly authoritative?: boolean
}

export interface Saved {
  readonly memory: Memory
  /** `merged`: the same content was already there in this project; its tags were united with the new ones. */
  readonly outcome: "created" | "merged"
}

/** Which memories are meant. Every part is applied in the query, before ranking and limiting. */
export interface Filter {
  /** Absent: every project. */
  readonly project?: string
  /** Absent: every namespace of the project. */
  readonly namespace?: string
  readonly types?: ReadonlyArray<MemoryType>
  /** All of these. */
  readonly tags?: ReadonlyArray<string>
  readonly role?: string
  readonly runId?: string
  readonly jobId?: string
  readonly repo?: string
  readonly sourceTool?: string
  /** Also superseded and deleted ones; default false. */
  readonly hidden?: boolean
}

export interface SearchQuery extends Filter {
  /** Any text at all. */
  readonly query: string
  /** Default 5, at most 100. */
  readonly limit?: number
}

export interface Hit {
  readonly memory: Memory
  /** Higher is better; comparable within one answer only. */
  readonly score: number
}

export interface ListQuery extends Filter {
  /** Default 10, at most 1000. */
  readonly limit?: number
}

export interface UpdateInput {
  readonly content?: string
  readonly type?: MemoryType
  readonly summary?: string
  readonly tags?: ReadonlyArray<string>
}

export interface EvolveInput {
  readonly content: string
  readonly summary?: string
  /** Keep the tags of the old one; default true. */
  readonly preserveTags?: boolean
  readonly additionalTags?: ReadonlyArray<string>
}

export interface LinkInput {
  readonly from: string
  readonly to: string
  readonly relation: Relation
  /** 0 to 1, default 1. */
  readonly weight?: number
  /** Also stores the inverse relation; default false. */
  readonly bidirectional?: boolean
}

export interface Link {
  readonly from: string
  readonly to: string
  readonly relation: Relation
  readonly weight: number
}

/** One thing that happened to the memory. `sequence` grows by commit order over all processes. */
export interface MemoryEvent {
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly kind: "created" | "merged" | "updated" | "evolved" | "linked" | "deleted"
  readonly memoryId: string
  /** Who did it; a repeated save is an event of its own author, run and job. */
  readonly by: Identity
}

export interface EventQuery {
  /** Only events after this sequence; default 0. */
  readonly since?: number
  readonly project?: string
  readonly runId?: string
  readonly jobId?: string
  /** Default 100, at most 1000. */
  readonly limit?: number
}

type Missing = MemoryNotFound | AmbiguousId

/** An id may be any prefix of at least six characters. Ids are looked up in `by.project` only. */
export interface MemoryStoreService {
  readonly save: (input: SaveInput, by: Identity) => Effect.Effect<Saved, InvalidMemory | StorageError>
  /** Best first; nothing fits, nothing returned; no text can make it fail. */
  readonly search: (query: SearchQuery) => Effect.Effect<ReadonlyArray<Hit>, StorageError>
  readonly get: (id: string, scope: { readonly project?: string }) => Effect.Effect<Memory, Missing | StorageError>
  /** Newest first. */
  readonly list: (query: ListQuery) => Effect.Effect<ReadonlyArray<Memory>, StorageError>
  readonly update: (
    id: string,
    input: UpdateInput,
    by: Identity
  ) => Effect.Effect<Memory, Missing | InvalidMemory | MemoryConflict | StorageError>
  /** Stores a new memory that supersedes `id`; the loser of a race gets `MemoryConflict`. */
  readonly evolve: (
    id: string,
    input: EvolveInput,
    by: Identity
  ) => Effect.Effect<Memory, Missing | InvalidMemory | MemoryConflict | StorageError>
  readonly link: (input: LinkInput, by: Identity) => Effect.Effect<Link, Missing | InvalidMemory | StorageError>
  /** Hides it from every default answer; its links go with it. */
  readonly delete: (id: string, by: Identity) => Effect.Effect<Memory, Missing | StorageError>
  /** The change feed, oldest first. */
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<MemoryEvent>, StorageError>
}

export class MemoryStore extends Context.Tag("@contextfs/memory/MemoryStore")<MemoryStore, MemoryStoreService>() {}
