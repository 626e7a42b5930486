/** What is installed with us, and what of it may run when it is installed: a list that is changed by hand or not at all. */
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file: string): Record<string, unknown> => JSON.parse(fs.readFileSync(file, "utf8"))
const names = (value: unknown): ReadonlyArray<string> =>
  typeof value === "object" && value !== null ? Object.keys(value).sort() : []

/** These have scripts; of them pnpm-workspace.yaml lets run what has to. */
const withScripts: Readonly<Record<string, "runs" | "must not run">> = {
  "@parcel/watcher": "must not run",
  "better-sqlite3": "runs",
  esbuild: "runs",
  fsevents: "must not run",
  "msgpackr-extract": "must not run"
}

/** What a user gets with each package, by name. */
const dependencies: Readonly<Record<string, ReadonlyArray<string>>> = {
  cli: ["better-sqlite3"],
  core: ["@contextfs/mcp", "@contextfs/memory", "@contextfs/roles", "fastest-levenshtein", "jsonc-parser", "yaml"],
  mcp: ["@contextfs/memory", "@contextfs/roles", "@modelcontextprotocol/sdk"],
  memory: [
    "@effect/experimental",
    "@effect/sql",
    "@effect/sql-sqlite-node",
    "@secretlint/core",
    "@secretlint/profiler",
    "@secretlint/secretlint-rule-preset-recommend",
    "better-sqlite3"
  ],
  roles: ["@contextfs/memory", "yaml"],
  testkit: ["@contextfs/core", "@contextfs/memory"]
}

describe("the supply chain", () => {
  it("has no install script but those that are named, and pnpm lets no other run", () => {
    const store = path.join(root, "node_modules/.pnpm")
    const found = new Set<string>()
    for (const entry of fs.readdirSync(store)) {
      const modules = path.join(store, entry, "node_modules")
      if (!fs.existsSync(modules)) continue
      const packages = fs
        .readdirSync(modules)
        .flatMap((name) =>
          name.startsWith("@") ? fs.readdirSync(path.join(modules, name)).map((own) => `${name}/${own}`) : [name]
        )
      for (const name of packages) {
        const folder = path.join(modules, name)
        // The others are links to entries of their own.
        if (fs.lstatSync(folder).isSymbolicLink() || !fs.existsSync(path.join(folder, "package.json"))) continue
        const scripts = names(read(path.join(folder, "package.json"))["scripts"])
        const runs = scripts.some((script) => ["preinstall", "install", "postinstall"].includes(script))
        if (runs || fs.existsSync(path.join(folder, "binding.gyp"))) found.add(name)
      }
    }
    // Some come with some systems only.
    expect([...found].filter((name) => !Object.hasOwn(withScripts, name))).toEqual([])
    expect([...found]).toEqual(expect.arrayContaining(["better-sqlite3", "esbuild"]))
    const workspace = fs.readFileSync(path.join(root, "pnpm-workspace.yaml"), "utf8")
    const allowed = /^onlyBuiltDependencies:\n((?: {2}- .+\n)+)/m.exec(workspace)?.[1]?.match(/[^\s-]\S*/g)
    expect(allowed).toEqual(Object.keys(withScripts).filter((name) => withScripts[name] === "runs"))
  })

  it("brings a user of each package what is listed here, and nothing else", () => {
    for (const [name, wanted] of Object.entries(dependencies)) {
      const found = read(path.join(root, "packages", name, "package.json"))
      expect([name, names(found["dependencies"])]).toEqual([name, wanted])
      expect(names(found["scripts"]).filter((script) => /install|prepare/.test(script))).toEqual([])
      // What is published is listed too.
      expect(Array.isArray(found["files"])).toBe(true)
    }
  })
})
