import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import type Database from "better-sqlite3"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import { StorageError } from "../MemoryError.js"
import type { SqliteDatabase, SqliteOptions } from "../Sqlite.js"
import { openDatabase } from "./openSqlite.js"

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

const hints: ReadonlyArray<readonly [prefix: string, hint: string]> = [
  ["SQLITE_BUSY", "another process holds the database for very long: end it, or try again"],
  ["SQLITE_FULL", "the disk is full: free some space"],
  ["SQLITE_READONLY", "make the file and its folder writable for this user"],
  ["SQLITE_CANTOPEN", "make the file and its folder readable and writable for this user"],
  ["SQLITE_CORRUPT", "keep the file for repair, and set CONTEXTFS_DATA_DIR to another folder or restore a copy"],
  ["SQLITE_NOTADB", "move the file away, or set CONTEXTFS_DATA_DIR to another folder"],
  ["SQLITE_IOERR", "look at the disk and the system log"],
  ["EACCES", "make the folder writable for this user, or set CONTEXTFS_DATA_DIR to another one"],
  ["EROFS", "the disk is read-only: set CONTEXTFS_DATA_DIR to another folder"],
  ["ENOSPC", "the disk is full: free some space"],
  ["ENOTDIR", "a file stands where a folder is needed: set CONTEXTFS_DATA_DIR to another folder"],
  ["EEXIST", "a file stands where a folder is needed: set CONTEXTFS_DATA_DIR to another folder"]
]

export const storageError =
  (path: string) =>
  (cause: unknown): StorageError => {
    if (cause instanceof StorageError) return cause
    const code = codeOf(cause)
    const hint = hints.find(([prefix]) => code.startsWith(prefix))?.[1]
    const message = `${path}: ${reasonOf(cause)}${code === "" ? "" : ` (${code})`}`
    return new StorageError({ message, cause, ...(hint === undefined ? {} : { hint }) })
  }

/** The driver waits in short sleeps up to its own timeout; this spreads those whom that did not help. */
const whenBusy = Schedule.exponential("20 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(5)))
const isBusy = (cause: unknown) => codeOf(cause).startsWith("SQLITE_BUSY")

/** Texts differ by the number of words in a query, so their number is bounded. */
const maxPrepared = 300

const makeConnection = (db: Database.Database): Connection => {
  const prepared = new Map<string, Database.Statement>()
  const prepare = (sql: string): Database.Statement => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = db.prepare(sql)
    for (const oldest of prepared.size < maxPrepared ? [] : prepared.keys()) {
      prepared.delete(oldest)
      break
    }
    prepared.set(sql, statement)
    return statement
  }
  const attempt = <A>(run: () => A) =>
    Effect.try({ try: run, catch: (cause) => new SqlError({ cause, message: "statement failed" }) })
  const rowsOf = (statement: Database.Statement, params: ReadonlyArray<unknown>): ReadonlyArray<object> => {
    if (statement.reader) return statement.all(...params).filter((row) => typeof row === "object" && row !== null)
    statement.run(...params)
    return []
  }
  const execute: Connection["execute"] = (sql, params, transform) =>
    attempt(() => {
      const rows = rowsOf(prepare(sql), params)
      return transform === undefined ? rows : transform(rows)
    })
  return {
    execute,
    executeRaw: (sql, params) => attempt(() => prepare(sql).run(...params)),
    executeValues: (sql, params) =>
      attempt(() => rowsOf(prepare(sql), params).map((row): ReadonlyArray<unknown> => Object.values(row))),
    executeUnprepared: (sql, params) => attempt(() => rowsOf(db.prepare(sql), params)),
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(execute(sql, params, transform))
  }
}

export const make = (options: SqliteOptions): Effect.Effect<SqliteDatabase, StorageError, Scope> =>
  Effect.gen(function* () {
    const db = yield* Effect.acquireRelease(
      openDatabase(options).pipe(
        Effect.retry({ while: isBusy, schedule: whenBusy }),
        Effect.mapError(storageError(options.path))
      ),
      (db) => Effect.sync(() => db.close())
    )
    const connection = makeConnection(db)
    const lock = yield* Effect.makeSemaphore(1)
    /** How deep in transactions of this database the fiber is; those of other databases do not count. */
    const depth = yield* FiberRef.make(0)

    // Held for the whole statement, so that none slips into the transaction of another fiber.
    const alone = Effect.acquireRelease(lock.take(1), () => lock.release(1))
    const acquirer = Effect.flatMap(FiberRef.get(depth), (depth) =>
      depth > 0 ? Effect.succeed(connection) : Effect.as(alone, connection)
    )
    const sql = Statement.make(acquirer, Statement.makeCompilerSqlite(), [["db.system.name", "sqlite"]], undefined)

    const run = (statement: string) => connection.execute(statement, [], undefined)
    // A rollback fails where SQLite has rolled back already, which is what is wanted.
    const undo = (statement: string) => Effect.ignore(run(statement))
    const begin = Effect.retry(run("BEGIN IMMEDIATE"), { while: isBusy, schedule: whenBusy })

    const writeTransaction = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(FiberRef.get(depth), (outer) => {
          const mark = `level_${outer}`
          const body = Effect.exit(Effect.locally(restore(effect), depth, outer + 1))
          const [open, close, back] =
            outer === 0
              ? [restore(begin), run("COMMIT"), undo("ROLLBACK")]
              : [run(`SAVEPOINT ${mark}`), run(`RELEASE ${mark}`), undo(`ROLLBACK TO ${mark}`)]
          const transaction = Effect.zipRight(open, body).pipe(
            Effect.flatMap((exit) =>
              Exit.isSuccess(exit)
                ? Effect.as(Effect.tapError(close, () => back), exit.value)
                : Effect.zipRight(back, exit)
            )
          )
          return outer === 0 ? Effect.scoped(Effect.zipRight(restore(alone), transaction)) : transaction
        })
      )

    return { sql, writeTransaction }
  })
