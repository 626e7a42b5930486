/** Everything an orchestrating process needs, from two facts: where the data is and what the environment says. */
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import type { RoleFileError } from "@contextfs/roles/RoleError"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AgentProcess from "./AgentProcess.js"
import * as JobQueue from "./JobQueue.js"
import * as Orchestrator from "./Orchestrator.js"
import type { HostUnfit } from "./OrchestratorError.js"
import type { ToolAdapter } from "./ToolAdapter.js"
import * as Tools from "./Tools.js"
import * as Workplace from "./Workplace.js"

export interface Options {
  /** Folder of the shared memory, the journal and the runs' files; made if missing. */
  readonly dataDir: string
  /** The user's environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where the user stands: the project around it may have roles of its own. Default: only the built-in and the user's. */
  readonly directory?: string
  /** Beside the built-in tools, and before them where a name is the same. */
  readonly tools?: ReadonlyArray<ToolAdapter>
  /** Adapters that only the settings of a job name, by what they name them. */
  readonly adapters?: ReadonlyMap<string, ToolAdapter>
  /** Another backend for the shared memory; default: SQLite at `<dataDir>/memory.db`. */
  readonly memory?: Layer.Layer<MemoryStore.MemoryStore, StorageError>
}

export type Services =
  | AgentProcess.AgentProcess
  | JobQueue.JobQueue
  | MemoryStore.MemoryStore
  | Orchestrator.Orchestrator
  | RoleRegistry.RoleRegistry
  | Workplace.Workplace

export type Failure = HostUnfit | RoleFileError | StorageError

export const toolsOf = (options: Options): ReadonlyMap<string, ToolAdapter> =>
  new Map([
    ...Tools.builtIn,
    ...(options.tools ?? []).map((tool) => [tool.name, tool] as const),
    ...(options.adapters ?? [])
  ])

const journal = ({ dataDir, env }: Options): Layer.Layer<JobQueue.JobQueue, StorageError> =>
  Layer.effect(
    JobQueue.JobQueue,
    Effect.map(JobQueue.JobQueue, (inner) => JobQueue.withoutSecrets(inner, { dataDir, env }))
  ).pipe(Layer.provide(JobQueue.layerSqlite({ path: path.join(dataDir, JobQueue.databaseName) })))

export const layer = (options: Options): Layer.Layer<Services, Failure> => {
  const workplace = Workplace.layer({
    dataDir: options.dataDir,
    env: options.env,
    tools: toolsOf(options)
  })
  const processes = Layer.unwrapEffect(
    Effect.map(Workplace.Workplace, ({ env, runtimeDir }) =>
      AgentProcess.layer({ folder: runtimeDir, path: env["PATH"] ?? "" })
    )
  )
  const services = Layer.mergeAll(
    processes,
    journal(options),
    options.memory ?? MemoryStore.layerSqlite({ path: path.join(options.dataDir, "memory.db") }),
    RoleRegistry.layerFiles({ dataDir: options.dataDir, directory: options.directory, home: options.env["HOME"] })
  )
  return Orchestrator.layer.pipe(Layer.provideMerge(services), Layer.provideMerge(workplace))
}
