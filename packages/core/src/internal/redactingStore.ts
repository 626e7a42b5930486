/** A memory store that stores no secret. */
import type { MemoryStoreService } from "@contextfs/memory/MemoryStore"
import type { Redactor } from "./redaction.js"

/** Redacts every text of a value; its shape stays. */
const redactAll = <A>(redactor: Redactor, value: A): A => JSON.parse(redactor.text(JSON.stringify(value)))

export const redactingStore = (store: MemoryStoreService, redactor: Redactor): MemoryStoreService => ({
  ...store,
  save: (input, by) => store.save(redactAll(redactor, input), by),
  update: (id, input, by) => store.update(id, redactAll(redactor, input), by),
  evolve: (id, input, by) => store.evolve(id, redactAll(redactor, input), by)
})
