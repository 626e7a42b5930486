import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { type Group, isGroup } from "../src/Command.js"
import { root } from "../src/Commands.js"
import { at, bin, document, homes } from "./harness.js"

const home = homes()

describe("help and version", () => {
  const levels = (group: Group, words: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => [
    words,
    ...group.commands.flatMap((node) => (isGroup(node) ? levels(node, [...words, node.name]) : [[...words, node.name]]))
  ]

  it.each(levels(root, []))("contextfs %s %s --help", async (...words) => {
    const at = home()
    const [long, short] = await Promise.all([at.contextfs([...words, "--help"]), at.contextfs(["-h", ...words])])
    expect(long).toMatchObject({ code: 0, stderr: "" })
    expect(short).toEqual(long)
    expect(long.stdout).toContain(`Usage  ${["contextfs", ...words].join(" ")}`)
    for (const line of long.stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100)
    expect(fs.existsSync(at.dataDir)).toBe(false)
  })

  it("prints the version of the package, wherever it is asked for", async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(path.dirname(bin), "../package.json"), "utf8"))
    const at = home()
    for (const args of [["--version"], ["orchestrator", "--version"], ["orchestrator", "run", "x", "--version"]]) {
      expect(await at.contextfs(args)).toEqual({ code: 0, signal: null, stdout: `${version}\n`, stderr: "" })
    }
  })
})

describe("orchestrator init-config", () => {
  const init = ["orchestrator", "init-config"]

  it("writes a file that can be rehearsed as it is, after its folders are made", async () => {
    const at = home()
    expect(await at.contextfs(init)).toMatchObject({ code: 0, stderr: "" })
    const config: unknown = JSON.parse(fs.readFileSync(path.join(at.work, "agents.json"), "utf8"))
    expect(config).toMatchObject({ agents: [{ role: "test" }, { role: "code" }, { role: "review" }] })
    for (const folder of ["tests", "src"]) fs.mkdirSync(path.join(at.work, folder))
    const ended = await at.contextfs(["orchestrator", "run", "agents.json", "--tool", "mock", "--workers", "3"])
    expect(ended, ended.stderr + ended.stdout).toMatchObject({ code: 0, stderr: "" })
  })

  it("never overwrites, unless it is told to", async () => {
    const at = home()
    const file = at.file("mine.json", "precious")
    const refused = await at.contextfs([...init, "-o", "mine.json"])
    expect(refused).toMatchObject({ code: 10, stdout: "" })
    expect(refused.stderr).toMatch(/^error\[Conflict\]: mine\.json is there already – give --force/)
    expect(fs.readFileSync(file, "utf8")).toBe("precious")
    expect(await at.contextfs([...init, "--output", "mine.json", "--force"])).toMatchObject({ code: 0 })
    expect(fs.readFileSync(file, "utf8")).toContain('"role"')
  })

  it("writes YAML by the name, and the schema beside it where an editor finds it", async () => {
    const at = home()
    fs.mkdirSync(path.join(at.work, "ci"))
    const ended = await at.contextfs([...init, "-o", "ci/agents.yaml", "--json"])
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    const schema = path.join(at.work, "ci/.contextfs/agents.schema.json")
    expect(document(ended.stdout)).toEqual({ file: path.join(at.work, "ci/agents.yaml"), schema })
    const yaml = fs.readFileSync(path.join(at.work, "ci/agents.yaml"), "utf8")
    const named = /^# yaml-language-server: \$schema=(\S+)\nagents:\n {2}- role: test\n/.exec(yaml)?.[1] ?? ""
    expect(path.join(at.work, "ci", named)).toBe(schema)
    const printed = await at.contextfs([...init, "--schema"])
    expect(printed).toMatchObject({ code: 0, stdout: fs.readFileSync(schema, "utf8") })
    expect(document(printed.stdout)).toMatchObject({ $schema: expect.stringContaining("draft-07") })
    for (const folder of ["tests", "src"]) fs.mkdirSync(path.join(at.work, "ci", folder))
    const run = await at.contextfs(["orchestrator", "run", "ci/agents.yaml", "-t", "mock", "--dry-run"])
    expect(run, run.stderr).toMatchObject({ code: 0, stderr: "" })

    await at.contextfs([...init])
    const config: unknown = JSON.parse(fs.readFileSync(path.join(at.work, "agents.json"), "utf8"))
    expect(config).toMatchObject({ $schema: "./.contextfs/agents.schema.json" })
    expect(fs.existsSync(path.join(at.work, ".contextfs/agents.schema.json"))).toBe(true)
  })

  it("leaves a schema that is there, unless it is told to replace it", async () => {
    const at = home()
    const schema = at.file(".contextfs/agents.schema.json", "mine")
    expect(await at.contextfs(init)).toMatchObject({ code: 0 })
    expect(fs.readFileSync(schema, "utf8")).toBe("mine")
    expect(await at.contextfs([...init, "--force"])).toMatchObject({ code: 0 })
    expect(fs.readFileSync(schema, "utf8")).toContain("draft-07")
  })

  it("follows no link out of the way", async () => {
    const at = home()
    const target = at.file("elsewhere/target", "precious")
    fs.symlinkSync(target, path.join(at.work, "agents.json"))
    expect(await at.contextfs(init)).toMatchObject({ code: 10 })
    expect(fs.readFileSync(target, "utf8")).toBe("precious")
  })
})

