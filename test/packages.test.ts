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

/** Installs into an empty project. */
const install = async (project: string, packages: ReadonlyArray<string>): Promise<void> => {
  fs.mkdirSync(project, { recursive: true })
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
  // The SQLite driver's own install is not ours to test, and takes minutes where it compiles: its binary is put in place.
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--save-exact"]
  await run("npm", ["install", ...options, ...packages], project)
  const driver = (base: string) => fs.realpathSync(path.join(base, "node_modules/better-sqlite3"))
  fs.cpSync(
    path.join(driver(path.join(root, "packages/memory")), "build/Release/better_sqlite3.node"),
    path.join(driver(project), "build/Release/better_sqlite3.node")
  )
}

describe("an empty project", () => {
  beforeAll(() => install(project, [...tarballs.values()]))

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
  it("takes a memory that is a layer of its Effect", async () => {
    fs.writeFileSync(
      path.join(project, "layer.js"),
      'export { layerMemory as default } from "@contextfs/memory/MemoryStore"'
    )
    const { status, results } = JSON.parse(
      await run(
        path.join(project, "node_modules/.bin/contextfs"),
        ["orchestrator", "run", "agents.json", "--tool", "mock", "--memory", "./layer.js", "--json"],
        project
      )
    )
    expect([status, results[0].memory.saved.length > 0]).toEqual(["completed", true])
  })
})

/** The extensions under examples/, packed, beside an Effect that is not the command's own. */
describe("a project with another minor version of Effect", () => {
  const other = path.join(folder, "other")
  const version = "3.21.5"
  const contextfs = (...args: ReadonlyArray<string>) =>
    run("sh", ["-c", 'PATH="$PWD/node_modules/.bin:$PATH" exec contextfs "$@"', "sh", ...args], other)
  const example = (name: string) => path.join(root, "examples", name)

  beforeAll(async () => {
    const packed: Array<string> = []
    for (const name of ["adapter-in-code", "memory-json-file", "tool-by-configuration"]) {
      const [{ filename }] = JSON.parse(
        await run("npm", ["pack", "--json", "--pack-destination", folder, example(name)], folder)
      )
      packed.push(path.join(folder, filename))
    }
    await install(other, [tarballs.get("@contextfs/cli") ?? "", ...packed, `effect@${version}`])
    fs.writeFileSync(
      path.join(other, "agents.json"),
      JSON.stringify([{ role: "review", directory: ".", task: "Say hello." }])
    )
  })

  it("runs an adapter that is a package", async () => {
    const run = ["orchestrator", "run", "agents.json", "--json"]
    const { results } = JSON.parse(await contextfs(...run, "--tool", "contextfs-example-parrot"))
    expect(results[0]).toMatchObject({ tool: "parrot", status: "completed" })
    expect(results[0].result).toContain("Say hello.")
  })

  it("runs a tool that is configuration only", async () => {
    const config = "node_modules/contextfs-example-shout/agents.json"
    const { results } = JSON.parse(await contextfs("orchestrator", "run", config, "--json"))
    expect(results).toMatchObject([
      { tool: "shout", status: "completed", result: expect.stringContaining("SAY HELLO.") },
      { tool: "narrate", status: "completed", result: expect.stringContaining("SAY IT AGAIN.") }
    ])
  })

  it("keeps its memory in a package of promises", async () => {
    const file = path.join(other, "memory.json")
    const memory = ["--memory", "contextfs-example-json-file", "--memory-options", JSON.stringify({ file }), "--json"]
    const { status } = JSON.parse(await contextfs("orchestrator", "run", "agents.json", "--tool", "mock", ...memory))
    expect(status).toBe("completed")
    const { memories } = JSON.parse(await contextfs("orchestrator", "findings", ...memory))
    expect(memories.length).toBeGreaterThan(0)
    expect(JSON.parse(fs.readFileSync(file, "utf8")).entries.length).toBe(memories.length)
  })

  it("is told why a layer of its Effect cannot be used", async () => {
    fs.writeFileSync(
      path.join(other, "layer.js"),
      `import * as Context from "effect/Context"
       import * as Layer from "effect/Layer"
       export default Layer.succeed(Context.GenericTag("@contextfs/memory/MemoryStore"), {})`
    )
    await expect(contextfs("memory", "list", "--memory", "./layer.js")).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^error\[UsageError\]: its layer was built with effect 3\.21\.5, this is effect 3\.22\.\d+: .* – --memory \.\/layer\.js – .*\n$/
      )
    })
  })

  it("cannot have the library, and npm says why", async () => {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--dry-run"]
    const libraries = ["core", "mcp", "memory", "roles"].map((name) => tarballs.get(`@contextfs/${name}`) ?? "")
    await expect(run("npm", ["install", ...options, ...libraries], other)).rejects.toMatchObject({
      stderr: expect.stringMatching(/ERESOLVE.*peer effect@"\^3\.22\.\d+"/s)
    })
  })
})
