/** Where nothing may be written, or read: what views say of it, and that they make nothing. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { bin, document, type Home, homes } from "./harness.js"

const home = homes()
const closed: Array<string> = []
afterAll(() => {
  for (const folder of closed) fs.chmodSync(folder, 0o700)
})

/** Root, too, is held to the mode of a folder once it has lost what lets it pass. */
const caps = "-dac_override,-dac_read_search"
const bound = process.getuid?.() === 0 ? ["setpriv", "--bounding-set", caps, "--inh-caps", caps] : []

const say = (at: Home, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const [program = "", ...words] = [...bound, process.execPath, bin, ...args]
  const { status, stderr, stdout } = spawnSync(program, words, {
    cwd: at.work,
    env: { ...at.env, ...env },
    encoding: "utf8"
  })
  return { code: status, stdout, stderr }
}

const mode = (folder: string, to: number) => {
  closed.push(folder)
  fs.chmodSync(folder, to)
}

const views: ReadonlyArray<ReadonlyArray<string>> = [
  ["orchestrator", "status"],
  ["orchestrator", "findings"],
  ["orchestrator", "errors"],
  ["orchestrator", "monitor", "--duration", "0.1"],
  ["memory", "list"],
  ["memory", "search", "Look"]
]

describe("a database that was begun and never made, as on a full disk", () => {
  it.each(views)("is to %s %s as if there were none yet", async (...words) => {
    const [empty, none] = [home(), home()]
    fs.mkdirSync(empty.dataDir, { mode: 0o700 })
    for (const name of ["memory.db", "orchestrator.db"]) fs.writeFileSync(path.join(empty.dataDir, name), "")
    const { code, stdout } = await empty.contextfs(words)
    const { stdout: nothing } = await none.contextfs(words)
    expect([code, stdout]).toEqual([0, nothing])
    expect(fs.readdirSync(empty.dataDir)).toEqual(["memory.db", "orchestrator.db"])
  })
})

/** One agent that leaves memories, without a model. */
const looked = ["orchestrator", "spawn", "review", ".", "Look", "-t", "mock", "--wait", "--json"]

describe("a data folder that cannot be written", () => {
  it("can be looked at, whole, and nothing is put into it or left elsewhere", async () => {
    const at = home()
    const temporary = path.join(at.root, "tmp")
    fs.mkdirSync(temporary)
    const spawned = await at.contextfs(looked)
    expect(spawned.code).toBe(0)
    const run = String(document(spawned.stdout)["runId"])
    const told = await Promise.all(views.map((words) => at.contextfs(words)))
    for (const name of fs.readdirSync(at.dataDir)) if (/-(wal|shm)$/.test(name)) fs.rmSync(path.join(at.dataDir, name))
    const before = fs.readdirSync(at.dataDir, { recursive: true }).sort()
    mode(at.dataDir, 0o500)
    for (const [index, words] of [...views, ["orchestrator", "logs", run]].entries()) {
      const ended = say(at, words, { TMPDIR: temporary })
      expect(ended.code, `${words.join(" ")}: ${ended.stderr}`).toBe(0)
      if (words[1] !== "status") expect(ended.stdout).toBe(told[index]?.stdout ?? ended.stdout)
      else expect(ended.stdout).toContain(`run ${run} completed`)
    }
    const saved = say(at, ["memory", "save", "x"])
    expect(saved.code).toBe(5)
    expect(saved.stderr).toMatch(/^error\[StorageError\]: .+ – make the file and its folder writable for this user\n$/)
    expect(fs.readdirSync(at.dataDir, { recursive: true }).sort()).toEqual(before)
    expect(fs.readdirSync(temporary)).toEqual([])
    const examined = document(say(at, ["doctor", "--json"]).stdout)
    expect(examined["findings"]).toContainEqual(
      expect.objectContaining({ check: "data", state: "problem", exitCode: 5, hint: expect.any(String) })
    )
  })
})

describe("a data folder that is not there, or no folder", () => {
  it("is not made by views", async () => {
    const at = home()
    for (const words of [...views, ["doctor"], ["orchestrator", "logs", "x"]]) await at.contextfs(words)
    expect(fs.existsSync(at.dataDir)).toBe(false)
  })

  it.each(views.map((words) => [words.join(" "), words] as const))("%s says that it is a file", async (_, words) => {
    const at = home()
    const env = { CONTEXTFS_DATA_DIR: at.file("plain", "") }
    const ended = await at.contextfs(words, { env })
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 5, stdout: "" })
    expect(ended.stderr).toMatch(/error\[StorageError\]: .+plain: this is no folder – .+\n$/)
  })

  it.runIf(fs.existsSync("/proc"))("below /proc every command ends, with one line where it had to write", async () => {
    const at = home()
    const env = { HOME: "/proc/nope", CONTEXTFS_DATA_DIR: "", XDG_CACHE_HOME: "" }
    expect(await at.contextfs(["orchestrator", "status"], { env })).toMatchObject({ code: 0, stderr: "" })
    for (const words of [["memory", "save", "x"], ["mcp"], ["trust", at.file("x.md", "x")]]) {
      const { code, stderr } = await at.contextfs(words, { env })
      expect(code, words[0]).toBe(5)
      expect(stderr).toMatch(/^error\[StorageError\]: \/proc\/nope\/.+ENOENT.* – .+\n$/)
    }
  })
})