describe("orchestrator roles", () => {
  it("prints the listing of the seed", async () => {
    expect(await home().contextfs(["orchestrator", "roles"])).toEqual({
      code: 0,
      signal: null,
      stderr: "",
      stdout: `orchestrator - Monitors and coordinates other agents
test         - Writes and runs tests, saves failures as errors
code         - Implements features, saves decisions and patterns
review       - Reviews code quality, links related findings
docs         - Writes documentation
debug        - Investigates and fixes bugs
custom       - Generic agent for custom tasks
`
    })
  })

  it("shows one in full, and all as JSON", async () => {
    const at = home()
    const one = await at.contextfs(["orchestrator", "roles", "review"])
    expect(one.stdout).toMatch(/^review - Reviews code quality/)
    expect(one.stdout).toMatch(/permission +read/)
    const all = JSON.parse((await at.contextfs(["orchestrator", "roles", "--json"])).stdout)
    expect(all.map(({ name }: { name: string }) => name)).toContain("debug")
  })
})

describe("memory", () => {
  it("saves, finds, lists and recalls, options before or after the text", async () => {
    const one = home()
    const saved = await one.contextfs([
      "memory",
      "save",
      "--tags",
      "auth,security",
      "We hash with argon2id",
      "--type",
      "decision",
      "-pshop",
      "--json"
    ])
    expect(saved).toMatchObject({ code: 0, stderr: "" })
    const memory = at(document(saved.stdout), "memory")
    expect(memory).toMatchObject({
      type: "decision",
      tags: ["auth", "security"],
      project: "shop",
      trust: "user",
      sourceTool: "contextfs-cli"
    })
    const id = String(at(memory, "id"))
    const found = await one.contextfs(["memory", "search", "-p", "shop", "argon2id hash"])
    expect(found.stdout).toContain(id)
    const listed = document((await one.contextfs(["memory", "list", "--project=shop", "--json"])).stdout)
    expect(at(listed, "memories", 0, "id")).toBe(id)
    const recalled = await one.contextfs(["memory", "recall", id.slice(0, 6)])
    expect(recalled.stdout).toContain("We hash with argon2id")
    expect((await one.contextfs(["memory", "list"])).stdout).toBe("no memories in project default\n")
    const again = await one.contextfs(["memory", "save", "We hash with argon2id", "-p", "shop", "--type", "decision"])
    expect(again.stdout).toBe(`already there as ${id}: tags are auth, security\n`)
  })

  it("the project is the option's, else the variable's, else default", async () => {
    const one = home()
    const projectOf = async (args: ReadonlyArray<string>, env = {}) =>
      at(
        document((await one.contextfs(["memory", "save", "x", "--json", ...args], { env })).stdout),
        "memory",
        "project"
      )
    expect(await projectOf([])).toBe("default")
    expect(await projectOf([], { CONTEXTFS_PROJECT: "" })).toBe("default")
    expect(await projectOf([], { CONTEXTFS_PROJECT: "fromEnv" })).toBe("fromEnv")
    expect(await projectOf(["-p", "given"], { CONTEXTFS_PROJECT: "fromEnv" })).toBe("given")
  })

  it("any text is a query", async () => {
    const at = home()
    await at.contextfs(["memory", "save", "don't use col:x or a-b"])
    for (const query of ['"', "NEAR(", "a-b", "col:x", "*", "don't", "AND OR NOT", "x".repeat(10_240)]) {
      expect(await at.contextfs(["memory", "search", "--", query]), query).toMatchObject({ code: 0, stderr: "" })
    }
  })

  it("what only reads makes nothing", async () => {
    const at = home()
    for (const args of [
      ["memory", "list"],
      ["memory", "search", "x"],
      ["orchestrator", "findings"],
      ["orchestrator", "errors"],
      ["orchestrator", "status"]
    ]) {
      expect(await at.contextfs(args)).toMatchObject({ code: 0, stderr: "" })
    }
    expect(fs.existsSync(at.dataDir)).toBe(false)
  })

  it("a text is stored as it was given, hyphens, line feeds and all", async () => {
    const one = home()
    for (const text of ["--help", "- a\n- b", "--", "-w3", ":colon", "日本語 👩‍💻"]) {
      const { stdout } = await one.contextfs(["memory", "save", `--summary=${text}`, "--json", "--", `content ${text}`])
      expect(at(document(stdout), "memory"), text).toMatchObject({
        content: `content ${text}`,
        summary: expect.any(String)
      })
      expect(await one.contextfs(["memory", "save", "--", text]), text).toMatchObject({ code: 0 })
    }
  })
})
