/**
 * The shared memory as a service. `layerSqlite` keeps it in one file that many processes may use at once;
 * `layerMemory` keeps it in this process. Any other layer for this tag is a backend of equal right.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Identity, Memory, MemoryType, Relation, StructuredData } from "./Memory.js"
import type { AmbiguousId, InvalidMemory, MemoryConflict, MemoryNotFound, StorageError } from "./MemoryError.js"

export { AmbiguousId, InvalidMemory, MemoryConflict, MemoryNotFound, StorageError } from "./MemoryError.js"

/** Control characters and terminal sequences are taken out of every text, so that each word can be found. */
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
  /**
   * `merged`: the same content was already there in this project, with this type. What it says stays; tags and files were
   * united with the new ones, a summary and data that it lacked were added.
   */
  readonly outcome: "created" | "merged"
  /** In what a merged memory goes on saying something else than what was given; absent where there is nothing. */
  readonly kept?: ReadonlyArray<"summary" | "structuredData">
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
  /** Who did it; a repeated save is an event of its own author, run and job. */
  readonly by: Identity
  /** As it is now, even where it is superseded or deleted by now; of `evolved` the new one, of `linked` the one linked from. */
  readonly memory: Memory
}

/** Which events are meant. Every part is applied in the query, before limiting. */
export interface EventQuery {
  /** Only events after this sequence; default 0. */
  readonly since?: number
  /** Project, run, job and role of who did it. */
  readonly project?: string
  readonly runId?: string
  readonly jobId?: string
  readonly role?: string
  /** Only what agents did: those who speak in a role. Default false. */
  readonly agents?: boolean
  readonly kinds?: ReadonlyArray<MemoryEvent["kind"]>
  /** Only of memories that have one of these types now. */
  readonly types?: ReadonlyArray<MemoryType>
  /** Only of memories that are neither superseded nor deleted, and of each the last event that fits. Default false. */
  readonly current?: boolean
  /** Default false: oldest first. */
  readonly newestFirst?: boolean
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
  /** The links from and to a memory, its own first. */
  readonly links: (
    id: string,
    scope: { readonly project?: string }
  ) => Effect.Effect<ReadonlyArray<Link>, Missing | StorageError>
  /** Hides it from every default answer; its links go with it. */
  readonly delete: (id: string, by: Identity) => Effect.Effect<Memory, Missing | StorageError>
  /** The change feed, with the memories it is about. */
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<MemoryEvent>, StorageError>
}

export class MemoryStore extends Context.Tag("@contextfs/memory/MemoryStore")<MemoryStore, MemoryStoreService>() {}

/**
 * A memory in one SQLite file (see `Sqlite` for how it is opened, what is refused, and what `readOnly` means). Any number
 * of processes may use the file at once. The driver is loaded when the layer is built.
 */
export const layerSqlite = (options: {
  readonly path: string
  readonly readOnly?: boolean
}): Layer.Layer<MemoryStore, StorageError> =>
  Layer.scoped(
    MemoryStore,
    Effect.flatMap(
      Effect.promise(() => import("./internal/memoryStore.js")),
      ({ make }) => make(options)
    )
  )

/** A memory that lives and dies with the layer: the same tables and statements in a SQLite database without a file. */
export const layerMemory: Layer.Layer<MemoryStore, StorageError> = layerSqlite({ path: ":memory:" })
