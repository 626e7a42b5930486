/**
 * Runs one agent while this process has next to no file descriptor left, and gives them back when the agent was held for
 * that. The floors that would hold it before are off, so that it is the start itself that meets the wall.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AgentProcess from "../../dist/AgentProcess.js"
import * as JobQueue from "../../dist/JobQueue.js"
import * as RunConfig from "../../dist/RunConfig.js"
import * as Tools from "../../dist/Tools.js"
import * as WorkerQueue from "../../dist/WorkerQueue.js"
import * as Workplace from "../../dist/Workplace.js"

const [dataDir, directory, left] = process.argv.slice(2)
const env = process.env
const floors = { descriptors: 0, processes: 0, memory: 0, disk: 0 }

const workplace = Workplace.layer({ dataDir, env, tools: Tools.builtIn, floors })
const processes = Layer.unwrapEffect(
  Effect.map(Workplace.Workplace, ({ runtimeDir }) => AgentProcess.layer({ folder: runtimeDir, path: env.PATH }))
)
const services = Layer.mergeAll(
  processes,
  JobQueue.layerSqlite({ path: path.join(dataDir, JobQueue.databaseName) }),
  MemoryStore.layerMemory,
  RoleRegistry.layer
).pipe(Layer.provideMerge(workplace))

const taken = []
const takeAll = () => {
  try {
    for (;;) taken.push(fs.openSync("/dev/null", "r"))
  } catch (error) {
    if (error.code !== "EMFILE") throw error
  }
  for (const each of taken.splice(0, Number(left))) fs.closeSync(each)
}
const giveBack = () => {
  for (const each of taken.splice(0)) fs.closeSync(each)
}

const seen = []
const result = await Effect.gen(function* () {
  const { jobs, project } = yield* RunConfig.fromInput(
    {
      retries: 0,
      tools: { t: { command: ["/bin/echo", "done"] } },
      agents: [{ role: "custom", directory, task: "go", tool: "t" }]
    },
    { roles: RoleRegistry.builtIn, tools: [], directory }
  )
  const queue = yield* WorkerQueue.make({
    project,
    jobs: jobs.map((spec) => ({ ...spec, memory: false })),
    onEvent: ({ attempt, error, kind }) => {
      seen.push(kind === "jobRetrying" ? error : kind)
      if (kind === "jobStarted" && attempt === 1) takeAll()
      if (kind === "jobRetrying") giveBack()
    }
  })
  const [ended] = yield* queue.join
  const { charged } = yield* queue.getJob(ended.jobId)
  return { status: ended.status, error: ended.error, result: ended.result, attempts: ended.attempts, charged }
}).pipe(Effect.scoped, Effect.provide(services), Effect.ensuring(Effect.sync(giveBack)), Effect.runPromise)
console.log(JSON.stringify({ ...result, seen }))
