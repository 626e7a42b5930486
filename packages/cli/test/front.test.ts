import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { bin, type Home, homes } from "./harness.js"

const home = homes()
const dist = path.dirname(bin)

/** Runs the command and tells which files of ours, and which packages, node has loaded for it. */
const loadedBy = async (at: Home, args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const list = path.join(at.root, "loaded.json")
  const hook = at.file(
    "hook.cjs",
    `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(list)}, JSON.stringify(Object.keys(require.cache))))`
  )
  const ended = await at.contextfs(args, { node: ["--require", hook] })
  expect(ended, ended.stderr).toMatchObject({ stderr: "" })
  return JSON.parse(fs.readFileSync(list, "utf8"))
}

/** A text that stands in one part of the bundle only. */
const parts = {
  sql: "pragma busy_timeout",
  driver: "better-sqlite3/lib",
  mcp: "LATEST_PROTOCOL_VERSION",
  run: "@contextfs/core/Orchestrator"
}

const holds = (files: ReadonlyArray<string>, part: string): boolean =>
  files.some(
    (file) =>
      file.includes(part) ||
      (path.dirname(file) === dist && fs.readFileSync(file, "utf8").toLowerCase().includes(part.toLowerCase()))
  )

describe("starts with no more than it needs", () => {
  it.each([
    ["--help", ["orchestrator", "run", "--help"]],
    ["roles", ["orchestrator", "roles"]],
    ["one role", ["orchestrator", "roles", "test"]],
    ["init-config", ["orchestrator", "init-config"]],
    ["memory list without a memory", ["memory", "list"]]
  ])("%s loads neither SQL nor MCP nor the run", async (_, args) => {
    const loaded = await loadedBy(home(), args)
    expect(holds(loaded, "bin.cjs")).toBe(true)
    for (const part of Object.values(parts)) expect(holds(loaded, part), part).toBe(false)
  })

  it.each([
    ["--version", ["--version"]],
    ["the listing of roles", ["orchestrator", "roles"]]
  ])("%s loads nothing but the front", async (_, args) => {
    const loaded = await loadedBy(home(), args)
    expect(loaded.filter((file) => file.startsWith(dist))).toEqual([bin])
  })

  it("roles that somebody has written load more, but neither SQL nor MCP nor the run", async () => {
    const at = home()
    at.file(".contextfs/roles/mover.md", "---\ndescription: Moves\n---\nYou move.\n")
    const loaded = await loadedBy(at, ["orchestrator", "roles"])
    expect(loaded.filter((file) => file.startsWith(dist)).length).toBeGreaterThan(1)
    for (const part of Object.values(parts)) expect(holds(loaded, part), part).toBe(false)
  })

  it("a run loads all of them: the witness can see", async () => {
    const at = home()
    at.file("agents.json", [{ role: "test", directory: ".", task: "x", tool: "mock" }])
    const loaded = await loadedBy(at, ["orchestrator", "run", "agents.json"])
    for (const part of Object.values(parts)) expect(holds(loaded, part), part).toBe(true)
  })
})

describe("the code cache", () => {
  const roles = ["orchestrator", "roles", "test"]
  const cacheOf = (at: Home) => path.join(at.root, "cache", "contextfs")
  const own = (at: Home) => ({ XDG_CACHE_HOME: path.join(at.root, "cache") })
  /** Tells on stderr how V8 took each cached file: `accepted` or `rejected`. */
  const spy = (at: Home) => [
    "--require",
    at.file(
      "spy.cjs",
      `const vm = require("node:vm")
       const Script = vm.Script
       vm.Script = class extends Script {
         constructor(code, options) {
           super(code, options)
           if (options.cachedData) process.stderr.write(this.cachedDataRejected ? "rejected " : "accepted ")
         }
       }`
    )
  ]

  const warm = async () => {
    const at = home()
    const first = await at.contextfs(roles, { env: own(at), node: spy(at) })
    expect(first).toMatchObject({ code: 0, stderr: "" })
    const files = fs.readdirSync(cacheOf(at)).map((name) => path.join(cacheOf(at), name))
    expect(files.length).toBeGreaterThan(0)
    return { at, first, files, again: () => at.contextfs(roles, { env: own(at), node: spy(at) }) }
  }

  it("is written by the first start, for its owner alone, and used by the second", async () => {
    const { again, at, files, first } = await warm()
    expect(fs.statSync(cacheOf(at)).mode & 0o777).toBe(0o700)
    for (const file of files) {
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      expect(path.basename(file)).toContain(process.version)
    }
    const second = await again()
    expect(second.stdout).toBe(first.stdout)
    expect(second.stderr).toBe("accepted ".repeat(files.length))
  })

  const spoilers: ReadonlyArray<readonly [string, (file: string) => void]> = [
    ["others may write to", (file) => fs.chmodSync(file, 0o622)],
    [
      "is a folder",
      (file) => {
        fs.rmSync(file)
        fs.mkdirSync(file)
      }
    ],
    // Only root can give a file away.
    ...(process.getuid?.() === 0
      ? [["another owns", (file: string) => fs.chownSync(file, 65_534, 65_534)] as const]
      : [])
  ]
  it.each(spoilers)("a file that %s is not looked at", async (_, spoil) => {
    const { again, files, first } = await warm()
    for (const file of files) spoil(file)
    expect(await again()).toEqual(first)
  })

  it("a file that is no code cache changes nothing, and is replaced", async () => {
    const { again, files, first } = await warm()
    for (const file of files) fs.writeFileSync(file, "garbage")
    const second = await again()
    expect(second).toMatchObject({ code: 0, stdout: first.stdout })
    expect(second.stderr).not.toContain("accepted")
    expect((await again()).stderr).toBe("accepted ".repeat(files.length))
  })

  it.each([
    ["below a file", (at: Home) => ({ XDG_CACHE_HOME: at.file("a-file", "") })],
    ["relative", () => ({ XDG_CACHE_HOME: "relative" })],
    ["nowhere", () => ({ XDG_CACHE_HOME: "", HOME: "" })]
  ])("a cache folder that is %s is no reason to complain", async (_, env) => {
    const at = home()
    expect(await at.contextfs(roles, { env: env(at) })).toMatchObject({ code: 0, stderr: "" })
    expect(fs.readdirSync(at.work).filter((name) => name !== "a-file")).toEqual([])
  })
})