describe("what is asked about and is not there", () => {
  it("a run that nobody knows is not found, by any view", async () => {
    const at = home()
    const spawned = await at.contextfs(looked)
    for (const view of ["findings", "errors", "monitor"]) {
      const ended = await at.contextfs(["orchestrator", view, "--run", "nosuch"])
      expect({ view, code: ended.code, stdout: ended.stdout }).toEqual({ view, code: 4, stdout: "" })
      expect(ended.stderr).toContain('error[NotFound]: no run "nosuch" – ')
    }
    // Nothing went wrong in this one.
    const errors = await at.contextfs(["orchestrator", "errors", "--run", String(document(spawned.stdout)["runId"])])
    expect(errors).toMatchObject({ code: 0, stdout: expect.stringContaining("no errors") })
  })

  it("a role that nobody knows is doubted, unless it has said something", async () => {
    const at = home()
    const ended = await at.contextfs(["orchestrator", "findings", "-r", "reveiw"])
    expect(ended).toMatchObject({ code: 0, stdout: "no findings in project default\n" })
    expect(ended.stderr).toBe('no role "reveiw" is known – did you mean review?\n')
    const file = at.file(".contextfs/roles/once.md", "---\ndescription: d\npermission: read\n---\nYou look.\n")
    expect(await at.contextfs(["orchestrator", "spawn", "once", ".", "Look", "-t", "mock", "--wait"])).toMatchObject({
      code: 0
    })
    fs.rmSync(file)
    const once = await at.contextfs(["orchestrator", "findings", "-r", "once"])
    expect(once).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("once-agent") })
  })
})

describe("doctor", () => {
  it.each([
    ["memory.db", "memory", "is damaged"],
    ["orchestrator.db", "journal", "is not a SQLite database"]
  ])("sees what is broken in %s", async (name, check, what) => {
    const at = home()
    expect(await at.contextfs(["orchestrator", "spawn", "review", ".", "Look", "-t", "mock", "--wait"])).toMatchObject({
      code: 0
    })
    const findingOf = async () => {
      const { code, stdout } = await at.contextfs(["doctor", "--json"])
      const { findings } = document(stdout)
      const found: unknown = Array.isArray(findings)
        ? findings.find((finding) => finding["check"] === check)
        : undefined
      return { code, found }
    }
    expect((await findingOf()).found).toMatchObject({ state: "ok" })
    for (const side of ["-wal", "-shm"]) fs.rmSync(path.join(at.dataDir, `${name}${side}`), { force: true })
    const file = path.join(at.dataDir, name)
    const bytes = fs.readFileSync(file)
    fs.writeFileSync(file, check === "memory" ? bytes.fill(0xaa, 8192, 12_288) : bytes.fill(0xaa, 0, 100))
    const { code, found } = await findingOf()
    expect(code).toBe(5)
    expect(found).toMatchObject({
      state: "problem",
      exitCode: 5,
      text: expect.stringContaining(what),
      hint: expect.any(String)
    })
  })

  it("tells a folder of PATH that cannot be read from a program that cannot be executed", async () => {
    const at = home()
    const secret = path.join(at.root, "secret")
    const open = path.join(at.root, "open")
    for (const [folder, program] of [
      [secret, "claude"],
      [open, "codex"]
    ] as const) {
      fs.mkdirSync(folder)
      fs.writeFileSync(path.join(folder, program), "#!/bin/sh\n", { mode: 0o644 })
    }
    mode(secret, 0o000)
    const env = { PATH: [secret, open, at.env["PATH"]].join(":") }
    const { findings } = document(say(at, ["doctor", "--json"], env).stdout)
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: "PATH",
        state: "warn",
        text: `not readable: ${secret}`,
        hint: expect.any(String)
      })
    )
    const said = JSON.stringify(findings)
    expect(said).not.toContain(`${secret}/claude is not executable`)
    expect(said).toContain(`${open}/codex is not executable`)
    at.file("agents.json", {
      tools: { other: { command: ["otherwise"], output: "text" } },
      agents: [{ role: "custom", directory: ".", task: "x", tool: "other" }]
    })
    const ran = say(at, ["orchestrator", "run", "agents.json"], env)
    expect(ran.code).toBe(6)
    expect(ran.stderr).toContain(`otherwise is not on PATH (not readable: ${secret})`)
  })
})
