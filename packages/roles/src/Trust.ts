/**
 * Files of projects that the user trusts, each by its real path and the hash of its content: what comes with a repository
 * gets no more than it could do anyway, until the user has said that this very file may. Kept in `trust.json` of the data folder.
 */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import type { Content, TrustedFile } from "./internal/trust.js"
import * as internal from "./internal/trust.js"

export type { Content } from "./internal/trust.js"
export { fileName, TrustedFile } from "./internal/trust.js"

/** Larger files cannot be trusted. */
export const maxBytes = 8 * 1024 * 1024

/** Reads a regular file of at most `maxBytes`; left: what is wrong with it, for people. */
export const readFile = internal.readFile

/** What is trusted; nothing where there is no store. Fails where it is broken, or others may write it. */
export const list = (dataDir: string): Effect.Effect<ReadonlyArray<TrustedFile>, StorageError> => internal.list(dataDir)

/** Whether exactly this content at exactly this place is trusted. */
export const isTrusted = (trusted: ReadonlyArray<TrustedFile>, content: Pick<Content, "file" | "sha256">): boolean =>
  trusted.some(({ file, sha256 }) => file === content.file && sha256 === content.sha256)

/** Trusts these files as they are; what was trusted at the same places before is forgotten. Loses nothing that others add meanwhile. */
export const add = Effect.fn("Trust.add")(function* (
  dataDir: string,
  contents: ReadonlyArray<Pick<Content, "file" | "sha256">>
) {
  const since = new Date((yield* Effect.clock).unsafeCurrentTimeMillis()).toISOString()
  const places = new Set(contents.map(({ file }) => file))
  yield* internal.change(dataDir, (before) => [
    ...before.filter(({ file }) => !places.has(file)),
    ...contents.map(({ file, sha256 }) => ({ file, sha256, since }))
  ])
})

/** Forgets what is trusted at these places; those at which something was. */
export const remove = Effect.fn("Trust.remove")(function* (dataDir: string, files: ReadonlyArray<string>) {
  const places = new Set(files)
  let removed = (yield* internal.list(dataDir)).filter(({ file }) => places.has(file))
  if (removed.length === 0) return removed
  yield* internal.change(dataDir, (before) => {
    removed = before.filter(({ file }) => places.has(file))
    return before.filter(({ file }) => !places.has(file))
  })
  return removed
})
