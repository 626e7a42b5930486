/** The shared memory of ContextFS. */
export * as Memory from "./Memory.js"
export * as MemoryStore from "./MemoryStore.js"
export * as Sqlite from "./Sqlite.js"
