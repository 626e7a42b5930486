import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { at, document, harmful, homes } from "./harness.js"

const home = homes()
const dry = ["orchestrator", "run", "agents.yaml", "--dry-run"]

const agents = `tool: mock
timeout: 10 minutes
agents:
  - role: test
    directory: tests
    env: {MY_API_KEY: a-secret-of-mine}
    task: |
      Write tests for session cookies with a-secret-of-mine.
      \\e[31mRed
  - {role: review, directory: ., task: "Look\\u001b[31m at it"}
`

/** Everything below a folder, with contents. */
const below = (folder: string): ReadonlyArray<readonly [string, string]> =>
  fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => path.join(folder, name))
    .map((file) => [file, fs.statSync(file).isFile() ? fs.readFileSync(file, "latin1") : ""])

const prepared = () => {
  const at = home()
  at.file("agents.yaml", agents)
  fs.mkdirSync(path.join(at.work, "tests"))
  return at
}

describe("run --dry-run", () => {
  it("shows plan, prompts, command lines and names of variables; starts nothing, writes nothing", async () => {
    const at = prepared()
    const before = below(at.work)
    const ended = await at.contextfs([...dry, "-w", "2", "-p", "shop", "--retries", "4", "--model", "small"], {
      env: { ANTHROPIC_API_KEY: "another-secret", SOME_TOKEN: "a-third-secret" }
    })
    expect(ended, ended.stderr).toMatchObject({ code: 0, stderr: "" })
    expect(ended.stdout).not.toMatch(harmful)
    for (const text of [
      "dry run: nothing is started, nothing is written",
      "2, 2 at a time",
      "there is none yet",
      `test-1 – test with mock in ${path.join(at.work, "tests")}`,
      "review-1 – review with mock in",
      `program     ${process.execPath}`,
      "permission  exec",
      "permission  read",
      "model       small",
      "time        10 min 0 s, start 2 min 0 s",
      "retries     4",
      "│ You share one memory with the other agents",
      "│ Write tests for session cookies with [redacted: MY_API_KEY].",
      "--mcp-config"
    ]) {
      expect(ended.stdout).toContain(text)
    }
    expect(ended.stdout).toMatch(/variables .*CONTEXTFS_PROJECT .*MY_API_KEY .*PATH/)
    expect(ended.stdout).not.toMatch(/a-secret|another-secret|a-third-secret/)
    expect(fs.existsSync(at.dataDir)).toBe(false)
    expect(below(at.work)).toEqual(before)
  })

  it("--json is the same as one document", async () => {
    const here = prepared()
    const ended = await here.contextfs([...dry, "--json", "--no-memory"])
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    const told = document(ended.stdout)
    expect(told).toMatchObject({ project: "default", workers: 3, memory: "empty", dataDir: here.dataDir })
    expect(at(told, "agents", 0)).toMatchObject({
      agentId: "test-1",
      timeout: 600,
      memory: "none",
      model: null,
      command: [process.execPath, expect.stringMatching(/mockAgent\.js$/)],
      prompt: expect.stringContaining("You have no memory tools")
    })
    expect(at(told, "agents", 0, "variables")).toContain("MY_API_KEY")
    expect(at(told, "agents", 0, "variables")).not.toContain("CONTEXTFS_TOKEN")
    expect(ended.stdout).not.toContain("a-secret")
    expect(fs.existsSync(here.dataDir)).toBe(false)
  })

  it("recalls what the memory holds, and leaves it as it was", async () => {
    const at = prepared()
    expect(await at.contextfs(["memory", "save", "Session cookies are signed"])).toMatchObject({ code: 0 })
    const before = below(at.dataDir)
    const ended = await at.contextfs(dry)
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(ended.stdout).toContain("Session cookies are signed")
    expect(below(at.dataDir)).toEqual(before)
  })

  it("refuses what the run would refuse, with the same words and code", async () => {
    const at = prepared()
    at.file("none.json", [{ role: "code", directory: ".", task: "x", tool: "codex" }])
    at.file("wrong.json", [{ role: "cod", directory: ".", task: "x" }])
    at.file("model.json", [{ role: "code", directory: ".", task: "x", tool: "mock", model: "-x" }])
    for (const [file, code] of [
      ["none.json", 6],
      ["wrong.json", 3],
      ["model.json", 9],
      ["nowhere.json", 4]
    ] as const) {
      const env = { PATH: "/usr/bin:/bin" }
      const real = await at.contextfs(["orchestrator", "run", file], { env })
      const ended = await at.contextfs(["orchestrator", "run", file, "--dry-run"], { env })
      expect(ended).toMatchObject({ code, stdout: "" })
      expect(ended).toEqual(real)
    }
  })
})

describe("permission full", () => {
  it("is refused to root, and said aloud to anybody else", async () => {
    const at = prepared()
    const ended = await at.contextfs([...dry, "--permission", "full"])
    if (process.getuid?.() === 0) {
      expect(ended).toMatchObject({ code: 9, stdout: "" })
      expect(ended.stderr).toMatch(/^error\[PolicyRefused\]: permission "full" is refused as root – .+\n$/)
    } else {
      expect(ended.code).toBe(0)
      expect(ended.stderr).toMatch(/^warning: permission "full": test-1, review-1 may do anything .+\n$/)
    }
  })
})

describe("options that go over the file", () => {
  it("--fail-fast ends the others, with exit 1 and the reason", async () => {
    const here = home()
    here.file("agents.json", [
      { role: "code", directory: ".", task: 'mock: fail "no way"' },
      { role: "code", directory: ".", task: "mock: delay 60s" },
      { role: "code", directory: ".", task: "never" }
    ])
    const run = ["orchestrator", "run", "agents.json", "-t", "mock", "-w", "2", "--retries", "0"]
    const ended = await here.contextfs([...run, "--fail-fast", "--json"])
    expect(ended).toMatchObject({ code: 1, stderr: "" })
    const told = document(ended.stdout)
    expect(at(told, "results", 0)).toMatchObject({ status: "failed", error: expect.stringContaining("no way") })
    for (const index of [1, 2]) {
      expect(at(told, "results", index)).toMatchObject({
        status: "cancelled",
        reason: "JobCancelled",
        error: "cancelled because code-1 did not complete (fail-fast)",
        attempts: 2 - index
      })
    }
  })

  it("spawn takes permission, model, retries and no memory too", async () => {
    const here = home()
    const spawn = ["orchestrator", "spawn", "code", ".", 'mock: fail "no way"', "--wait", "-t", "mock", "--json"]
    const ended = await here.contextfs([
      ...spawn,
      ...["--no-memory", "--retries", "0", "--permission", "read", "--model", "small"]
    ])
    expect(ended).toMatchObject({ code: 1, stderr: "" })
    expect(at(document(ended.stdout), "results", 0)).toMatchObject({ status: "failed", attempts: 1, memory: null })
    expect(document((await here.contextfs(["memory", "list", "--json"])).stdout)).toMatchObject({ memories: [] })
    const refused = await here.contextfs([...spawn, "--model", "-x"])
    expect(refused).toMatchObject({ code: 9 })
  })
})
