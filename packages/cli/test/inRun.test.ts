import * as fs from "node:fs"
import * as path from "node:path"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { describe, expect, it } from "vitest"
import { at, bin, document, type Home, homes } from "./harness.js"

const home = homes()
const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
const contextfs = [process.execPath, bin].map(quoted).join(" ")

/** Runs one agent, which is a shell script, and returns the run's result. */
const runScript = async (one: Home, script: string, env: Readonly<Record<string, string>> = {}) => {
  one.file("agents.json", {
    project: "shop",
    retries: 0,
    tools: { script: { command: ["sh", "-c", `cat > prompt.txt\n${script}`] } },
    agents: [{ role: "review", directory: ".", task: "do it", tool: "script", env }]
  })
  const ended = await one.contextfs(["orchestrator", "run", "agents.json", "--json"])
  expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0, stderr: "" })
  return document(ended.stdout)
}

const memories = async (one: Home, ...args: ReadonlyArray<string>) => {
  const list = at(
    document((await one.contextfs(["memory", "list", "-p", "shop", "--json", ...args])).stdout),
    "memories"
  )
  if (!Array.isArray(list)) throw new Error("no list")
  return list
}

describe("contextfs memory in an agent's shell", () => {
  it("acts as the agent, through the run's server, and opens no database", async () => {
    const one = home()
    const loaded = path.join(one.root, "loaded")
    const hook = one.file(
      "hook.cjs",
      `process.on("exit", () => require("node:fs").appendFileSync(${JSON.stringify(loaded)}, Object.keys(require.cache).join("\\n") + "\\n"))`
    )
    const elsewhere = path.join(one.root, "elsewhere")
    const result = await runScript(
      one,
      `${contextfs} memory save "Reviewed: the lock is held too long" --type fact --tags lock --json > save.json &&
       ${contextfs} memory search "lock held" --json > search.json &&
       ${contextfs} memory list > list.txt &&
       id=$(sed 's/.*"id":"\\([a-z0-9]*\\)".*/\\1/' save.json) &&
       ${contextfs} memory recall "$id" > recall.txt`,
      // A database opened by the command itself would be here.
      { CONTEXTFS_DATA_DIR: elsewhere, NODE_OPTIONS: `--require ${hook}` }
    )
    const [saved] = (await memories(one)).filter((memory: unknown) => at(memory, "tags", 0) === "lock")
    expect(saved).toMatchObject({
      content: "Reviewed: the lock is held too long",
      role: "review",
      trust: "agent",
      project: "shop",
      agentId: "review-1",
      runId: result["runId"],
      jobId: at(result, "results", 0, "jobId")
    })
    const id = String(at(saved, "id"))
    for (const file of ["save.json", "search.json", "list.txt", "recall.txt"]) {
      expect(fs.readFileSync(path.join(one.work, file), "utf8"), file).toContain(id)
    }
    // What the agent did in its shell counts as done by it.
    expect(at(result, "results", 0, "memory")).toMatchObject({ searches: 1, recalls: 1, saved: [id] })
    expect(fs.existsSync(elsewhere)).toBe(false)
    const files = fs.readFileSync(loaded, "utf8")
    expect(files).toContain(bin)
    expect(files).not.toContain("better-sqlite3")
  })

  it("keeps to the run's project, and says so; a stale token is refused", async () => {
    const one = home()
    await runScript(
      one,
      `${contextfs} memory save x --project other 2> other.txt; echo $? >> other.txt
       ${contextfs} memory save x --project shop > same.txt
       CONTEXTFS_TOKEN=stale ${contextfs} memory save stale 2> stale.txt; echo $? >> stale.txt`
    )
    const text = (file: string) => fs.readFileSync(path.join(one.work, file), "utf8")
    expect(text("other.txt")).toMatch(/^error\[UsageError\]: --project: inside a run.*\n2\n$/)
    expect(text("same.txt")).not.toBe("")
    expect(text("stale.txt")).toMatch(/^error\[[A-Za-z]+\]: .*\n[1-9]\n$/)
    expect((await memories(one)).filter((memory: unknown) => at(memory, "content") === "stale")).toEqual([])
  })

  it("after the run its door is shut: an error, and no database", async () => {
    const one = home()
    await runScript(one, "env > env.txt")
    const env = Object.fromEntries(
      fs
        .readFileSync(path.join(one.work, "env.txt"), "utf8")
        .split("\n")
        .filter((line) => /^CONTEXTFS_(SOCKET|TOKEN)=/.test(line))
        .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
    )
    expect(Object.keys(env)).toHaveLength(2)
    const ended = await one.contextfs(["memory", "save", "too late"], { env })
    expect(ended).toMatchObject({ code: 5, stdout: "" })
    expect(ended.stderr).toMatch(/^error\[StorageError\]: [^\n]+\n$/)
    expect((await memories(one)).filter((memory: unknown) => at(memory, "content") === "too late")).toEqual([])
  })
})

