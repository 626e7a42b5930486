import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll } from "vitest"
import { StorageError } from "../src/MemoryError.js"
import * as PrivateFiles from "../src/PrivateFiles.js"
import * as Sqlite from "../src/Sqlite.js"

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-private-")))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const refusal = (folder: string) => Effect.runSync(Effect.flip(PrivateFiles.dataFolder(folder)))

const mode = (file: string) => (fs.statSync(file).mode & 0o7777).toString(8)
const migrations = ["CREATE TABLE t (a TEXT) STRICT;"]

describe("PrivateFiles", () => {
  it.each([0o000, 0o022, 0o077, 0o777])("folders are 0700 and files 0600 under umask %o", (umask) => {
    const before = process.umask(umask)
    try {
      const data = path.join(root, `u${umask}`, "a", "b")
      Effect.runSync(PrivateFiles.dataFolder(data))
      const below = PrivateFiles.folder(data, "c", "d")
      const temporary = PrivateFiles.temporaryFolder(path.join(below, "t"))
      for (const each of [path.join(root, `u${umask}`), data, path.join(data, "c"), below, temporary]) {
        expect(mode(each)).toBe("700")
      }
      PrivateFiles.write(path.join(below, "f"), "x")
      expect(mode(path.join(below, "f"))).toBe("600")
      expect(() => PrivateFiles.write(path.join(below, "f"), "y")).toThrow(/EEXIST/)
    } finally {
      process.umask(before)
    }
  })

  it("a folder that was wider is narrowed; everybody's and a file are refused", () => {
    const wide = path.join(root, "wide")
    fs.mkdirSync(path.join(wide, "runs"), { recursive: true })
    fs.chmodSync(wide, 0o775)
    fs.chmodSync(path.join(wide, "runs"), 0o777)
    Effect.runSync(PrivateFiles.dataFolder(wide))
    PrivateFiles.folder(wide, "runs")
    expect([mode(wide), mode(path.join(wide, "runs"))]).toEqual(["700", "700"])
    const shared = path.join(root, "shared")
    fs.mkdirSync(shared)
    fs.chmodSync(shared, 0o1777)
    expect(refusal(shared)).toBeInstanceOf(StorageError)
    expect(mode(shared)).toBe("1777")
    fs.writeFileSync(path.join(root, "file"), "")
    expect(refusal(path.join(root, "file"))).toBeInstanceOf(StorageError)
  })

  it.runIf(fs.existsSync("/proc"))("where no folder can be made that is said in a line, at once", () => {
    const { message } = refusal("/proc/nope/data")
    expect(message).toMatch(/^\/proc\/nope\/data: the data folder cannot be made: ENOENT/)
    const tried = Effect.runSync(Effect.flip(PrivateFiles.tryDataFolder("/proc/nope/data")))
    expect(tried.message).toMatch(/^\/proc\/nope\/data: the data folder cannot be made: ENOENT/)
  })

  it("trying a data folder leaves nothing, and tells what making it would", () => {
    const at = path.join(root, "tried")
    expect(Effect.runSync(PrivateFiles.tryDataFolder(path.join(at, "a", "b")))).toBeUndefined()
    expect(fs.existsSync(at)).toBe(false)
    Effect.runSync(PrivateFiles.dataFolder(at))
    expect(Effect.runSync(PrivateFiles.tryDataFolder(at))?.mode).toBe(fs.statSync(at).mode)
    expect(fs.readdirSync(at)).toEqual([])
    fs.writeFileSync(path.join(at, "file"), "")
    fs.symlinkSync(path.join(at, "nowhere"), path.join(at, "link"))
    for (const wrong of ["file", "file/below", "link"]) {
      expect(Effect.runSync(Effect.flip(PrivateFiles.tryDataFolder(path.join(at, wrong)))), wrong).toBeInstanceOf(
        StorageError
      )
    }
  })

  it("a folder of another user is refused", () => {
    const foreign = path.join(root, "foreign")
    fs.mkdirSync(foreign)
    // Only root can give something away; for others the root folder is somebody else's.
    if (process.getuid?.() === 0) fs.chownSync(foreign, 65534, 65534)
    const folder = process.getuid?.() === 0 ? foreign : "/"
    expect(refusal(folder).message).toMatch(/belongs to another user/)
  })

  it("what stands in a file's place is not opened, and nobody waits for it", () => {
    fs.writeFileSync(path.join(root, "target"), "secret")
    fs.symlinkSync(path.join(root, "target"), path.join(root, "link"))
    expect(spawnSync("mkfifo", [path.join(root, "fifo")]).status).toBe(0)
    for (const name of ["link", "fifo", ".", "absent", "target/x"]) {
      expect(PrivateFiles.open(path.join(root, name)), name).toBeUndefined()
    }
    expect(() => PrivateFiles.write(path.join(root, "link"), "mine")).toThrow(/EEXIST/)
    expect(fs.readFileSync(path.join(root, "target"), "utf8")).toBe("secret")
  })

  it.scoped("a database is opened through no link, and stays 0600 with its side files under umask 0777", () =>
    Effect.gen(function* () {
      const data = path.join(root, "db")
      const before = process.umask(0o777)
      try {
        const { sql } = yield* Sqlite.make({ path: path.join(data, "a.db"), migrations })
        yield* sql`INSERT INTO t VALUES ('x')`
      } finally {
        process.umask(before)
      }
      expect(mode(data)).toBe("700")
      expect(["a.db", "a.db-wal", "a.db-shm"].map((name) => mode(path.join(data, name)))).toEqual(["600", "600", "600"])
      const bytes = fs.readFileSync(path.join(data, "a.db"))
      fs.symlinkSync(path.join(data, "a.db"), path.join(data, "link.db"))
      const error = yield* Effect.flip(Effect.scoped(Sqlite.make({ path: path.join(data, "link.db"), migrations })))
      expect(error.message).toMatch(/a link stands/)
      expect(fs.readFileSync(path.join(data, "a.db")).equals(bytes)).toBe(true)
    })
  )
})
