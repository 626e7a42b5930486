/** From the spawn of an agent's memory server to its first save answered, against the official MCP memory server. */
import { createRequire } from "node:module"
import path from "node:path"
import { bridgePath } from "@contextfs/mcp/Bridge"
import * as RunServer from "@contextfs/mcp/RunServer"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import { line, note } from "../lib/report.mjs"
import { pairs } from "../lib/stats.mjs"
import { firstSave } from "../lib/stdioMcp.mjs"
import { makeWork } from "../lib/work.mjs"

const rounds = 15
const require = createRequire(import.meta.url)
const official = path.join(
  path.dirname(require.resolve("@modelcontextprotocol/server-memory/package.json")),
  "dist/index.js"
)

const identity = { project: "bench", namespace: "global", trust: "agent", sourceTool: "agent-code", role: "code" }

export const run = async () => {
  const work = makeWork()
  const program = Effect.gen(function* () {
    const server = yield* RunServer.make({ directory: work.sub("s") })
    const { env } = yield* server.admit(identity)
    let count = 0
    const ours = () =>
      firstSave({
        args: [bridgePath],
        env: { ...work.env, ...env },
        tool: "contextfs_save",
        input: { content: `Observation number ${++count} of the benchmark`, type: "fact" }
      })
    const theirs = () =>
      firstSave({
        args: [official],
        env: { ...work.env, MEMORY_FILE_PATH: path.join(work.sub("official"), "memory.jsonl") },
        tool: "create_entities",
        input: {
          entities: [
            { name: `e${++count}`, entityType: "fact", observations: [`Observation number ${count} of the benchmark`] }
          ]
        }
      })
    const first = yield* Effect.promise(ours)
    const taken = yield* Effect.promise(() => pairs(rounds, 1, ours, theirs))
    note(
      `ours ${taken.ours("wall").toFixed(0)} ms (the first of a run: ${first.wall.toFixed(0)} ms), theirs ${taken.theirs("wall").toFixed(0)} ms`
    )
    line("bridge_to_first_save", taken.ratio("wall"), "x", { atMost: 0.5 })
    line("bridge_to_first_save_minima", taken.ratioOfMinima("wall"), "x")
  })
  const store = MemoryStore.layerSqlite({ path: path.join(work.sub("data"), "memory.db") })
  await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(store)))
  work.close()
}
