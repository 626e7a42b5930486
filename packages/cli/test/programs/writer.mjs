/**
 * A process of its own that saves and runs, as far as the two feeds can tell: `writer.mjs FOLDER NAME COUNT`. Built
 * packages, plain node.
 */
import * as path from "node:path"
import { RunId } from "@contextfs/core/Job"
import * as JobQueue from "@contextfs/core/JobQueue"
import { layerSqlite, MemoryStore } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const [folder = "", name = "", count = "0"] = process.argv.slice(2)
const nobody = { pid: 1, startTime: null, bootId: null }

const program = Effect.gen(function* () {
  const memory = yield* MemoryStore
  const journal = yield* JobQueue.JobQueue
  for (let n = 0; n < Number(count); n++) {
    const runId = RunId.make(`${name}-${n}`)
    yield* journal.open({
      runId,
      project: n % 5 === 0 ? "other" : "shop",
      owner: nobody,
      marker: runId,
      containment: "group",
      runtimeDir: folder,
      settings: {}
    })
    const by = { namespace: "global", trust: "agent", sourceTool: "agent-code", role: "code", agentId: name, runId }
    yield* memory.save({ content: `${name} says ${n}` }, { ...by, project: n % 7 === 0 ? "other" : "shop" })
    yield* journal.close(runId, "completed")
  }
})

const stores = Layer.merge(
  layerSqlite({ path: path.join(folder, "memory.db") }),
  JobQueue.layerSqlite({ path: path.join(folder, JobQueue.databaseName) })
)
await Effect.runPromise(Effect.provide(program, stores))
