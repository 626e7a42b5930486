import * as fs from "node:fs"
import { dirname } from "node:path"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import { StorageError } from "../MemoryError.js"
import type { SqliteDatabase, SqliteOptions } from "../Sqlite.js"
import { check as checkFile, openConnection } from "./openSqlite.js"

/** The result code of SQLite or the driver behind an error, if there is one. */
const codeOf = (cause: unknown): string => {
  if (typeof cause !== "object" || cause === null) return ""
  if ("code" in cause && typeof cause.code === "string") return cause.code
  return "cause" in cause ? codeOf(cause.cause) : ""
}

const reasonOf = (cause: unknown): string => {
  if (cause instanceof SqlError && cause.cause instanceof Error) return cause.cause.message
  return cause instanceof Error ? cause.message : String(cause)
}

const raiseFiles = "raise the limit of open files: ulimit -n 1024"

/** SQLite does not say why it cannot open a file. Where we might, it is for want of a descriptor, which this takes none of. */
const isOpenable = (file: string): boolean => {
  const { R_OK, W_OK, X_OK } = fs.constants
  try {
    fs.accessSync(dirname(file), W_OK | X_OK)
    if (!fs.statSync(file).isFile()) return false
    fs.accessSync(file, R_OK | W_OK)
    return true
  } catch {
    return false
  }
}

const hintOf = (file: string, code: string): string | undefined =>
  code.startsWith("SQLITE_CANTOPEN") && isOpenable(file)
    ? raiseFiles
    : hints.find(([prefix]) => code.startsWith(prefix))?.[1]

const hints: ReadonlyArray<readonly [prefix: string, hint: string]> = [
  ["SQLITE_BUSY", "another process holds the database for very long: end it, or try again"],
  ["SQLITE_FULL", "the disk is full: free some space"],
  ["SQLITE_READONLY", "make the file and its folder writable for this user"],
  ["SQLITE_CANTOPEN", "make the file and its folder readable and writable for this user"],
  ["SQLITE_CORRUPT", "keep the file for repair, and set CONTEXTFS_DATA_DIR to another folder or restore a copy"],
  ["SQLITE_NOTADB", "move the file away, or set CONTEXTFS_DATA_DIR to another folder"],
  // Readers share memory in a file, for which there was no room.
  ["SQLITE_IOERR_SHMSIZE", "the disk is full: free some space"],
  ["SQLITE_IOERR", "look at the disk and the system log"],
  ["EACCES", "make the folder writable for this user, or set CONTEXTFS_DATA_DIR to another one"],
  ["EROFS", "the disk is read-only: set CONTEXTFS_DATA_DIR to another folder"],
  ["ENOENT", "the folder cannot be made there: set CONTEXTFS_DATA_DIR to another one"],
  ["ENOSPC", "the disk is full: free some space"],
  ["ENOTDIR", "a file stands where a folder is needed: set CONTEXTFS_DATA_DIR to another folder"],
  ["EMFILE", raiseFiles],
  ["ENFILE", raiseFiles],
  ["EEXIST", "a file stands where a folder is needed: set CONTEXTFS_DATA_DIR to another folder"]
]

export const storageError =
  (path: string) =>
  (cause: unknown): StorageError => {
    if (cause instanceof StorageError) return cause
    if (cause instanceof SqlError && cause.cause instanceof StorageError) return cause.cause
    const code = codeOf(cause)
    const hint = hintOf(path, code)
    const message = `${path}: ${reasonOf(cause)}${code === "" ? "" : ` (${code})`}`
    return new StorageError({ message, cause, ...(hint === undefined ? {} : { hint }) })
  }

/** No database is smaller than its first page, bytes. */
const smallest = 512

/**
 * Fails once another file, or none, stands at the path that was opened: SQLite would go on with the one that it holds,
 * and all that it says is stored would be gone with this process.
 */
