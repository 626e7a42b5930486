import * as Effect from "effect/Effect"
import type { MemoryStoreService } from "../MemoryStore.js"
import type { Redactor } from "../Redaction.js"

export const make = (store: MemoryStoreService, redactor: Redactor): MemoryStoreService => ({
  ...store,
  save: (input, by) => Effect.flatMap(redactor.value(input), (clean) => store.save(clean, by)),
  update: (id, input, by) => Effect.flatMap(redactor.value(input), (clean) => store.update(id, clean, by)),
  evolve: (id, input, by) => Effect.flatMap(redactor.value(input), (clean) => store.evolve(id, clean, by))
})