describe("contextfs mcp", () => {
  const connect = async (one: Home, env = {}) => {
    const client = new Client({ name: "test", version: "1.0.0" })
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [bin, "mcp"],
      env: { ...one.env, ...env },
      cwd: one.work,
      stderr: "pipe"
    })
    await client.connect(transport)
    return client
  }

  it("serves the memory tools and the views of agents to a session of the user's own", async () => {
    const one = home()
    const client = await connect(one, { CONTEXTFS_PROJECT: "shop" })
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    expect(names.filter((name) => !name.startsWith("contextfs_orchestrator_"))).toHaveLength(9)
    expect(names.filter((name) => name.startsWith("contextfs_orchestrator_")).sort()).toEqual(
      ["errors", "findings", "roles", "run", "spawn"].map((name) => `contextfs_orchestrator_${name}`)
    )
    await client.callTool({ name: "contextfs_save", arguments: { content: "We deploy on Mondays", type: "decision" } })
    const found = await client.callTool({ name: "contextfs_search", arguments: { query: "deploy" } })
    expect(JSON.stringify(found)).toContain("We deploy on Mondays")
    await client.close()
    expect((await memories(one))[0]).toMatchObject({ content: "We deploy on Mondays", trust: "user", project: "shop" })
  })

  it("has agents at work in the background for a session of the user's own, and tells how they stand", async () => {
    const one = home()
    const client = await connect(one, { CONTEXTFS_PROJECT: "shop" })
    const asked = await client.callTool({
      name: "contextfs_orchestrator_spawn",
      arguments: { role: "review", directory: ".", task: "Look around", tool: "mock" }
    })
    expect(asked.isError).not.toBe(true)
    const told = JSON.stringify(asked)
    const id = /[a-z0-9]{8}-1/.exec(told)?.[0] ?? ""
    for (let status = ""; status !== "completed"; ) {
      const { structuredContent } = await client.callTool({
        name: "contextfs_orchestrator_run",
        arguments: { ids: [id], wait_seconds: 20 }
      })
      status = /"status":"(\w+)"/.exec(JSON.stringify(structuredContent))?.[1] ?? ""
      expect(status).not.toBe("failed")
    }
    const refused = await client.callTool({
      name: "contextfs_orchestrator_spawn",
      arguments: { role: "review", directory: ".", task: "Look around", tool: "mock", permission: "full" }
    })
    expect(refused.isError).toBe(true)
    await client.close()
    const saved = await memories(one)
    expect(saved.some((memory) => JSON.stringify(memory).includes(id))).toBe(true)
  })

  it("leaves within 2 s of the end of stdin, with every byte on stdout a frame", async () => {
    const one = home()
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } }
    }
    const started = performance.now()
    const ended = await one.contextfs(["mcp"], { input: `${JSON.stringify(initialize)}\n` })
    // With a start on a busy machine in it.
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(ended.stdout.trimEnd().split("\n").map(document)).toMatchObject([{ id: 1, result: expect.anything() }])
  })

  it("inside a run is the agent's bridge, and opens no database", async () => {
    const one = home()
    const client = one.file(
      "client.cjs",
      `const { spawn } = require("node:child_process")
       const child = spawn(process.execPath, [${JSON.stringify(bin)}, "mcp"], { stdio: ["pipe", "pipe", "inherit"] })
       const say = (message) => child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n")
       child.stdout.on("data", (chunk) => {
         process.stdout.write(chunk)
         if (String(chunk).includes('"id":2')) child.stdin.end()
       })
       child.on("close", (code) => console.log("left", code))
       say({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } } })
       say({ method: "notifications/initialized" })
       say({ id: 2, method: "tools/call", params: { name: "contextfs_save", arguments: { content: "Through the bridge" } } })`
    )
    const elsewhere = path.join(one.root, "elsewhere")
    await runScript(one, `${quoted(process.execPath)} ${quoted(client)} > out.txt`, { CONTEXTFS_DATA_DIR: elsewhere })
    expect(fs.readFileSync(path.join(one.work, "out.txt"), "utf8")).toMatch(/left 0\n$/)
    const saved = (await memories(one)).filter((memory: unknown) => at(memory, "content") === "Through the bridge")
    expect(saved).toMatchObject([{ role: "review", trust: "agent", agentId: "review-1" }])
    expect(fs.existsSync(elsewhere)).toBe(false)
  })
})
