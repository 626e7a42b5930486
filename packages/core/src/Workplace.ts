/** What the orchestrator is given from outside: where it keeps things, the user's environment, the tools it knows. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { runtimeDirPrefix } from "./internal/runtimeDir.js"
import { type Floors, floors, tooFewDescriptors } from "./internal/shortage.js"
import { HostUnfit } from "./OrchestratorError.js"
import type { ToolAdapter } from "./ToolAdapter.js"

export { shortage } from "./internal/shortage.js"

export interface WorkplaceService {
  /** Shared memory, journal and the runs' files: `CONTEXTFS_DATA_DIR`, default `~/.contextfs`. */
  readonly dataDir: string
  /** Private folder with a short path, for sockets and the agents' temporary files; gone when the layer closes. */
  readonly runtimeDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly tools: ReadonlyMap<string, ToolAdapter>
  /** Node programs are started with this. */
  readonly node: string
  /** Some things are refused to root. */
  readonly isRoot: boolean
  /** What this machine must have left for another agent to be started. */
  readonly floors: Floors
}

export class Workplace extends Context.Tag("@contextfs/core/Workplace")<Workplace, WorkplaceService>() {}

export interface Options {
  readonly dataDir: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly tools: ReadonlyMap<string, ToolAdapter>
  /** Default 32 descriptors, 64 processes, 128 MiB of memory, 256 MiB of disk. */
  readonly floors?: Floors
}

/** A socket's path may have 107 bytes; what comes below the folder needs some of them. */
const maxRuntimeDirBytes = 60

const makeRuntimeDir = (env: Options["env"]): string => {
  const parents = [env["TMPDIR"] ?? os.tmpdir(), "/tmp"].filter(
    (parent) => Buffer.byteLength(parent) <= maxRuntimeDirBytes
  )
  for (const [index, parent] of parents.entries()) {
    try {
      return fs.realpathSync(PrivateFiles.temporaryFolder(path.join(parent, runtimeDirPrefix)))
    } catch (cause) {
      if (index === parents.length - 1) throw cause
    }
  }
  throw new Error("no temporary folder with a short path")
}

/** What is known without making anything. */
export const facts = (options: Options): Omit<WorkplaceService, "runtimeDir"> => ({
  ...options,
  node: process.execPath,
  isRoot: process.getuid?.() === 0,
  floors: options.floors ?? floors
})

export const layer = (options: Options): Layer.Layer<Workplace, HostUnfit | StorageError> =>
  Layer.scoped(
    Workplace,
    Effect.gen(function* () {
      const textOf = (cause: unknown) => (cause instanceof Error ? cause.message : `${cause}`)
      const few = tooFewDescriptors()
      if (few !== null) return yield* new HostUnfit({ message: few })
      yield* PrivateFiles.dataFolder(options.dataDir)
      // An agent may have opened it to others.
      yield* Effect.addFinalizer(() =>
        PrivateFiles.dataFolder(options.dataDir).pipe(
          Effect.when(() => fs.existsSync(options.dataDir)),
          Effect.ignore
        )
      )
      const runtimeDir = yield* Effect.acquireRelease(
        Effect.try({
          try: () => makeRuntimeDir(options.env),
          catch: (cause) => new HostUnfit({ message: textOf(cause) })
        }),
        (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
      )
      return { ...facts(options), runtimeDir }
    })
  )
