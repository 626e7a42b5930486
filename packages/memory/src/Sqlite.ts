/**
 * A SQLite database that many processes may use at once: opened with care, migrated under its lock, and written in
 * transactions that take the lock at BEGIN. One connection per database; several databases may be open in one process.
 */
import type { SqlError } from "@effect/sql/SqlError"
import type { Constructor } from "@effect/sql/Statement"
import type * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as internal from "./internal/sqlite.js"
import type { StorageError } from "./MemoryError.js"

export interface SqliteOptions {
  /**
   * The file, or `:memory:`. It and its -wal and -shm files are 0600, and folders that are missing are made 0700,
   * whatever the umask; the mode of a folder that exists is its owner's business. Files that are links or another user's are refused.
   */
  readonly path: string
  /**
   * One script each, in order, never changed once released: `user_version` counts those that were run. Each statement
   * ends with a semicolon at the end of a line; none but the last characters of a statement may be that.
   * All that are missing run in one transaction, under the write lock.
   */
  readonly migrations: ReadonlyArray<string>
  /**
   * Only reads: nothing is made (but SQLite's own empty -wal and -shm), migrated or narrowed, and every write fails. A
   * file that is not there is an error, and so is one of an older version; one that is just being made is waited for,
   * 5 s at most, then it is an error, too (`empty`). In a folder that cannot be written a copy is read, as the file is at this moment. Default false.
   */
  readonly readOnly?: boolean
}

export interface SqliteDatabase {
  /** Statements, prepared once each. Outside of a transaction each is one of its own. */
  readonly sql: Constructor
  /**
   * One statement with its values by name (`@name`), as `sql` runs it but without a template to put together and a
   * span to trace: a third of its cost, for what is run all the time. Gives the rows, or none.
   */
  readonly execute: (
    text: string,
    values: Readonly<Record<string, string | number | null>>
  ) => Effect.Effect<ReadonlyArray<object>, SqlError>
  /**
   * Runs the effect with the write lock taken at BEGIN, so that what it reads still holds when it writes. Commits on
   * success; rolls back on failure, defect and interruption. Inside another `writeTransaction` of the same database
   * it becomes a savepoint. Waits up to about 30 s for other processes, without blocking the event loop for more than
   * 0.1 s at a time, then fails with SQLITE_BUSY.
   */
  readonly writeTransaction: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>
}

/**
 * Opens (and creates) the database; it closes with the scope. WAL, foreign keys on. Once its file has been deleted or
 * replaced, every statement fails (`gone`), and so does a transaction that has just been committed into it.
 *
 * Fails, with the file left as it was, when: the native driver is absent; SQLite is older than 3.51.3, which can lose
 * committed writes when one connection checkpoints while another writes; the folder is on a network filesystem (NFS,
 * SMB, 9p, AFS, Coda, Ceph, Lustre, GPFS, OCFS2, GFS2: told by `statfs` on Linux only; FUSE is let through, since most
 * of it is local); the file is no SQLite database, is another program's, or was written by a newer version.
 */
export const make: (options: SqliteOptions) => Effect.Effect<SqliteDatabase, StorageError, Scope> = internal.make

/** Reads the whole file at `path`: fails where it is no database, cannot be read or is damaged. */
export const check: (path: string) => Effect.Effect<void, StorageError> = internal.check

/** Wraps any fault of the database at `path` in a `StorageError` with a hint; one that is wrapped already passes. */
export const storageError: (path: string) => (cause: unknown) => StorageError = internal.storageError
