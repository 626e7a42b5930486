/**
 * A tool adapter that the user names: a file (`./my-tool.js`) or an installed package whose export `default` or `adapter` is a
 * `ToolAdapter`. It is a plain value, so it may be made with any version of anything, or with nothing.
 */
import type { ModuleError } from "@contextfs/memory/MemoryError"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/toolModule.js"
import type { ToolAdapter } from "./ToolAdapter.js"

export interface Loaded {
  /** Absolute; names the adapter in `settings.adapter` of a job. */
  readonly file: string
  readonly adapter: ToolAdapter
}

/** Fails with `ModuleError` in one line: what cannot be found or loaded, or what the adapter lacks. `directory`: absolute. */
export const load: (specifier: string, directory: string) => Effect.Effect<Loaded, ModuleError> = internal.load

/** What a value lacks to be an adapter; nothing where it is one. */
export const problems: (value: unknown) => ReadonlyArray<string> = internal.problems
