/** A process of its own that saves into a memory: `saver.mjs FILE NAME COUNT`. Prints one JSON line a result. */
import * as Effect from "effect/Effect"
import { layerSqlite, MemoryStore } from "../../src/MemoryStore.js"

const [file = "", name = "", count = "0"] = process.argv.slice(2)
const by = {
  project: "p",
  namespace: "global",
  trust: "agent",
  sourceTool: "agent-test",
  jobId: name
} as const

const program = Effect.gen(function* () {
  const memory = yield* MemoryStore
  for (let n = 0; n < Number(count); n++) {
    const result = yield* Effect.either(
      memory.save({ content: `${name} learned number ${n}: the quick brown fox`, tags: ["test-agent", name] }, by)
    )
    process.stdout.write(
      `${JSON.stringify(result._tag === "Right" ? { id: result.right.memory.id } : { error: String(result.left) })}\n`
    )
  }
})

const reported = Effect.provide(program, layerSqlite({ path: file })).pipe(
  Effect.catchTag("StorageError", (error) =>
    Effect.sync(() => {
      process.stdout.write(`${JSON.stringify({ error: `${error}; ${error.hint}` })}\n`)
    })
  )
)

void Effect.runPromise(reported)
