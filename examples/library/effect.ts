/**
 * The same with Effect: services from layers, results as a Stream, and an interruption that ends every agent. `Live.layer` is all
 * of these layers at once; here each is named, so that any can be replaced.
 */
import * as os from "node:os"
import * as path from "node:path"
import * as AgentProcess from "@contextfs/core/AgentProcess"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Orchestrator from "@contextfs/core/Orchestrator"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import * as WorkerQueue from "@contextfs/core/WorkerQueue"
import * as Workplace from "@contextfs/core/Workplace"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const dataDir = path.join(os.homedir(), ".contextfs")

/** Where we are: the data folder, the user's environment, the tools that are known. */
const workplace = Workplace.layer({ dataDir, env: process.env, tools: Tools.builtIn })
const services = Layer.mergeAll(
  Layer.unwrapEffect(
    Effect.map(Workplace.Workplace, ({ env, runtimeDir }) =>
      AgentProcess.layer({ folder: runtimeDir, path: env["PATH"] ?? "" })
    )
  ),
  JobQueue.layerSqlite({ path: path.join(dataDir, JobQueue.databaseName) }),
  MemoryStore.layerMemory, // Kept in this process: another layer, another memory
  RoleRegistry.layer
)
const live = Orchestrator.layer.pipe(Layer.provideMerge(services), Layer.provideMerge(workplace))

/** Agents as a configuration has them, with every default filled in. */
const decode = (agents: ReadonlyArray<object>) =>
  Effect.gen(function* () {
    const roles = yield* RoleRegistry.RoleRegistry
    const { tools } = yield* Workplace.Workplace
    return yield* RunConfig.fromInput(
      { project: "my-feature", agents },
      { roles: yield* roles.list, tools: [...tools.keys()] }
    )
  })

const program = Effect.gen(function* () {
  // A run: all agents of a configuration, worked off by one queue.
  const orchestrator = yield* Orchestrator.Orchestrator
  const run = yield* orchestrator.run(yield* decode([{ role: "test", directory: "./tests", task: "Write tests" }]))
  console.log(`run: ${run.status}`)

  // A queue: jobs come one by one, results as they are there.
  const { jobs } = yield* decode([
    { role: "code", directory: "./src", task: "Implement feature" },
    { role: "docs", directory: "./src", task: "Document it" }
  ])
  yield* Effect.scoped(
    Effect.gen(function* () {
      const queue = yield* WorkerQueue.make({ project: "my-feature", numWorkers: 2 })
      for (const job of jobs) yield* queue.submit(job)
      yield* Stream.runForEach(queue.results, (result) =>
        Effect.sync(() => console.log(`queue: ${result.role} ${result.status}`))
      )
    })
  )

  // What the agents were told to remember, and that they are done: it is all in the memory.
  const memory = yield* MemoryStore.MemoryStore
  console.log(`memories: ${(yield* memory.list({ project: "my-feature" })).length}`)

  // Interrupting the fiber ends every agent that it started, before the fiber itself has ended.
  const started = yield* Deferred.make<void>()
  const fiber = yield* orchestrator
    .run(yield* decode([{ role: "code", directory: ".", task: "Go on" }]), {
      onEvent: ({ kind }) => {
        if (kind === "jobStarted") Deferred.unsafeDone(started, Effect.void)
      }
    })
    .pipe(Effect.fork)
  yield* Deferred.await(started)
  yield* Fiber.interrupt(fiber)
  const journal = yield* JobQueue.JobQueue
  const [last] = yield* journal.runs({ project: "my-feature", limit: 1 })
  console.log(`the last run was ${last?.status}`)
})

await Effect.runPromise(Effect.provide(program, live))
