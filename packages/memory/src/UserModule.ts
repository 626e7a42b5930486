/**
 * A module that the user names: a file, or a package that is installed where they work. Naming it is trusting it: it runs
 * in this process with all its rights. Nothing is ever loaded that was merely found.
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/userModule.js"
import type { ModuleError } from "./MemoryError.js"

export { ModuleError } from "./MemoryError.js"

/** Whether the text names a file (`./x.js`, `/x.js`), as against a package or another name. */
export const isFile: (specifier: string) => boolean = internal.isFile

/**
 * The absolute file that is meant. `directory`: absolute; where relative files and the search for packages begin.
 */
export const resolve: (specifier: string, directory: string) => Effect.Effect<string, ModuleError> = internal.resolve

/** Everything that the module in this absolute file exports. */
export const load: (file: string) => Effect.Effect<Readonly<Record<string, unknown>>, ModuleError> = internal.load
