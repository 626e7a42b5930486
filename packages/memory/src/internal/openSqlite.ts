import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Reactivity from "@effect/experimental/Reactivity"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import { StorageError } from "../MemoryError.js"
import type { SqliteOptions } from "../Sqlite.js"
import * as privateFiles from "./privateFiles.js"

/** Older ones can lose committed writes when one connection checkpoints while another writes. */
const minVersion = [3, 51, 3] as const

/** What the driver waits by itself, ms; it blocks the event loop meanwhile. */
const driverTimeout = 100

/** Texts differ by the number of words in a query, so the number of prepared statements is bounded. */
const maxPrepared = 300

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

const driverMissing = (path: string, cause: unknown) =>
  new StorageError({
    message: `${path}: the SQLite driver (better-sqlite3) cannot be loaded for Node ${process.version} on ${process.platform}-${process.arch}`,
    hint: "install again with scripts allowed (npm rebuild better-sqlite3); without a prebuilt binary it needs python3, make, g++ and the Node headers",
    cause
  })

const loadDriver = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const { default: Driver } = await import("better-sqlite3")
      // The native binary is looked for at the first opening only.
      new Driver(":memory:").close()
      return Driver
    },
    catch: (cause) => driverMissing(path, cause)
  })

const loadClient = (path: string) =>
  Effect.zipRight(
    loadDriver(path),
    Effect.tryPromise({
      try: () => import("@effect/sql-sqlite-node/SqliteClient"),
      catch: (cause) => driverMissing(path, cause)
    })
  )

const isPrivate = (file: number | string) => {
  const { mode } = typeof file === "number" ? fs.fstatSync(file) : fs.statSync(file)
  return (mode & 0o777) === 0o600
}

const refuse = (path: string, what: string, hint: string) => new StorageError({ message: `${path}: ${what}`, hint })

/**
 * How many times this process holds each database open, by device and inode. Of one that it holds no other descriptor may
 * be closed, not even one that was only read: POSIX then drops all locks of the process on it, SQLite's included.
 */
const held = new Map<string, number>()

const identityOf = (file: string): string => {
  const { dev, ino } = fs.statSync(file)
  return `${dev}:${ino}`
}

const hold = (file: string): Effect.Effect<void, unknown, Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const identity = identityOf(file)
        held.set(identity, (held.get(identity) ?? 0) + 1)
        return identity
      },
      catch: (cause) => cause
    }),
    (identity) =>
      Effect.sync(() => {
        const others = (held.get(identity) ?? 1) - 1
        if (others === 0) held.delete(identity)
        else held.set(identity, others)
      })
  )

/** Looks at the bytes alone, so that what is no database of ours is not touched at all. */
const checkHeader = (file: string, known: number): void => {
  // Looked at by whoever opened it.
  if (held.has(identityOf(file))) return
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

/** SQLite would follow a link, and write beside what it leads to. */
const checkPlace = (file: string): void => {
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    const stat = fs.lstatSync(each, { throwIfNoEntry: false })
    if (stat === undefined) continue
    const what = stat.isSymbolicLink()
      ? "a link stands where a file of ours belongs; nothing was written"
      : !stat.isFile()
        ? "this is no file"
        : process.getuid !== undefined && stat.uid !== process.getuid()
          ? "this file belongs to another user; nothing was written"
          : undefined
    if (what !== undefined) throw refuse(each, what, "move it away, or set CONTEXTFS_DATA_DIR to another folder")
  }
}

const prepareFile = (file: string, known: number): void => {
  const folder = path.dirname(file)
  privateFiles.makeFolder(folder)
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
    fs.closeSync(privateFiles.create(file))
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    checkPlace(file)
    checkHeader(file, known)
  }
}

const narrow = (file: string): void => {
  for (const each of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (!isPrivate(each)) fs.chmodSync(each, 0o600)
    } catch (error) {
      // Another process may remove -wal and -shm at any time.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error
    }
  }
}

