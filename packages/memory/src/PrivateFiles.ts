/**
 * Files and folders that only this user may read, whatever the umask. Nothing here follows a link that stands where one
 * of our own names is expected. All of it throws what the file system says, or a `StorageError` where we refuse.
 */
import type { Stats } from "node:fs"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/privateFiles.js"
import type { StorageError } from "./MemoryError.js"

/**
 * The folder in which everything is kept: made with what is missing above it, 0700; one that exists is narrowed. Refused
 * where it belongs to another user or is everybody's (sticky, as /tmp is). It may itself be a link.
 */
export const dataFolder: (folder: string) => Effect.Effect<void, StorageError> = internal.dataFolder

/**
 * Whether `dataFolder` would have it: makes a folder where it is or would be, and takes it away again. What is known of
 * it; undefined where it is not there yet.
 */
export const tryDataFolder: (folder: string) => Effect.Effect<Stats | undefined, StorageError> = internal.tryDataFolder

/** For what only reads: whether the data folder is there and has this file. Fails where it is no folder or cannot be read. */
export const holds: (folder: string, name: string) => Effect.Effect<boolean, StorageError> = internal.holds

/** A folder with what is missing above it, 0700; one that is there stays as it is. */
export const makeFolder: (folder: string) => void = internal.makeFolder

/** A folder below `root`, and every one between: made 0700 or narrowed to it; a link or a foreign folder is refused. */
export const folder: (root: string, ...names: ReadonlyArray<string>) => string = internal.folder

/** A fresh 0700 folder whose name begins with `prefix` (a path). */
export const temporaryFolder: (prefix: string) => string = internal.temporaryFolder

/** Makes a file that is not there yet, 0600, and gives its descriptor, open for writing. */
export const create: (file: string) => number = internal.create

/** Makes a file that is not there yet, 0600, with this content. */
export const write: (file: string, content: string | Uint8Array) => void = internal.write

/** A descriptor for reading; undefined where there is no file, or something else stands there: a link, a FIFO, a device. */
export const open: (file: string) => number | undefined = internal.open
