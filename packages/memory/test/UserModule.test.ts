import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as UserModule from "../src/UserModule.js"

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-module-")))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))
const write = (name: string, text: string): string => {
  const file = path.join(root, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}
const install = (name: string, manifest: object, file: string) => {
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, ...manifest }))
  return write(`node_modules/${name}/${file}`, "module.exports = {}")
}

describe("where a module is", () => {
  it.effect("is what a file says, relative to the directory", () =>
    Effect.gen(function* () {
      const file = write("sub/x.js", "export default 1")
      expect(yield* UserModule.resolve("./x.js", path.join(root, "sub"))).toBe(file)
      expect(yield* UserModule.resolve("../sub/x.js", path.join(root, "sub"))).toBe(file)
      expect(yield* UserModule.resolve(file, "/")).toBe(file)
      expect(yield* Effect.flip(UserModule.resolve("./y.js", root))).toMatchObject({
        _tag: "ModuleError",
        message: `no file ${JSON.stringify(path.join(root, "y.js"))}`
      })
      expect(yield* Effect.flip(UserModule.resolve("./sub", root))).toMatchObject({ _tag: "ModuleError" })
      expect(["./x", "../x", "/x", "x/y", "@x/y", "x.js", ".x", ""].map(UserModule.isFile)).toEqual([
        true,
        true,
        true,
        false,
        false,
        false,
        false,
        false
      ])
    })
  )

  it.effect("is what a package exports to import, from the directory upward", () =>
    Effect.gen(function* () {
      const inner = path.join(root, "a/b")
      fs.mkdirSync(inner, { recursive: true })
      const files: Readonly<Record<string, string>> = {
        plain: install("plain", { main: "main.js" }, "main.js"),
        esm: install("esm", { exports: { ".": { types: "./t.d.ts", import: "./esm.js" } } }, "esm.js"),
        text: install("text", { exports: "./only.js" }, "only.js"),
        "@me/scoped": install("@me/scoped", { exports: { import: { default: "./deep.js" } } }, "deep.js"),
        "many/part": install("many", { exports: { "./part": "./part.js" } }, "part.js")
      }
      for (const [name, file] of Object.entries(files)) expect(yield* UserModule.resolve(name, inner)).toBe(file)
      for (const name of ["absent", "many", "..", "", "@me", "a b/../../x"]) {
        expect((yield* Effect.flip(UserModule.resolve(name, inner)))._tag).toBe("ModuleError")
      }
    })
  )
})

it.effect("a module is loaded, or told in one line why not", () =>
  Effect.gen(function* () {
    const good = write("good.mjs", "export default 1; export const more = 2")
    expect({ ...(yield* UserModule.load(good)) }).toEqual({ default: 1, more: 2 })
    for (const [name, text] of [
      ["throws.mjs", 'throw new Error("first line\\nsecond")'],
      ["syntax.mjs", "export default {"],
      ["lacks.mjs", 'import "no-such-package-at-all"']
    ] as const) {
      const error = yield* Effect.flip(UserModule.load(write(name, text)))
      expect(error.message).toMatch(/^the module cannot be loaded: [^\n]+$/)
    }
  })
)
