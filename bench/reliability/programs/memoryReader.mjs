/** Searches the memory and follows its changes until it is killed; tells when it was refused. */
import { writeSync } from "node:fs"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"

const { path } = JSON.parse(process.argv[2])
let since = 0
const program = Effect.gen(function* () {
  const store = yield* MemoryStore.MemoryStore
  const look = Effect.gen(function* () {
    yield* store.search({ query: "parser cache lines", project: "p" })
    const events = yield* store.events({ since, limit: 500 })
    since = events.at(-1)?.sequence ?? since
    writeSync(1, `R ${events.length}\n`)
  })
  for (;;) {
    yield* Effect.catchAll(look, (error) => Effect.sync(() => writeSync(1, `E ${error.message}\n`)))
    yield* Effect.sleep("5 millis")
  }
}).pipe(Effect.provide(MemoryStore.layerSqlite({ path, readOnly: true })))
await Effect.runPromise(program)
