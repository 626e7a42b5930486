/** What can go wrong with the memory, in words for the one who asked. */
import * as Schema from "effect/Schema"

/** The store cannot be read or written: the message says what and where, `hint` what to do. */
export class StorageError extends Schema.TaggedError<StorageError>("@contextfs/memory/StorageError")("StorageError", {
  message: Schema.String,
  hint: Schema.optionalWith(Schema.String, { exact: true }),
  /** True where another try is in vain: the file was deleted or replaced while it was open. Absent means false. */
  gone: Schema.optionalWith(Schema.Boolean, { exact: true }),
  /** True where a database was begun and never made, as on a full disk: there is nothing in it to read. Absent means false. */
  empty: Schema.optionalWith(Schema.Boolean, { exact: true }),
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

/** A module that was named cannot be loaded, or is not what it is taken for. */
export class ModuleError extends Schema.TaggedError<ModuleError>("@contextfs/memory/ModuleError")("ModuleError", {
  module: Schema.String,
  message: Schema.String,
  hint: Schema.String
}) {}
