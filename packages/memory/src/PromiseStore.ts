/**
 * A memory backend of plain promises: it needs neither Effect nor anything of ours. `layer` makes a `MemoryStore` of it and
 * checks what goes in (sizes, type schemas) and what comes out.
 *
 * A method fails by an error whose `name` is `MemoryNotFound`, `AmbiguousId` (with `candidates`), `InvalidMemory` or
 * `MemoryConflict` (with `head`); every other error is a `StorageError`.
 */
import type * as Layer from "effect/Layer"
import * as internal from "./internal/promiseStore.js"
import type { Identity, Memory } from "./Memory.js"
import type { EventQuery, Link, LinkInput, ListQuery, MemoryEvent, MemoryStore, SearchQuery } from "./MemoryStore.js"

/** What a memory says, checked, with nothing left out. */
export type Draft = Pick<Memory, "type" | "content" | "summary" | "tags" | "structuredData" | "files" | "authoritative">

/** A memory as a backend answers it: ids are plain texts of twelve characters a-z and 0-9. */
export type StoredMemory = typeof Memory.Encoded

/** An event with the memory it is about, as that is now. */
export type StoredEvent = Omit<MemoryEvent, "memory"> & { readonly memory: StoredMemory }

/** Ids may be prefixes of at least six characters and are looked up in `by.project` only. Limits are always given. */
export interface PromiseStore {
  /** The same content, white space around it aside, again in the same project, namespace and type: see `Saved`. */
  readonly save: (
    draft: Draft,
    by: Identity
  ) => Promise<{ readonly memory: StoredMemory; readonly outcome: "created" | "merged" }>
  readonly search: (
    query: SearchQuery & { readonly limit: number }
  ) => Promise<ReadonlyArray<{ readonly memory: StoredMemory; readonly score: number }>>
  readonly get: (id: string, scope: { readonly project?: string }) => Promise<StoredMemory>
  readonly list: (query: ListQuery & { readonly limit: number }) => Promise<ReadonlyArray<StoredMemory>>
  /** What changes, and nothing else. */
  readonly update: (
    id: string,
    changes: Partial<Pick<Draft, "content" | "type" | "summary" | "tags">>,
    by: Identity
  ) => Promise<StoredMemory>
  /** What the new memory says, the tags it keeps included; it stays in the old one's namespace. */
  readonly evolve: (id: string, draft: Draft, by: Identity) => Promise<StoredMemory>
  readonly link: (input: Required<LinkInput>, by: Identity) => Promise<Link>
  readonly links: (id: string, scope: { readonly project?: string }) => Promise<ReadonlyArray<Link>>
  readonly delete: (id: string, by: Identity) => Promise<StoredMemory>
  readonly events: (query: EventQuery & { readonly limit: number }) => Promise<ReadonlyArray<StoredEvent>>
  /** Called once, when nobody uses it any more. */
  readonly close?: () => Promise<void>
}

/** Names of the methods that a store must have. */
export const methods = internal.methods

export const layer: (store: PromiseStore) => Layer.Layer<MemoryStore> = internal.layer
