/** What `pnpm pack` makes of every public package is well-formed, installs with npm into an empty project, and works. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bin = (name: string) => path.join(root, "node_modules/.bin", name)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-packages-"))
const project = path.join(folder, "project")
const env = {
  PATH: process.env["PATH"],
  HOME: path.join(folder, "home"),
  npm_config_cache: path.join(os.homedir(), ".npm"),
  ...(process.env["NODE_EXTRA_CA_CERTS"] === undefined
    ? {}
    : { NODE_EXTRA_CA_CERTS: process.env["NODE_EXTRA_CA_CERTS"] })
}
/** Standard output; rejects with everything that was printed where the program fails. */
const run = async (program: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  const { stdout } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
}
const publicPackages = fs
  .readdirSync(path.join(root, "packages"))
  .map((name) => ({
    dir: path.join(root, "packages", name),
    manifest: JSON.parse(fs.readFileSync(path.join(root, "packages", name, "package.json"), "utf8")) as Manifest
  }))
  .filter(({ manifest }) => manifest.private !== true)
const tarballs = new Map<string, string>()

beforeAll(async () => {
  fs.mkdirSync(project, { recursive: true })
  fs.mkdirSync(env.HOME)
  for (const { dir, manifest } of publicPackages) {
    const said = JSON.parse(await run(bin("pnpm"), ["pack", "--json", "--pack-destination", folder], dir)) as {
      filename: string
    }
    tarballs.set(manifest.name, said.filename)
  }
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe.each(publicPackages)("$manifest.name", ({ manifest }) => {
  const tarball = () => tarballs.get(manifest.name) ?? ""

  it("passes publint", async () => {
    expect(await run(bin("publint"), [tarball(), "--strict"], folder)).toMatch(/All good!/)
  })

  it("holds a licence and a readme, and nothing of the tests", async () => {
    const files = (await run("tar", ["-tzf", tarball()], folder)).trim().split("\n")
    expect(files).toEqual(expect.arrayContaining(["package/LICENSE", "package/README.md", "package/package.json"]))
    expect(files.filter((file) => /\/(test|node_modules)\/|tsconfig/.test(file))).toEqual([])
  })
})

const libraries = publicPackages.filter(({ manifest }) => manifest.bin === undefined)

it.each(libraries)("$manifest.name gives types that are right", async ({ manifest }) => {
  // It ends with a code other than 0 where it finds a problem.
  const said = await run(
    bin("attw"),
    [tarballs.get(manifest.name) ?? "", "--profile", "esm-only", "--no-color"],
    folder
  )
  expect(said).toContain(manifest.name)
})

describe("an empty project", () => {
  beforeAll(async () => {
    fs.writeFileSync(
      path.join(project, "package.json"),
      JSON.stringify({ name: "empty", private: true, type: "module" })
    )
    // The SQLite driver's own install is not ours to test, and takes minutes where it compiles: its binary is put in place.
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...tarballs.values()], project)
    const driver = (base: string) => fs.realpathSync(path.join(base, "node_modules/better-sqlite3"))
    fs.cpSync(
      path.join(driver(path.join(root, "packages/memory")), "build/Release/better_sqlite3.node"),
      path.join(driver(project), "build/Release/better_sqlite3.node")
    )
  })

  it("has one effect, and no fixtures of ours", async () => {
    const installed = (await run("npm", ["ls", "effect", "--all", "--parseable"], project)).trim().split("\n")
    expect(new Set(installed).size).toBe(1)
    expect(fs.existsSync(path.join(project, "node_modules/@contextfs/fixtures"))).toBe(false)
  })

  it.each(libraries)("can import $manifest.name", async ({ manifest }) => {
    const said = await run(
      "node",
      ["--input-type=module", "-e", `console.log(Object.keys(await import("${manifest.name}")).length)`],
      project
    )
    expect(Number(said)).toBeGreaterThan(0)
  })

  it("has the command, and it runs agents", async () => {
    const command = path.join(project, "node_modules/.bin/contextfs")
    const version = JSON.parse(fs.readFileSync(path.join(root, "packages/cli/package.json"), "utf8")).version
    expect((await run(command, ["--version"], project)).trim()).toBe(version)
    fs.writeFileSync(
      path.join(project, "agents.json"),
      JSON.stringify([{ role: "docs", directory: ".", task: "Say hello." }])
    )
    const result = JSON.parse(
      await run(command, ["orchestrator", "run", "agents.json", "--tool", "mock", "--json"], project)
    )
    expect(result.results.map((job: { status: string }) => job.status)).toEqual(["completed"])
    expect(
      JSON.parse(await run(command, ["orchestrator", "findings", "--json"], project)).memories.length
    ).toBeGreaterThan(0)
  })

  it("has the library, and it runs agents", async () => {
    fs.writeFileSync(
      path.join(project, "run.js"),
      `import { runAgents } from "@contextfs/core"
       const results = await runAgents([{ role: "docs", directory: ".", task: "Say hello." }], { tool: "mock" })
       console.log(results.map((result) => result.status).join())`
    )
    expect((await run("node", ["run.js"], project)).trim()).toBe("completed")
  })
})
