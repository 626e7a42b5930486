/**
 * Keeps secrets out of everything that is kept or shown: first the exact values that we hold, in the forms in which they
 * appear in text, then the shapes of well-known keys, then, where there is time for it, secretlint's rules. Each is
 * replaced by a placeholder that says what it was: `[redacted: NAME]`.
 */
import type * as Effect from "effect/Effect"
import * as redactingStore from "./internal/redactingStore.js"
import * as internal from "./internal/redaction.js"
import type { MemoryStoreService } from "./MemoryStore.js"

export type Environment = Readonly<Record<string, string | undefined>>

export interface Redactor {
  /** The values that we hold and the shapes, at once. The same text again is left as it is. */
  readonly text: (text: string) => string
  /** As `text` for one line after the other; a private key that is spread over lines is seen as one. */
  readonly lines: () => (line: string) => string
  /** As `text`, then by secretlint, which is loaded at the first text that could hold something for it. */
  readonly thorough: (text: string) => Effect.Effect<string>
  /** As `thorough` for every text and every key within a value, whose shape stays. */
  readonly value: <A>(value: A) => Effect.Effect<A>
  /**
   * Replaces a file by its redacted form, by rename; one that holds no secret, or is no regular file, is left as it is.
   * True where it was replaced. Fails with what the file system says.
   */
  readonly file: (file: string) => Effect.Effect<boolean, Error>
  /**
   * As `thorough` for a part of a file, its bytes read as Latin-1. What begins before the part or goes on after it is not
   * seen: whoever cuts a file keeps `longestSecret` bytes between the cut and the ends of the part.
   */
  readonly part: (bytes: string) => Effect.Effect<string>
}

/** The longest secret that is found where it may lie across a border, bytes. */
export const longestSecret: number = internal.overlapBytes

/** Holds the values of all variables whose names say that they are secret, and the passwords in URLs. */
export const make: (...environments: ReadonlyArray<Environment>) => Redactor = internal.make

/** How many placeholders a text holds. */
export const count: (text: string) => number = internal.count

/** A memory store that stores no secret, whoever saves, updates or evolves. */
export const store: (store: MemoryStoreService, redactor: Redactor) => MemoryStoreService = redactingStore.make
