/** The shared memory of ContextFS. */
export * as Memory from "./Memory.js"
export * as MemoryStore from "./MemoryStore.js"
export * as Namespace from "./Namespace.js"
export * as PrivateFiles from "./PrivateFiles.js"
export * as PromptBlock from "./PromptBlock.js"
export * as Redaction from "./Redaction.js"
export * as Sqlite from "./Sqlite.js"
export * as TypeSchema from "./TypeSchema.js"
