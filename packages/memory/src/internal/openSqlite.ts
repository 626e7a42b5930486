import * as fs from "node:fs"
import * as path from "node:path"
import type Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { StorageError } from "../MemoryError.js"
import type { SqliteOptions } from "../Sqlite.js"

/** Older ones can lose committed writes when one connection checkpoints while another writes. */
const minVersion = [3, 51, 3] as const

/** What the driver waits by itself, ms; it blocks the event loop meanwhile. */
const driverTimeout = 100

/** `f_type` of statfs(2) on Linux. */
const networkFilesystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9p"],
  [0x5346414f, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"]
])

/** The name of a network filesystem by its number, or null. */
export const networkFilesystem = (type: number): string | null => networkFilesystems.get(type >>> 0) ?? null

export const isOldVersion = (version: string): boolean => {
  const parts = version.split(".").map(Number)
  const different = minVersion.findIndex((least, index) => parts[index] !== least)
  return different !== -1 && !((parts[different] ?? 0) > (minVersion[different] ?? 0))
}

type Driver = typeof Database

const driverMissing = (path: string, cause: unknown) =>
  new StorageError({
    message: `${path}: the SQLite driver (better-sqlite3) cannot be loaded for Node ${process.version} on ${process.platform}-${process.arch}`,
    hint: "install again with scripts allowed (npm rebuild better-sqlite3); without a prebuilt binary it needs python3, make, g++ and the Node headers",
    cause
  })

const loadDriver = (path: string): Effect.Effect<Driver, StorageError> =>
  Effect.tryPromise({
    try: async () => {
      const { default: Driver } = await import("better-sqlite3")
      // The native binary is looked for at the first opening only.
      new Driver(":memory:").close()
      return Driver
    },
    catch: (cause) => driverMissing(path, cause)
  })

const isPrivate = (file: number | string) => {
  const { mode } = typeof file === "number" ? fs.fstatSync(file) : fs.statSync(file)
  return (mode & 0o777) === 0o600
}

const refuse = (path: string, what: string, hint: string) => new StorageError({ message: `${path}: ${what}`, hint })

/** Looks at the bytes alone, so that what is no database of ours is not touched at all. */
const checkHeader = (file: string, known: number): void => {
  const handle = fs.openSync(file, "r")
  try {
    const header = Buffer.alloc(100)
    const length = fs.readSync(handle, header, 0, 100, 0)
    if (length === 0) return
    if (length < 100 || header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
      throw refuse(
        file,
        "this is not a SQLite database; it was left as it is",
        "move the file away, or set CONTEXTFS_DATA_DIR"
      )
    }
    checkVersion(file, header.readUInt32BE(60), known)
  } finally {
    fs.closeSync(handle)
  }
}

const checkVersion = (file: string, version: number, known: number): void => {
  if (version > known) {
    throw refuse(
      file,
      `written by a newer version (schema ${version}, this one knows ${known}); it was left as it is`,
      "upgrade contextfs, or set CONTEXTFS_DATA_DIR to another folder"
    )
  }
}

const prepareFile = (file: string, known: number): void => {
  const folder = path.dirname(file)
  const made = fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (made !== undefined) fs.chmodSync(folder, 0o700)
  const network = process.platform === "linux" ? networkFilesystem(fs.statfsSync(folder).type) : null
  if (network !== null) {
    throw refuse(
      folder,
      `this folder is on a network filesystem (${network}), where SQLite's locks cannot be relied on`,
      "set CONTEXTFS_DATA_DIR to a folder on a local disk"
    )
  }
  try {
    // Made before SQLite sees it: -wal and -shm take over its mode, whatever the umask.
    const handle = fs.openSync(file, "wx", 0o600)
    fs.fchmodSync(handle, 0o600)
    fs.closeSync(handle)
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    checkHeader(file, known)
  }
}

const narrow = (file: string): void => {
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (!isPrivate(each)) fs.chmodSync(each, 0o600)
    } catch (error) {
      // Another process may remove -wal and -shm at any time, and another user's file is theirs to protect.
      if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EPERM")))
        throw error
    }
  }
}

const numberOf = (db: Database.Database, query: string): number => Number(db.prepare(query).pluck().get())

/** How many migrations the database has seen; refuses one that is not ours. Read in one transaction. */
const seenMigrations = (db: Database.Database, file: string, known: number): number => {
  const version = numberOf(db, "PRAGMA user_version")
  checkVersion(file, version, known)
  if (version === 0 && numberOf(db, "SELECT count(*) FROM sqlite_schema") > 0) {
    throw refuse(
      file,
      "this database belongs to another program; it was left as it is",
      "move the file away, or set CONTEXTFS_DATA_DIR to another folder"
    )
  }
  return version
}

const prepareSchema = (db: Database.Database, { path: file, migrations }: SqliteOptions): void => {
  const known = migrations.length
  const seen = db.transaction(() => seenMigrations(db, file, known))
  const migrate = db.transaction(() => {
    for (const script of migrations.slice(seenMigrations(db, file, known))) db.exec(script)
    db.pragma(`user_version = ${known}`)
  })
  const before = seen.deferred()
  const mode = db.pragma("journal_mode = WAL", { simple: true })
  if (mode !== "wal" && mode !== "memory") {
    throw refuse(
      file,
      `this filesystem does not carry SQLite's write-ahead log (journal mode is ${String(mode)})`,
      "set CONTEXTFS_DATA_DIR to a folder on a local disk"
    )
  }
  if (before < known) migrate.immediate()
}

const open = (Driver: Driver, options: SqliteOptions): Database.Database => {
  const file = options.path
  const inMemory = file === ":memory:"
  if (!inMemory) prepareFile(file, options.migrations.length)
  const db = new Driver(file, { timeout: driverTimeout })
  try {
    const version = String(db.prepare("SELECT sqlite_version()").pluck().get())
    if (isOldVersion(version)) {
      throw refuse(
        file,
        `SQLite ${version} can lose committed writes; ${minVersion.join(".")} or newer is needed`,
        "install better-sqlite3 12.11.1 or newer"
      )
    }
    prepareSchema(db, options)
    if (!inMemory) narrow(file)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens, checks and migrates; throws what SQLite or the system throws, or a `StorageError` where we refuse. */
export const openDatabase = (options: SqliteOptions): Effect.Effect<Database.Database, unknown> =>
  Effect.flatMap(loadDriver(options.path), (Driver) =>
    Effect.try({ try: () => open(Driver, options), catch: (cause) => cause })
  )