const isWritable = (folder: string): boolean => {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** What SQLite can read of a file in whose folder it cannot put its -wal and -shm: a copy in a folder of our own. */
const readable = (file: string): Effect.Effect<string, unknown, Scope> =>
  Effect.suspend(() => {
    const sides = [`${file}-wal`, `${file}-shm`]
    if (isWritable(path.dirname(file)) || sides.every((side) => fs.existsSync(side))) return Effect.succeed(file)
    const copied = Effect.try({
      try: () => {
        const folder = privateFiles.temporaryFolder(path.join(os.tmpdir(), "contextfs-copy-"))
        return { folder, copy: path.join(folder, path.basename(file)) }
      },
      catch: (cause) => cause
    })
    return Effect.acquireRelease(copied, ({ folder }) =>
      Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
    ).pipe(
      Effect.tap(({ copy }) =>
        Effect.try({
          try: () => {
            for (const side of ["", "-wal"].filter((side) => fs.existsSync(`${file}${side}`))) {
              fs.copyFileSync(`${file}${side}`, `${copy}${side}`)
              fs.chmodSync(`${copy}${side}`, 0o600)
            }
          },
          catch: (cause) => cause
        })
      ),
      Effect.map(({ copy }) => copy)
    )
  })

/** Reads all of it, by itself. */
export const check = (file: string): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const Driver = yield* loadDriver(file)
    yield* Effect.try({ try: () => checkHeader(file, Number.POSITIVE_INFINITY), catch: (cause) => cause })
    const from = yield* readable(file)
    yield* Effect.try({
      try: () => {
        const database = new Driver(from, { readonly: true, fileMustExist: true })
        try {
          const found = database.pragma("quick_check(1)", { simple: true })
          if (found !== "ok") {
            throw refuse(
              file,
              `the database is damaged: ${String(found).replaceAll("\n", " ")}`,
              "keep the file for repair, and set CONTEXTFS_DATA_DIR to another folder or restore a copy"
            )
          }
        } finally {
          database.close()
        }
      },
      catch: (cause) => cause
    })
  }).pipe(Effect.scoped)

/** What holds on how one statement is run: by itself, and again while the database is busy. */
type Run = (sql: string) => Effect.Effect<ReadonlyArray<unknown>, unknown>

/** The first column of the first row. */
const valueOf = (run: Run, sql: string): Effect.Effect<unknown, unknown> =>
  Effect.map(run(sql), ([row]) => (typeof row === "object" && row !== null ? Object.values(row)[0] : undefined))

/** How many migrations the database has seen; refuses one that is not ours. */
const seenMigrations = (run: Run, file: string, known: number): Effect.Effect<number, unknown> =>
  Effect.gen(function* () {
    const version = Number(yield* valueOf(run, "PRAGMA user_version"))
    yield* Effect.try({ try: () => checkVersion(file, version, known), catch: (cause) => cause })
    if (version === 0 && Number(yield* valueOf(run, "SELECT count(*) FROM sqlite_schema")) > 0) {
      return yield* Effect.fail(
        refuse(
          file,
          "this database belongs to another program; it was left as it is",
          "move the file away, or set CONTEXTFS_DATA_DIR to another folder"
        )
      )
    }
    return version
  })

const within = <A>(run: Run, begin: string, effect: Effect.Effect<A, unknown>): Effect.Effect<A, unknown> =>
  Effect.acquireUseRelease(
    run(begin),
    () => Effect.zipLeft(effect, run("COMMIT")),
    // After a commit nothing is open, and that is no fault.
    () => Effect.ignore(run("ROLLBACK"))
  )

/** The statements of a script: each ends with a semicolon at the end of a line. */
const statementsOf = (script: string): ReadonlyArray<string> =>
  script.split(/;[ \t]*(?:\n|$)/).filter((statement) => statement.trim() !== "")

