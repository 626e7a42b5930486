/** The shared memory and the journal of runs for one command. What only reads creates nothing. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { JobQueueService } from "@contextfs/core/JobQueue"
import type { Identity } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { MemoryStore, MemoryStoreService } from "@contextfs/memory/MemoryStore"
import * as Namespace from "@contextfs/memory/Namespace"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Session } from "../Session.js"

export const dataDir = (session: Pick<Session, "env" | "home">): string => Namespace.dataDir(session.env, session.home)

const memoryFile = (session: Session): string => path.join(dataDir(session), Namespace.databaseName)

/** The memory for an effect that needs it as a service; made where there is none. */
export const provide = <A, E>(
  session: Session,
  effect: Effect.Effect<A, E, MemoryStore>
): Effect.Effect<A, E | StorageError> =>
  Effect.gen(function* () {
    const [{ MemoryStore, layerSqlite }, PrivateFiles, Redaction] = yield* Effect.promise(() =>
      Promise.all([
        import("@contextfs/memory/MemoryStore"),
        import("@contextfs/memory/PrivateFiles"),
        import("@contextfs/memory/Redaction")
      ])
    )
    yield* PrivateFiles.dataFolder(dataDir(session))
    const clean = Layer.map(layerSqlite({ path: memoryFile(session) }), (services) =>
      Context.add(
        services,
        MemoryStore,
        Redaction.store(Context.get(services, MemoryStore), Redaction.make(session.env))
      )
    )
    return yield* Effect.provide(effect, clean)
  })

/** Makes the memory where there is none. */
export const write = <A, E>(
  session: Session,
  use: (store: MemoryStoreService) => Effect.Effect<A, E>
): Effect.Effect<A, E | StorageError> =>
  Effect.gen(function* () {
    const { MemoryStore } = yield* Effect.promise(() => import("@contextfs/memory/MemoryStore"))
    return yield* provide(session, Effect.flatMap(MemoryStore, use))
  })

/** None where there is no memory yet. */
export const read = <A, E>(
  session: Session,
  use: (store: MemoryStoreService) => Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | StorageError> =>
  Effect.gen(function* () {
    const path = memoryFile(session)
    if (!fs.existsSync(path)) return Option.none()
    const { layerSqlite, MemoryStore } = yield* Effect.promise(() => import("@contextfs/memory/MemoryStore"))
    const reading = Effect.flatMap(MemoryStore, use)
    return Option.some(yield* Effect.provide(reading, layerSqlite({ path, readOnly: true })))
  })

/** None where nothing was ever run. */
export const readJournal = <A, E>(
  session: Session,
  use: (journal: JobQueueService) => Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | StorageError> =>
  Effect.gen(function* () {
    const { databaseName, JobQueue, layerSqlite } = yield* Effect.promise(() => import("@contextfs/core/JobQueue"))
    const file = path.join(dataDir(session), databaseName)
    if (!fs.existsSync(file)) return Option.none()
    const reading = Effect.flatMap(JobQueue, use)
    return Option.some(yield* Effect.provide(reading, layerSqlite({ path: file, readOnly: true })))
  })

/** The user at the command line, in the directory they stand in. */
export const identity = (session: Session, project: string): Effect.Effect<Identity> =>
  Effect.map(Namespace.locate(session.cwd), (place) => {
    const sourceTool = session.env["CONTEXTFS_SOURCE_TOOL"] ?? ""
    return { ...place, project, trust: "user", sourceTool: sourceTool === "" ? "contextfs-cli" : sourceTool }
  })