const watchOver = (file: string): Effect.Effect<void, SqlError> => {
  if (file === ":memory:") return Effect.void
  const look = () => fs.statSync(file, { throwIfNoEntry: false })
  const opened = look()
  return Effect.suspend(() => {
    const now = look()
    const same = now !== undefined && now.ino === opened?.ino && now.dev === opened.dev
    if (same && now.size >= smallest) return Effect.void
    const cause = new StorageError({
      message: `${file}: it was ${now === undefined ? "deleted" : same ? "overwritten" : "replaced"} while it was in use, and what was stored in it is lost`,
      hint: "see what has removed it, then start again",
      gone: true
    })
    return new SqlError({ cause, message: cause.message })
  })
}

const isBusy = (cause: unknown): boolean => codeOf(cause).startsWith("SQLITE_BUSY")

// The driver's own wait blocks the event loop, so it is short, and the long one is ours; long, because luck decides who
// of many gets the lock on a busy machine. Counted, because `Schedule.upTo` asks the clock on the wall, which may be set:
// 25 ms and the driver's 100 ms, 240 times.
const whenBusy = Schedule.spaced("25 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(240)))
const patiently = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.catchIf(effect, isBusy, () => Effect.retry(effect, { while: isBusy, schedule: whenBusy }))

export const check = (path: string): Effect.Effect<void, StorageError> =>
  Effect.mapError(patiently(checkFile(path)), storageError(path))

export const make = (options: SqliteOptions): Effect.Effect<SqliteDatabase, StorageError, Scope> =>
  Effect.gen(function* () {
    const connection = yield* openConnection(options, patiently).pipe(Effect.mapError(storageError(options.path)))
    const patient: Connection = {
      ...connection,
      execute: (sql, params, transform) => patiently(connection.execute(sql, params, transform)),
      executeRaw: (sql, params) => patiently(connection.executeRaw(sql, params)),
      executeValues: (sql, params) => patiently(connection.executeValues(sql, params))
    }
    const intact = watchOver(options.path)
    const lock = yield* Effect.makeSemaphore(1)
    /** How deep in transactions of this database the fiber is; those of other databases do not count. */
    const depth = yield* FiberRef.make(0)

    // Held for the whole statement, so that none slips into the transaction of another fiber.
    const alone = Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(
        restore(lock.take(1)),
        Effect.addFinalizer(() => lock.release(1))
      )
    )
    const acquirer = Effect.flatMap(FiberRef.get(depth), (depth) =>
      depth > 0 ? Effect.succeed(connection) : Effect.zipRight(alone, Effect.as(intact, patient))
    )
    const sql = Statement.make(acquirer, Statement.makeCompilerSqlite(), [["db.system.name", "sqlite"]], undefined)

    const execute: SqliteDatabase["execute"] = (text, values) =>
      Effect.flatMap(FiberRef.get(depth), (depth) =>
        depth > 0
          ? connection.execute(text, [values], undefined)
          : lock.withPermits(1)(Effect.zipRight(intact, patient.execute(text, [values], undefined)))
      )

    const run = (statement: string) => connection.execute(statement, [], undefined)
    // A rollback fails where nothing is open or SQLite has rolled back already, which is what is wanted.
    const undo = (statement: string) => Effect.ignore(run(statement))

    const writeTransaction = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(FiberRef.get(depth), (outer) => {
          const mark = `level_${outer}`
          const [open, close, back] =
            outer === 0
              ? [restore(patiently(run("BEGIN IMMEDIATE"))), Effect.zipRight(run("COMMIT"), intact), undo("ROLLBACK")]
              : [run(`SAVEPOINT ${mark}`), run(`RELEASE ${mark}`), undo(`ROLLBACK TO ${mark}`)]
          const transaction = open.pipe(
            Effect.zipRight(Effect.locally(restore(effect), depth, outer + 1)),
            Effect.matchCauseEffect({
              onFailure: (cause) => Effect.zipRight(back, Effect.failCause(cause)),
              onSuccess: (value) =>
                Effect.as(
                  Effect.tapError(close, () => back),
                  value
                )
            })
          )
          return outer === 0
            ? Effect.zipRight(restore(lock.take(1)), Effect.ensuring(transaction, lock.release(1)))
            : transaction
        })
      )

    return { sql, execute, writeTransaction }
  })
