import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Driver from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { isOldVersion, networkFilesystem } from "../src/internal/openSqlite.js"
import { StorageError } from "../src/MemoryError.js"
import * as Sqlite from "../src/Sqlite.js"

const migrations = ["CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT;\n CREATE INDEX t_b ON t (b);"]

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-sqlite-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)
const file = Effect.map(temporaryFolder, (folder) => path.join(folder, "data", "a.db"))
const mode = (name: string) => (fs.statSync(name).mode & 0o777).toString(8)

describe("Sqlite", () => {
  it.scoped(
    "folder 0700, file, -wal and -shm 0600 under umask 000 and 077, and a file that was wider is narrowed",
    () =>
      Effect.gen(function* () {
        for (const umask of [0o000, 0o077]) {
          const name = yield* file
          const before = process.umask(umask)
          try {
            const { sql } = yield* Sqlite.make({ path: name, migrations })
            yield* sql`INSERT INTO t (b) VALUES ('x')`
          } finally {
            process.umask(before)
          }
          expect(mode(path.dirname(name))).toBe("700")
          expect([name, `${name}-wal`, `${name}-shm`].map(mode)).toEqual(["600", "600", "600"])
          fs.chmodSync(name, 0o644)
          yield* Effect.scoped(Sqlite.make({ path: name, migrations }))
          expect(mode(name)).toBe("600")
        }
      })
  )

  it.scoped.each([
    ["deleted", (name: string) => fs.rmSync(path.dirname(name), { recursive: true })],
    [
      "replaced",
      (name: string) => {
        fs.copyFileSync(name, `${name}.copy`)
        fs.renameSync(`${name}.copy`, name)
      }
    ]
  ] as const)("says that nothing is stored any more once its file was %s", ([what, lose]) =>
    Effect.gen(function* () {
      const name = yield* file
      const { execute, sql, writeTransaction } = yield* Sqlite.make({ path: name, migrations })
      const reader = yield* Sqlite.make({ path: name, migrations, readOnly: true })
      yield* sql`INSERT INTO t (b) VALUES ('kept')`
      yield* reader.sql`SELECT * FROM t`
      // In the middle of a transaction as well: what it commits is in no file that anybody will open.
      const within = writeTransaction(
        Effect.zipRight(
          sql`INSERT INTO t (b) VALUES ('x')`,
          Effect.sync(() => lose(name))
        )
      )
      for (const statement of [
        within,
        sql`INSERT INTO t (b) VALUES ('y')`,
        sql`SELECT 1`,
        execute("SELECT 1", {}),
        reader.sql`SELECT 1`
      ]) {
        const error = Sqlite.storageError(name)(yield* Effect.flip(statement))
        expect(error).toMatchObject({ gone: true, message: expect.stringContaining(`${name}: it was ${what}`) })
      }
    })
  )

  it.scoped("refuses garbage, a cut file, a foreign database and a newer schema, each left byte-identical", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const name = (each: string) => path.join(folder, each)
      fs.writeFileSync(name("garbage"), "this is my diary, not a database\n".repeat(100))
      fs.writeFileSync(name("short"), "x")
      yield* Effect.scoped(Sqlite.make({ path: name("whole"), migrations }))
      fs.writeFileSync(name("cut"), fs.readFileSync(name("whole")).subarray(0, 5000))
      fs.writeFileSync(
        name("shredded"),
        fs.readFileSync(name("whole")).map((byte, at) => (at < 100 ? byte : at % 251))
      )
      const foreign = new Driver(name("foreign"))
      foreign.exec("CREATE TABLE theirs (x)")
      foreign.close()
      const newer = new Driver(name("newer"))
      newer.exec("CREATE TABLE t (a); PRAGMA user_version = 7")
      newer.close()
      const expected = {
        garbage: /not a SQLite database/,
        short: /not a SQLite database/,
        cut: /malformed/,
        shredded: /malformed/,
        foreign: /another program/,
        newer: /newer version \(schema 7, this one knows 1\)/
      }
      for (const [each, message] of Object.entries(expected)) {
        const before = fs.readFileSync(name(each))
        const error = yield* Effect.flip(Effect.scoped(Sqlite.make({ path: name(each), migrations })))
        expect(error).toBeInstanceOf(StorageError)
        expect(error.message).toMatch(message)
        expect(error.message).toContain(name(each))
        expect(error.hint).toBeTruthy()
        expect(fs.readFileSync(name(each)).equals(before)).toBe(true)
      }
    })
  )

  it("knows network filesystems and SQLite versions that lose writes", () => {
    expect([0x6969, 0x517b, 0xff534d42, 0xff534d42 | 0, 0x01021997].map(networkFilesystem)).toEqual([
      "NFS",
      "SMB",
      "CIFS",
      "CIFS",
      "9p"
    ])
    expect([0xef53, 0x01021994, 0x9123683e].map(networkFilesystem)).toEqual([null, null, null])
    expect(["3.51.2", "3.50.9", "2.99.99"].map(isOldVersion)).toEqual([true, true, true])
    expect(["3.51.3", "3.51.10", "3.52.0", "4.0.0"].map(isOldVersion)).toEqual([false, false, false, false])
  })

  it.scoped.skipIf(process.platform !== "linux")("opening a database again drops none of SQLite's locks on it", () =>
    Effect.gen(function* () {
      const name = yield* file
      const { sql } = yield* Sqlite.make({ path: name, migrations })
      yield* sql`INSERT INTO t (b) VALUES ('x')`
      const { ino } = fs.statSync(name)
      const locks = () =>
        fs
          .readFileSync("/proc/locks", "utf8")
          .split("\n")
          .filter((line) => line.includes(` ${process.pid} `) && line.includes(`:${ino} `)).length
      const before = locks()
      expect(before).toBeGreaterThan(0)
      for (const readOnly of [false, true]) yield* Effect.scoped(Sqlite.make({ path: name, migrations, readOnly }))
      expect(locks()).toBe(before)
    })
  )

  it.scoped("an overwritten file is a fault, and is not written to", () =>
    Effect.gen(function* () {
      const name = yield* file
      const { sql, writeTransaction } = yield* Sqlite.make({ path: name, migrations })
      fs.writeFileSync(name, "junk")
      const exit = yield* Effect.exit(writeTransaction(sql`INSERT INTO t (b) VALUES ('x')`))
      expect(Exit.isFailure(exit) && String(exit.cause)).toContain("overwritten while it was in use")
      expect(fs.readFileSync(name, "utf8")).toBe("junk")
    })
  )

  it.scoped("a folder that cannot be made is a StorageError that says what to do", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      fs.writeFileSync(path.join(folder, "file"), "")
      const error = yield* Effect.flip(
        Effect.scoped(Sqlite.make({ path: path.join(folder, "file", "a.db"), migrations }))
      )
      expect(error._tag).toBe("StorageError")
      expect(error.hint).toMatch(/CONTEXTFS_DATA_DIR/)
    })
  )

  it.scoped("runs only the migrations that are missing, all or none", () =>
    Effect.gen(function* () {
      const name = yield* file
      yield* Effect.scoped(Sqlite.make({ path: name, migrations }))
      const broken = [...migrations, "ALTER TABLE t ADD COLUMN c TEXT", "CREATE NONSENSE"]
      yield* Effect.flip(Effect.scoped(Sqlite.make({ path: name, migrations: broken })))
      const { sql } = yield* Sqlite.make({ path: name, migrations: broken.slice(0, 2) })
      yield* sql`INSERT INTO t (b, c) VALUES ('x', 'y')`
      expect(yield* sql`PRAGMA user_version`).toEqual([{ user_version: 2 }])
    })
  )

  it.scoped("readOnly makes nothing, changes nothing, and sees what others commit while it is open", () =>
    Effect.gen(function* () {
      const name = yield* file
      const reader = Sqlite.make({ path: name, migrations, readOnly: true })
      const absent = yield* Effect.flip(Effect.scoped(reader))
      expect(absent.message).toContain(name)
      expect(fs.existsSync(path.dirname(name))).toBe(false)
      const writer = yield* Sqlite.make({ path: name, migrations })
      const { sql, writeTransaction } = yield* reader
      yield* writer.sql`INSERT INTO t (b) VALUES ('x')`
      expect(yield* sql`SELECT b FROM t`).toEqual([{ b: "x" }])
      const refused = yield* Effect.flip(writeTransaction(sql`INSERT INTO t (b) VALUES ('y')`))
      expect(Sqlite.storageError(name)(refused)).toMatchObject({ message: expect.stringMatching(/SQLITE_READONLY/) })
      expect(yield* writer.sql`SELECT b FROM t`).toEqual([{ b: "x" }])
    })
  )

  it.scopedLive("readOnly waits for a file that is just being made", () =>
    Effect.gen(function* () {
      const name = yield* file
      fs.mkdirSync(path.dirname(name))
      fs.writeFileSync(name, "")
      const reader = yield* Effect.fork(Sqlite.make({ path: name, migrations, readOnly: true }))
      yield* Effect.yieldNow()
      yield* Sqlite.make({ path: name, migrations })
      const { sql } = yield* Fiber.join(reader)
      expect(yield* sql`SELECT b FROM t`).toEqual([])
    })
  )

  it.scoped("commits on success; rolls back on failure, defect and interruption, and stays usable", () =>
    Effect.gen(function* () {
      const { sql, writeTransaction } = yield* Sqlite.make({ path: yield* file, migrations })
      const insert = sql`INSERT INTO t (b) VALUES ('x')`
      const exits = yield* Effect.forEach(
        [Effect.void, Effect.fail("no"), Effect.die("bug"), Effect.interrupt],
        (end) => Effect.exit(writeTransaction(Effect.zipRight(insert, end)))
      )
      expect(exits.map(Exit.isSuccess)).toEqual([true, false, false, false])
      expect(yield* sql`SELECT count(*) AS n FROM t`).toEqual([{ n: 1 }])
      const inner = writeTransaction(Effect.zipRight(insert, Effect.fail("inner")))
      yield* writeTransaction(Effect.zipRight(insert, Effect.ignore(inner)))
      expect(yield* sql`SELECT count(*) AS n FROM t`).toEqual([{ n: 2 }])
    })
  )

  it.scoped("a statement of another fiber, or of another database, never joins an open transaction", () =>
    Effect.gen(function* () {
      const one = yield* Sqlite.make({ path: yield* file, migrations })
      const two = yield* Sqlite.make({ path: ":memory:", migrations })
      yield* one
        .writeTransaction(
          Effect.gen(function* () {
            yield* one.sql`INSERT INTO t (b) VALUES ('rolled back')`
            yield* two.sql`INSERT INTO t (b) VALUES ('kept')`
            yield* two.writeTransaction(two.sql`INSERT INTO t (b) VALUES ('kept too')`)
            yield* Effect.yieldNow()
            return yield* Effect.fail("no")
          })
        )
        .pipe(Effect.ignore, Effect.zip(one.sql`INSERT INTO t (b) VALUES ('other fiber')`, { concurrent: true }))
      expect(yield* one.sql`SELECT b FROM t`).toEqual([{ b: "other fiber" }])
      expect(yield* two.sql`SELECT b FROM t`).toEqual([{ b: "kept" }, { b: "kept too" }])
    })
  )

  it.scopedLive("waits for another connection's lock, without blocking the event loop", () =>
    Effect.gen(function* () {
      const name = yield* file
      const { sql, writeTransaction } = yield* Sqlite.make({ path: name, migrations })
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Driver(name)),
        (other) => Effect.sync(() => other.close())
      )
      other.exec("BEGIN IMMEDIATE")
      // Only an event loop that lives can end the wait.
      setTimeout(() => other.exec("COMMIT"), 500)
      yield* writeTransaction(sql`INSERT INTO t (b) VALUES ('after')`)
      other.exec("BEGIN IMMEDIATE")
      setTimeout(() => other.exec("COMMIT"), 300)
      yield* sql`INSERT INTO t (b) VALUES ('single')`
      expect(yield* sql`SELECT count(*) AS n FROM t`).toEqual([{ n: 2 }])
    })
  )
})
