/** The shared memory and the journal of runs for one command. What only reads creates nothing. */
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
import * as Predicate from "effect/Predicate"
import { UsageError } from "../CliError.js"
import type { Session } from "../Session.js"

export const dataDir = (session: Pick<Session, "env" | "home">): string => Namespace.dataDir(session.env, session.home)

const memoryFile = (session: Session): string => path.join(dataDir(session), Namespace.databaseName)

/** The backend that the command line names. What is wrong with it is a matter of usage. */
export const chosen = ({
  cwd,
  memory
}: Session): Effect.Effect<Layer.Layer<MemoryStore, StorageError> | undefined, UsageError> =>
  Effect.gen(function* () {
    if (memory === undefined) return undefined
    const { module, options } = memory
    if (module === undefined) {
      const hint = "name the module with --memory"
      return yield* new UsageError({ message: "--memory-options without --memory", where: "--memory-options", hint })
    }
    const { load } = yield* Effect.promise(() => import("@contextfs/memory/MemoryModule"))
    return yield* load({ module, options, directory: cwd }).pipe(
      Effect.mapError(({ hint, message, module }) => new UsageError({ message, where: `--memory ${module}`, hint }))
    )
  })

/** The memory for an effect that needs it as a service; made where there is none. */
export const provide = <A, E>(
  session: Session,
  effect: Effect.Effect<A, E, MemoryStore>
): Effect.Effect<A, E | StorageError | UsageError> =>
  Effect.gen(function* () {
    const [{ MemoryStore, layerSqlite }, PrivateFiles, Redaction] = yield* Effect.promise(() =>
      Promise.all([
        import("@contextfs/memory/MemoryStore"),
        import("@contextfs/memory/PrivateFiles"),
        import("@contextfs/memory/Redaction")
      ])
    )
    const named = yield* chosen(session)
    if (named === undefined) yield* PrivateFiles.dataFolder(dataDir(session))
    const clean = Layer.map(named ?? layerSqlite({ path: memoryFile(session) }), (services) =>
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
): Effect.Effect<A, E | StorageError | UsageError> =>
  Effect.gen(function* () {
    const { MemoryStore } = yield* Effect.promise(() => import("@contextfs/memory/MemoryStore"))
    return yield* provide(session, Effect.flatMap(MemoryStore, use))
  })

/** Whether the data folder has such a file. */
const isThere = (session: Session, name: string): Effect.Effect<boolean, StorageError> =>
  Effect.flatMap(
    Effect.promise(() => import("@contextfs/memory/PrivateFiles")),
    ({ holds }) => holds(dataDir(session), name)
  )

/** None where a database was begun and never made: to whoever reads it is not there yet. */
const unlessEmpty = <A, E>(
  reading: Effect.Effect<A, E | StorageError>
): Effect.Effect<Option.Option<A>, E | StorageError> =>
  Effect.catchIf(
    Effect.asSome(reading),
    (error) => Predicate.isTagged(error, "StorageError") && "empty" in error && error.empty === true,
    () => Effect.succeedNone
  )

/** None where there is no memory yet. */
export const read = <A, E>(
  session: Session,
  use: (store: MemoryStoreService) => Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | StorageError | UsageError> =>
  Effect.gen(function* () {
    if (session.memory !== undefined) return Option.some(yield* write(session, use))
    if (!(yield* isThere(session, Namespace.databaseName))) return Option.none()
    const { layerSqlite, MemoryStore } = yield* Effect.promise(() => import("@contextfs/memory/MemoryStore"))
    const reading = Effect.flatMap(MemoryStore, use)
    return yield* unlessEmpty(Effect.provide(reading, layerSqlite({ path: memoryFile(session), readOnly: true })))
  })

/** None where nothing was ever run. */
export const readJournal = <A, E>(
  session: Session,
  use: (journal: JobQueueService) => Effect.Effect<A, E>
): Effect.Effect<Option.Option<A>, E | StorageError> =>
  Effect.gen(function* () {
    const { databaseName, JobQueue, layerSqlite } = yield* Effect.promise(() => import("@contextfs/core/JobQueue"))
    if (!(yield* isThere(session, databaseName))) return Option.none()
    const file = path.join(dataDir(session), databaseName)
    const reading = Effect.flatMap(JobQueue, use)
    return yield* unlessEmpty(Effect.provide(reading, layerSqlite({ path: file, readOnly: true })))
  })

/** The user at the command line, in the directory they stand in. */
export const identity = (session: Session, project: string): Effect.Effect<Identity> =>
  Effect.map(Namespace.locate(session.cwd), (place) => {
    const sourceTool = session.env["CONTEXTFS_SOURCE_TOOL"] ?? ""
    return { ...place, project, trust: "user", sourceTool: sourceTool === "" ? "contextfs-cli" : sourceTool }
  })
