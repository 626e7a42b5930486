import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Trust from "../src/Trust.js"

let root = ""
let dataDir = ""
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-trust-")))
  dataDir = path.join(root, "data")
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const put = (name: string, text: string) => {
  const file = path.join(root, name)
  fs.writeFileSync(file, text)
  return file
}
const content = (file: string) => Either.getOrThrow(Trust.readFile(file, Trust.maxBytes))
const trusts = (file: string) => Effect.map(Trust.list(dataDir), (all) => Trust.isTrusted(all, content(file)))

describe("trust", () => {
  it.effect("is in one content at one place, kept for the user alone", () =>
    Effect.gen(function* () {
      const file = put("a.md", "one")
      expect(yield* Trust.list(dataDir)).toEqual([])
      yield* Trust.add(dataDir, [content(file)])
      expect(yield* trusts(file)).toBe(true)
      expect(fs.readdirSync(dataDir)).toEqual([Trust.fileName, "trust.lock"])
      expect(fs.statSync(path.join(dataDir, Trust.fileName)).mode & 0o777).toBe(0o600)
      expect(fs.statSync(dataDir).mode & 0o777).toBe(0o700)

      expect(yield* trusts(put("copy.md", "one"))).toBe(false)
      fs.writeFileSync(file, "two")
      expect(yield* trusts(file)).toBe(false)
      yield* Trust.add(dataDir, [content(file)])
      expect(yield* trusts(file)).toBe(true)
      expect(yield* Trust.list(dataDir)).toHaveLength(1)
      // The old content is forgotten.
      fs.writeFileSync(file, "one")
      expect(yield* trusts(file)).toBe(false)
    })
  )

  it.effect("of a link is trust of what it leads to", () =>
    Effect.gen(function* () {
      const file = put("a.md", "one")
      const link = path.join(root, "link.md")
      fs.symlinkSync(file, link)
      yield* Trust.add(dataDir, [content(link)])
      expect(yield* Trust.list(dataDir)).toMatchObject([{ file }])
      fs.rmSync(link)
      fs.symlinkSync(put("b.md", "one"), link)
      expect(yield* trusts(link)).toBe(false)
    })
  )

  it.effect("can be taken back", () =>
    Effect.gen(function* () {
      const [one, other] = [put("a.md", "one"), put("b.md", "two")]
      yield* Trust.add(dataDir, [content(one), content(other)])
      expect(yield* Trust.remove(dataDir, [one, "/nowhere"])).toMatchObject([{ file: one }])
      expect([yield* trusts(one), yield* trusts(other)]).toEqual([false, true])
      expect(yield* Trust.remove(dataDir, [one])).toEqual([])
    })
  )

  it.effect("a store that others may write, or that is none, is not believed and not replaced", () =>
    Effect.gen(function* () {
      const file = put("a.md", "one")
      yield* Trust.add(dataDir, [content(file)])
      const store = path.join(dataDir, Trust.fileName)
      fs.chmodSync(store, 0o666)
      const open = yield* Effect.flip(Trust.list(dataDir))
      expect(open).toMatchObject({ _tag: "StorageError", message: expect.stringContaining("can be written by others") })
      fs.chmodSync(store, 0o600)
      for (const text of ["", "{", "[]", '{"files":[{"file":"/x","sha256":"y","since":""}]}']) {
        fs.writeFileSync(store, text)
        expect(yield* Effect.flip(Trust.list(dataDir))).toMatchObject({ hint: expect.stringContaining("delete it") })
        yield* Effect.flip(Trust.add(dataDir, [content(file)]))
        expect(fs.readFileSync(store, "utf8")).toBe(text)
      }
    })
  )

  it("is only in regular files of a sensible size", () => {
    const left = (file: string, most = Trust.maxBytes) => Either.getLeft(Trust.readFile(file, most))
    expect(left(root)).toMatchObject({ value: "it is no regular file" })
    expect(left("/dev/zero")).toMatchObject({ value: "it is no regular file" })
    expect(left(path.join(root, "none"))).toMatchObject({ value: "there is no such file" })
    expect(left(put("big", "x".repeat(2048)), 1024)).toMatchObject({ value: "it is larger than 1 KiB" })
    const loop = path.join(root, "loop")
    fs.symlinkSync(loop, loop)
    expect(left(loop)).toMatchObject({ value: "its links lead nowhere" })
  })
})
