/** Saves memories, one after the other, and tells the id of each as soon as it is acknowledged, or that it was refused. */
import { appendFileSync, writeSync } from "node:fs"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"

const { path, index, times, acknowledged } = JSON.parse(process.argv[2])
const by = { project: "p", namespace: "global", trust: "agent", sourceTool: "agent-code", agentId: `a-${index}` }

const program = Effect.gen(function* () {
  const store = yield* MemoryStore.MemoryStore
  for (let turn = 0; turn < times; turn++) {
    const began = performance.now()
    const content = `Finding ${turn} of ${index}: the parser reads ${process.pid} lines and the cache holds ${turn * 7}.`
    const saved = yield* Effect.either(store.save({ content, tags: ["bench"] }, by))
    if (saved._tag === "Left") writeSync(1, `E ${saved.left.message}\n`)
    else if (acknowledged !== undefined) appendFileSync(acknowledged, `${saved.right.memory.id}\n`)
    if (acknowledged === undefined || turn === 0) writeSync(1, `S ${performance.now() - began}\n`)
  }
}).pipe(Effect.provide(MemoryStore.layerSqlite({ path })))

await Effect.runPromise(program)
