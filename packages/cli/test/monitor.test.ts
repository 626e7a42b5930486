import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import Driver from "better-sqlite3"
import { describe, expect, it } from "vitest"
import { at, document, type Home, homes } from "./harness.js"

const home = homes()
const monitor = ["orchestrator", "monitor", "-p", "shop", "--interval", "0.1"]
const writer = fileURLToPath(new URL("./programs/writer.mjs", import.meta.url))

const write = async (one: Home, name: string, count: number): Promise<void> => {
  const child = spawn(process.execPath, [writer, one.dataDir, name, `${count}`], { env: one.env, stdio: "inherit" })
  expect(await once(child, "close")).toEqual([0, null])
}

const sequences = (one: Home, database: string): ReadonlyArray<unknown> => {
  const db = new Driver(path.join(one.dataDir, database), { readonly: true })
  try {
    return db.prepare("SELECT sequence FROM events WHERE project = 'shop' ORDER BY sequence").pluck().all()
  } finally {
    db.close()
  }
}

describe("orchestrator monitor", () => {
  it("16 processes that write: each change of the project once, in its order; Ctrl-C is 130", async () => {
    const one = home()
    const running = one.start([...monitor, "--json"])
    let begun = false
    const ready = running.seen(`{"kind":"memory"`).then(() => {
      begun = true
    })
    for (let n = 0; !begun; n++) await one.contextfs(["memory", "save", `is it looking? ${n}`, "-p", "shop"])
    await ready
    await Promise.all(Array.from({ length: 16 }, (_, n) => write(one, `w${n}`, 15)))
    for (const [kind, database] of [
      ["memory", "memory.db"],
      ["job", "orchestrator.db"]
    ] as const) {
      await running.seen(`{"kind":"${kind}","event":{"sequence":${sequences(one, database).at(-1)},`)
    }
    running.child.kill("SIGINT")
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 130, signal: null, stderr: "" })
    const entries = ended.stdout.trimEnd().split("\n").map(document)
    const shown = (kind: string) =>
      entries.filter((entry) => entry["kind"] === kind).map((entry) => at(entry, "event", "sequence"))
    const memories = sequences(one, "memory.db")
    expect(shown("memory")).toEqual(memories.slice(memories.indexOf(shown("memory")[0])))
    expect(shown("memory").length).toBeGreaterThan(16 * 10)
    expect(shown("job")).toEqual(sequences(one, "orchestrator.db"))
  }, 300_000)

  it("waits where there is nothing yet, and makes nothing", async () => {
    const one = home()
    const running = one.start(monitor)
    await running.seen("there is nothing in")
    expect(fs.existsSync(one.dataDir)).toBe(false)
    await one.contextfs(["memory", "save", "Sessions live in cookies", "-p", "shop"])
    await running.seen("saved fact")
    running.child.kill("SIGINT")
    expect(await running.ended).toMatchObject({
      code: 130,
      stdout: expect.stringMatching(/^\d\d:\d\d:\d\d .*contextfs-cli +saved fact \w+: Sessions live in cookies\n$/),
      stderr: expect.stringMatching(/^monitoring project shop every 0.1 seconds\nthere is nothing in .*\n$/)
    })
  })

  it("--duration ends it with 0, and with --json a line that says how much there was", async () => {
    const one = home()
    await one.contextfs(["memory", "save", "old", "-p", "shop"])
    const before = fs.readFileSync(path.join(one.dataDir, "memory.db"))
    const ended = await one.contextfs([...monitor, "-d", "0.3", "--jsonl"])
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(document(ended.stdout)).toEqual({ kind: "ended", memories: 0, jobs: 0 })
    expect(fs.readFileSync(path.join(one.dataDir, "memory.db")).equals(before)).toBe(true)
    expect(fs.readdirSync(one.dataDir).filter((name) => !name.startsWith("memory.db"))).toEqual([])
  })

  it("ends when nobody reads it any more", async () => {
    const one = home()
    const running = one.start(monitor)
    await running.seen("there is nothing in")
    running.child.stdout?.destroy()
    await one.contextfs(["memory", "save", "unread", "-p", "shop"])
    expect(await running.ended).toMatchObject({ code: 0, signal: null })
  })

  it("begins with what is at work, and shows what comes of it", async () => {
    const one = home()
    one.file("agents.json", [
      { role: "code", directory: ".", task: 'mock: wait-for "go on"\nmock: save decision "We went on"' },
      { role: "docs", directory: ".", task: 'mock: wait-for "go on"' }
    ])
    const run = one.start(["orchestrator", "run", "agents.json", "-p", "shop", "-t", "mock", "-w", "1"])
    await run.seen("contextfs_search go on")
    const running = one.start(monitor)
    await running.seen("1 waiting")
    await one.contextfs(["memory", "save", "now go on", "-p", "shop"])
    expect((await run.ended).code).toBe(0)
    await running.seen("✓ completed", 3)
    running.child.kill("SIGINT")
    const { stdout } = await running.ended
    const lines = stdout.split("\n").map((line) => line.replace(/^\d\d:\d\d:\d\d {2}\w* +/, ""))
    expect(lines[0]).toMatch(/^run +● running for .* · 1 at work · 1 waiting$/)
    expect(lines[1]).toMatch(/^code-1 +● running for /)
    expect(stdout).toMatch(/code-1 +saved decision \w+: We went on/)
    const states = lines.filter((line) => /[●·✓]/.test(line)).map((line) => line.replace(/ +/g, " "))
    expect(states.slice(2)).toEqual([
      expect.stringMatching(/^code-1 ✓ completed after /),
      "docs-1 ● started",
      expect.stringMatching(/^docs-1 ✓ completed after /),
      "run ✓ completed"
    ])
  })

  it("a run that nobody knows is not waited for", async () => {
    const one = home()
    const ended = await one.contextfs(["orchestrator", "monitor", "--run", "nosuch"])
    expect(ended).toMatchObject({ code: 4, stdout: "" })
    expect(ended.stderr).toContain('error[NotFound]: no run "nosuch"')
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })
})