const prepareSchema = (run: Run, { path: file, migrations }: SqliteOptions): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const known = migrations.length
    const seen = seenMigrations(run, file, known)
    const before = yield* within(run, "BEGIN", seen)
    const mode = yield* valueOf(run, "PRAGMA journal_mode = WAL")
    if (mode !== "wal" && mode !== "memory") {
      return yield* Effect.fail(
        refuse(
          file,
          `this filesystem does not carry SQLite's write-ahead log (journal mode is ${String(mode)})`,
          "set CONTEXTFS_DATA_DIR to a folder on a local disk"
        )
      )
    }
    yield* run("PRAGMA foreign_keys = ON")
    if (before === known) return
    const migrate = Effect.gen(function* () {
      const scripts = migrations.slice(yield* seen)
      yield* Effect.forEach(scripts.flatMap(statementsOf), run, { discard: true })
      yield* run(`PRAGMA user_version = ${known}`)
    })
    yield* within(run, "BEGIN IMMEDIATE", migrate)
  })

/** The database is not yet what we need. */
class Behind {
  constructor(readonly seen: number) {}
}

/** Whoever makes a database has its tables there in a moment. */
const awaitSchema = (run: Run, { path: file, migrations }: SqliteOptions): Effect.Effect<void, unknown> =>
  within(run, "BEGIN", seenMigrations(run, file, migrations.length)).pipe(
    Effect.flatMap((seen) => (seen === migrations.length ? Effect.void : Effect.fail(new Behind(seen)))),
    Effect.retry({
      while: (cause) => cause instanceof Behind && cause.seen === 0,
      // Counted: `Schedule.upTo` asks the clock on the wall, which may be set. About 5 s.
      schedule: Schedule.spaced("25 millis").pipe(Schedule.intersect(Schedule.recurs(200)))
    }),
    Effect.mapError((cause) =>
      !(cause instanceof Behind)
        ? cause
        : cause.seen === 0
          ? new StorageError({
              message: `${file}: this database is empty; it was left as it is`,
              hint: "what writes makes it, where the disk has room: save something, or start a run",
              empty: true
            })
          : refuse(
              file,
              `written by an older version (schema ${cause.seen}, this one needs ${migrations.length}); it was left as it is`,
              "what writes brings it up to date: save something, or start a run"
            )
    )
  )

/**
 * Opens, checks and migrates; fails with what SQLite or the system says, or with a `StorageError` where we refuse.
 * `patiently` runs a statement again while the database is busy.
 */
export const openConnection = (
  options: SqliteOptions,
  patiently: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<Connection, unknown, Scope> =>
  Effect.gen(function* () {
    const file = options.path
    const inMemory = file === ":memory:"
    const SqliteClient = yield* loadClient(file)
    const readonly = options.readOnly === true
    const known = options.migrations.length
    if (!inMemory) {
      const look = readonly ? checkHeader : prepareFile
      yield* Effect.try({ try: () => look(file, known), catch: (cause) => cause })
    }
    const filename = readonly && !inMemory ? yield* readable(file) : file
    if (!inMemory) yield* hold(file)
    const settings = { filename, readonly, disableWAL: true, prepareCacheSize: maxPrepared }
    const client = yield* SqliteClient.make(settings).pipe(
      Effect.provide(Reactivity.layer),
      // A file that cannot be opened is thrown by the driver.
      Effect.catchAllDefect(Effect.fail)
    )
    const connection = yield* client.reserve
    const run: Run = (sql) => patiently(connection.execute(sql, [], undefined))
    yield* run(`PRAGMA busy_timeout = ${driverTimeout}`)
    const version = String(yield* valueOf(run, "SELECT sqlite_version()"))
    if (isOldVersion(version)) {
      return yield* Effect.fail(
        refuse(
          file,
          `SQLite ${version} can lose committed writes; ${minVersion.join(".")} or newer is needed`,
          "install better-sqlite3 12.11.1 or newer"
        )
      )
    }
    if (readonly) {
      yield* awaitSchema(run, options)
      return connection
    }
    yield* prepareSchema(run, options)
    if (!inMemory) yield* Effect.try({ try: () => narrow(file), catch: (cause) => cause })
    return connection
  })
