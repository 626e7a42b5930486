/**
 * What `structuredData` looks like for the twelve types that say so; the other types take any object. Input is read
 * leniently (other names of a field, other case of a word, one value for a list, numbers in text, nulls left out);
 * what is stored follows the schema. Fields it does not name are kept as they are.
 */
import type * as Either from "effect/Either"
import * as internal from "./internal/typeSchema.js"
import type { MemoryType, StructuredData } from "./Memory.js"

/** The data as it is to be stored, or what is wrong with it, one problem a line. */
export const decode: (type: MemoryType, data: StructuredData) => Either.Either<StructuredData, string> = internal.decode

/** JSON Schema (draft 7) of what is stored. */
export const typeSchema: (type: MemoryType) => { readonly [key: string]: unknown } = internal.typeSchema
