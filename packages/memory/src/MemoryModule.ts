/**
 * A memory backend that the user names or gives: a store of promises (`PromiseStore`), a layer for `MemoryStore`, or a
 * function of its options that returns one of them, at once or as a promise.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as internal from "./internal/memoryModule.js"
import type { ModuleError, StorageError } from "./MemoryError.js"
import type { MemoryStore } from "./MemoryStore.js"
import type { PromiseStore } from "./PromiseStore.js"

export type Backend = PromiseStore | Layer.Layer<MemoryStore, StorageError>

/** A module and what it is given. */
export interface Named {
  readonly module: string
  /** What it is found from. Absolute. */
  readonly directory: string
  readonly options?: unknown
}

/**
 * The layer of a backend given in code. Fails with `ModuleError` for what is neither a store nor a layer, naming what is
 * missing, and for a layer that was built with another version of Effect, naming both.
 */
export const fromBackend: (backend: unknown) => Effect.Effect<Layer.Layer<MemoryStore, StorageError>, ModuleError> =
  internal.fromBackend

/**
 * Loads the module (`./my-store.js`, or a package found from `directory`) and takes its export `default` or `memory`.
 * `options`: any JSON, for a function; default none.
 */
export const load: (request: Named) => Effect.Effect<Layer.Layer<MemoryStore, StorageError>, ModuleError> =
  internal.load
