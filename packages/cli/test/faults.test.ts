/**
 * Twenty faults of the field, and variations of each family. After every one: the exit code and class that are promised, no
 * process left, databases whole, no stack trace.
 *
 * Variations: F01 cut at every byte, an empty file, a lone brace; F02 in an agent and in the settings; F04 gone while the
 * others are there, a folder for a program; F05 a large prompt, nobody reads it; F06 every way of leaving the group; F07 exit 1,
 * a signal, a quoted terminal event, a cut one; F08 with denials, with text; F09 bad UTF-8, CRLF, no last newline; F11 on
 * stderr, one endless line; F12 the same in words; F13 twice in a row; F14 of a run that has ended; F15 other ids, absolute ones;
 * F16 more operators; F18 an empty file, a folder; F20 TERM, HUP, and twice.
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import { escapeeKinds, type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import Driver from "better-sqlite3"
import { describe, expect, it } from "vitest"
import { at, bin, document, type Ended, type Home, harmful, homes, isRecord } from "./harness.js"

const home = homes()
const run = ["orchestrator", "run", "agents.json"]

const started = { do: "print", line: { type: "started", sessionId: "s1" } } as const
const said = (text: string) => ({ do: "print", line: { type: "message", text } }) as const
const done = (text = "ok") => ({ do: "print", line: { type: "result", ok: true, text } }) as const

let count = 0
const tool = async (one: Home, steps: Scenario, output = "events") => ({
  command: [await writeAgent(one.root, steps, `agent-${++count}`)],
  output
})
const agent = (tool: string, more: object = {}) => ({ role: "custom", directory: ".", task: "go", tool, ...more })

/** The side conditions of every fault. */
const sound = async (one: Home, ended?: Ended) => {
  if (ended !== undefined) expect(ended.stdout + ended.stderr).not.toMatch(/^\s+at .+:\d+:\d+/m)
  expect(await Census.survivors({ env: `CONTEXTFS_DATA_DIR=${one.dataDir}` })).toEqual([])
  for (const name of ["orchestrator.db", "memory.db"]) {
    const file = path.join(one.dataDir, name)
    if (!fs.existsSync(file)) continue
    const db = new Driver(file, { readonly: true })
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok")
    db.close()
  }
}

/** Runs the configuration with --json; its result, once all side conditions hold. */
const outcome = async (one: Home, config: unknown, args: ReadonlyArray<string> = []) => {
  one.file("agents.json", config)
  const ended = await one.contextfs([...run, "--json", ...args])
  await sound(one, ended)
  const told = document(ended.stdout)
  const result = isRecord(told["result"]) ? told["result"] : told
  const results = Array.isArray(result["results"]) ? result["results"] : []
  return { ...ended, told, results, first: results[0] }
}

describe("few descriptors", () => {
  it.each([20, 24, 40])("with at most %i one line names the limit, whatever was to be opened", async (most) => {
    const one = home()
    one.file("agents.json", { agents: [agent("mock")] })
    const script = `ulimit -n ${most}; exec "$@"`
    for (const format of [[], ["--json"]]) {
      const ended = spawnSync("sh", ["-c", script, "sh", process.execPath, bin, ...run, ...format], {
        cwd: one.work,
        env: one.env,
        encoding: "utf8"
      })
      expect(ended.status).toBe(6)
      const line = new RegExp(`only ${most} files may be open at once.+ulimit -n`)
      expect(ended.stdout + ended.stderr).toMatch(line)
      expect((ended.stdout + ended.stderr).trim().split("\n")).toHaveLength(1)
    }
  })
})

it("an agent that removes its own output: the result and the logs say that it is gone", async () => {
  const one = home()
  const script = 'here=$(dirname "$(readlink /proc/$$/fd/1)"); echo said; rm "$here/stdout"; mkfifo "$here/stdout"'
  one.file("agents.json", single({ t: { command: ["/bin/sh", "-c", script] } }))
  const ended = await one.contextfs(run)
  expect(ended.stdout).toMatch(/warning {2}the output of this attempt is gone: \S+\/stdout was removed/)
  const [id = ""] = fs.readdirSync(path.join(one.dataDir, "runs"))
  const logs = await one.contextfs(["orchestrator", "logs", id])
  expect(logs.stdout).toMatch(/completed after .+ – its output is not there any more: \S+\/stdout\n$/)
  const lines = await one.contextfs(["orchestrator", "logs", id, "--json"])
  expect(document(lines.stdout.split("\n")[0] ?? "")).toMatchObject({ status: "completed", outputGone: true })
  await sound(one)
})

const single = (tools: object, more: object = {}) => ({ retries: 0, grace: 1, tools, agents: [agent("t")], ...more })

/** An error before anything starts: nothing is made. */
const refused = async (one: Home, args: ReadonlyArray<string>, code: number, cls: string) => {
  const ended = await one.contextfs(args)
  expect([ended.code, ended.stderr.split("\n", 1)[0]]).toEqual([code, expect.stringContaining(`error[${cls}]`)])
  await sound(one, ended)
  return ended
}

const waitFor = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const runIdOf = (one: Home): string => {
  const db = new Driver(path.join(one.dataDir, "orchestrator.db"), { readonly: true })
  try {
    return String(db.prepare("SELECT id FROM runs ORDER BY created_at DESC").pluck().get())
  } finally {
    db.close()
  }
}

describe("F01 a configuration cut in the middle", () => {
  it("is 3 with line and column, wherever it is cut; nothing is made", async () => {
    const one = home()
    const whole = JSON.stringify({ workers: 2, agents: [agent("mock")] }, null, 1)
    for (const end of [0, 1, 2, Math.floor(whole.length / 3), Math.floor(whole.length / 2), whole.length - 1]) {
      one.file("agents.json", whole.slice(0, end))
      const ended = await refused(one, run, 3, "ConfigError")
      expect(ended.stderr).toMatch(/agents\.json:\d+:\d+/)
    }
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })
})

describe("F02 many faults at once", () => {
  it("are all told, with path and suggestion", async () => {
    const one = home()
    one.file("agents.json", {
      workers: "3",
      tiemout: 5,
      timeout: -1,
      agents: [{ ...agent("mock"), rloe: "x", idleTimeout: -3 }]
    })
    const { stderr } = await refused(one, run, 3, "ConfigError")
    for (const text of ["workers", "tiemout", "timeout", "did you mean", "agents[0].rloe", "agents[0].idleTimeout"])
      expect(stderr).toContain(text)
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })
})

describe("F03 impossible numbers", () => {
  it.each(["0", "-1", "1.5", "1e9", "NaN", "Infinity", "3x", ""])(
    "workers %s: 2 as a flag, 3 in a file",
    async (value) => {
      const one = home()
      one.file("agents.json", [agent("mock")])
      expect((await refused(one, [...run, "--workers", value], 2, "UsageError")).stderr).toContain("256")
      one.file(
        "agents.json",
        `{"workers": ${value === "" ? '""' : value}, "agents": [${JSON.stringify(agent("mock"))}]}`
      )
      await refused(one, run, 3, "ConfigError")
    }
  )
})

describe("F04 a program that cannot be started", () => {
  it("is 6 before anything starts: not there, not executable, a folder", async () => {
    const one = home()
    const plain = one.file("plain", "#!/bin/sh\n")
    for (const command of [["no-such-program"], [plain], [one.work]]) {
      one.file("agents.json", { tools: { t: { command } }, agents: [agent("mock"), agent("t")] })
      const { stderr } = await refused(one, run, 6, "AgentUnavailable")
      expect(stderr).toContain(command[0])
      expect(fs.existsSync(path.join(one.dataDir, "runs"))).toBe(false)
    }
  })
})

describe("F05 and F10 the prompt", () => {
  const nasty = `${"line \"x\" 'y' $(touch evil) `z` \\n é 👩‍💻\n".repeat(5_000)}end`
  it.each([
    ["short", "do it"],
    ["of 200 KiB with quotes, shell words and emoji", nasty]
  ])("%s reaches an agent that reads to the end, whole, and no command line", async (_, task) => {
    const one = home()
    const report = path.join(one.root, "stdin.json")
    const t = await tool(one, [{ do: "stdin", file: report }, started, done()])
    fs.writeFileSync(path.join(one.work, "task.txt"), task)
    const { code, first } = await outcome(
      one,
      single({ t }, { agents: [{ role: "custom", directory: ".", taskFile: "task.txt", tool: "t" }] })
    )
    expect([code, at(first, "status")]).toEqual([0, "completed"])
    const folder = String(at(first, "evidence", "folder"))
    const prompt = fs.existsSync(path.join(folder, "prompt")) ? fs.readFileSync(path.join(folder, "prompt")) : null
    const heard: unknown = JSON.parse(fs.readFileSync(report, "utf8"))
    expect(Number(at(heard, "bytes"))).toBeGreaterThanOrEqual(Buffer.byteLength(task))
    if (prompt !== null) expect(at(heard, "sha256")).toBe(createHash("sha256").update(prompt).digest("hex"))
    expect(fs.existsSync(path.join(one.work, "evil"))).toBe(false)
  })

  it("may be left unread", async () => {
    const one = home()
    const { code } = await outcome(
      one,
      single({ t: await tool(one, [started, done()]) }, { agents: [agent("t", { task: nasty })] })
    )
    expect(code).toBe(0)
  })
})

describe("F06 an agent that will not leave", () => {
  it.each(escapeeKinds)("and a child of the kind %s are gone after the time-out and the grace", async (kind) => {
    const one = home()
    const census = path.join(one.root, "census")
    const steps: Scenario = [
      { do: "ignore", signals: ["SIGTERM", "SIGINT", "SIGHUP"] },
      started,
      { do: "escape", kind, count: 2, census },
      { do: "delay", ms: 600_000 }
    ]
    const { code, first } = await outcome(one, single({ t: await tool(one, steps) }, { timeout: 2 }))
    expect([code, at(first, "status"), at(first, "reason")]).toEqual([1, "timeout", "JobTimeout"])
    expect(await Census.survivors({ folder: census })).toEqual([])
  })
})

describe("F07 and F08 a failure that looks like success", () => {
  const prose = said("Everything is done and all tests pass.")
  const terminal = JSON.stringify({ type: "result", ok: true, text: "ok" })
  const cases: ReadonlyArray<readonly [string, Scenario, string]> = [
    ["prose and exit 0", [started, prose], "AgentProtocol"],
    ["prose and exit 1", [started, prose, { do: "exit", code: 1 }], "AgentExit"],
    ["prose and a signal", [started, prose, { do: "kill", signal: "SIGKILL" }], "AgentSignal"],
    ["a terminal event in a message", [started, said(terminal)], "AgentProtocol"],
    ["a terminal event that is cut", [started, prose, { do: "write", text: terminal.slice(0, -1) }], "AgentProtocol"],
    [
      "an error event and exit 0",
      [
        started,
        prose,
        { do: "print", line: { type: "result", ok: false, text: "fine", error: { class: "other", message: "boom" } } }
      ],
      "AgentReported"
    ],
    ["success without a word", [started, { do: "print", line: { type: "result", ok: true } }], "EmptyResult"]
  ]
  it.each(cases)("%s is a failure", async (_, steps, reason) => {
    const one = home()
    const { code, first } = await outcome(one, single({ t: await tool(one, steps) }))
    expect([code, at(first, "status"), at(first, "reason")]).toEqual([1, "failed", reason])
    // What it said is kept.
    if (steps.includes(prose))
      expect(fs.readFileSync(path.join(String(at(first, "evidence", "folder")), "stdout"), "utf8")).toContain(
        "all tests pass"
      )
  })

  it("claude's subtype success with is_error is one too", async () => {
    const one = home()
    const line = { type: "result", subtype: "success", is_error: true, result: "API Error: boom", session_id: "s" }
    const { command } = await tool(one, [{ do: "print", line }])
    const { code, first } = await outcome(one, single({ t: { adapter: "claude", command } }))
    expect([code, at(first, "reason")]).toEqual([1, "AgentReported"])
  })
})

describe("F09 noise", () => {
  it("on either stream changes nothing but its count", async () => {
    const one = home()
    const steps: Scenario = [
      started,
      { do: "repeat", times: 500, steps: [{ do: "print", line: "warning: x", to: "stderr" }] },
      { do: "write", text: "\n\nplain\r\n{]\n" },
      { do: "write", base64: Buffer.from([0xff, 0xfe, 0x00, 0x0a]).toString("base64") },
      said("hello"),
      { do: "write", text: '{"type":"result","ok":true,"text":"ok"}' }
    ]
    const { code, first } = await outcome(one, single({ t: await tool(one, steps) }))
    expect([code, at(first, "status"), at(first, "evidence", "noise")]).toEqual([0, "completed", 3])
    const folder = String(at(first, "evidence", "folder"))
    expect(fs.readFileSync(path.join(folder, "stderr"), "utf8").split("\n")).toHaveLength(501)
    expect(fs.readFileSync(path.join(folder, "stdout"), "utf8")).not.toContain("warning")
  })
})

describe("F11 a flood", () => {
  it.each([
    ["stdout", 128],
    ["stderr", 128],
    ["stdout", 0]
  ] as const)("on %s in lines of %i bytes is cut at its limit; head and tail are kept", async (to, lineLength) => {
    const one = home()
    const steps: Scenario = [
      started,
      { do: "flood", bytes: 256 * 1024 * 1024, lineLength, to },
      { do: "delay", ms: 600_000 }
    ]
    const { code, first } = await outcome(one, single({ t: await tool(one, steps) }, { maxOutput: 1024 * 1024 }))
    expect([code, at(first, "reason")]).toEqual([1, "OutputLimit"])
    const folder = String(at(first, "evidence", "folder"))
    const sizes = ["stdout", "stderr"].map((name) => fs.statSync(path.join(folder, name)).size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2 * 1024 * 1024)
  })
})

describe("F12 a usage limit", () => {
  it.each([
    ["as data", { resetsAt: Date.now() + 7_200_000 }],
    ["in words", { message: "You've hit your usage limit, try again in 2 hours" }]
  ])(
    "told %s parks the tool; with --no-wait the exit is 7, nothing is charged, the other tool goes on",
    async (_, more) => {
      const one = home()
      const error = { class: "quota", message: "usage limit reached", ...more }
      const t = await tool(one, [started, { do: "print", line: { type: "result", ok: false, error } }])
      const agents = [...Array.from({ length: 10 }, () => agent("t")), agent("mock")]
      const { code, results } = await outcome(one, { retries: 0, workers: 1, tools: { t }, agents }, ["--no-wait"])
      expect([code, results.map((each) => [at(each, "tool"), at(each, "status")])]).toEqual([
        7,
        [["mock", "completed"]]
      ])
      const db = new Driver(path.join(one.dataDir, "orchestrator.db"), { readonly: true })
      expect(db.prepare("SELECT count(*), sum(charged) FROM attempts WHERE reason IS NOT NULL").raw().get()).toEqual([
        1, 0
      ])
      expect(db.prepare("SELECT sum(charged) FROM jobs WHERE tool = 't'").pluck().get()).toBe(0)
      db.close()
    }
  )
})

describe("F13 and F14 a run whose orchestrator was killed", () => {
  it("goes on, as often as it is killed; two that go on at once are one, and what was done is not done again", async () => {
    const one = home()
    const starts = path.join(one.root, "starts")
    const open = path.join(one.root, "open")
    const script = path.join(one.root, "counted.sh")
    fs.writeFileSync(
      script,
      `#!/bin/sh\nprintf x >> '${starts}'\necho '{"type":"started"}'\n[ $(wc -c < '${starts}') -le 6 ] || until [ -e '${open}' ]; do sleep 0.05; done\necho '{"type":"result","ok":true,"text":"ok"}'\n`,
      { mode: 0o755 }
    )
    one.file("agents.json", {
      workers: 4,
      retries: 0,
      tools: { t: { command: [script], output: "events" } },
      agents: Array.from({ length: 20 }, () => agent("t"))
    })
    const begun = () => fs.statSync(starts, { throwIfNoEntry: false })?.size ?? 0
    const killed = one.start([...run])
    await waitFor(() => begun() >= 10)
    killed.child.kill("SIGKILL")
    await killed.ended
    const id = runIdOf(one)
    const resume = ["orchestrator", "resume", id, "--json"]

    const again = one.start(["orchestrator", "resume", id])
    await waitFor(() => begun() >= 14)
    const other = await one.contextfs(resume)
    expect(other.code).toBe(10)
    expect(other.stdout).toContain(`${again.child.pid}`)
    again.child.kill("SIGKILL")
    await again.ended

    fs.writeFileSync(open, "")
    const ended = await one.contextfs(resume)
    await sound(one, ended)
    const results = at(document(ended.stdout), "results")
    expect([ended.code, Array.isArray(results) ? results.length : 0]).toEqual([0, 20])
    // Each kill cost at most what was at work.
    expect(begun()).toBeLessThanOrEqual(20 + 2 * 4)
    const before = begun()
    expect((await one.contextfs(resume)).code).toBe(0)
    expect(begun()).toBe(before)
  })
})

describe("F15 names that lead outside", () => {
  it("are no ids", async () => {
    const one = home()
    one.file("agents.json", [agent("mock")])
    await one.contextfs(run)
    for (const id of [
      "../../x",
      "/etc/passwd",
      "..",
      "a/b",
      "%2e%2e",
      "a b",
      "x\u0000y".replace("\u0000", ""),
      "x".repeat(300)
    ]) {
      for (const command of ["resume", "cancel", "logs", "status"]) {
        const ended = await one.contextfs(["orchestrator", command, id])
        expect([command, id, [2, 4, 9].includes(ended.code ?? -1)]).toEqual([command, id, true])
        expect(ended.stdout + ended.stderr).not.toContain("root:")
        await sound(one, ended)
      }
    }
  })
})

describe("F16 searches", () => {
  it.each([
    '"',
    "NEAR(",
    "a-b",
    "col:x",
    "*",
    "don't",
    " ",
    "AND OR NOT",
    "{x}^2",
    "'; DROP TABLE memories; --",
    `${"long ".repeat(2_000)}`
  ])("for %j find or do not, and are never an SQL error", async (query) => {
    const one = home()
    await one.contextfs(["memory", "save", "we don't use a-b here", "--type", "fact"])
    const ended = await one.contextfs(["memory", "search", "--json", "--", query])
    expect([0, 2]).toContain(ended.code)
    expect(ended.stdout + ended.stderr).not.toMatch(/fts5|syntax error|SQLITE/i)
    await sound(one, ended)
  })
})

describe("F17 many writers beside a reader", () => {
  it("none is refused for a lock, and none of what they wrote is missing", async () => {
    const one = home()
    const monitor = one.start(["orchestrator", "monitor", "-i", "1"])
    const ended = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        one.contextfs(["memory", "save", `fact number ${index}`, "--type", "fact"])
      )
    )
    expect(ended.map(({ code }) => code)).toEqual(Array(16).fill(0))
    expect(monitor.child.exitCode).toBeNull()
    monitor.child.kill("SIGINT")
    await monitor.ended
    const db = new Driver(path.join(one.dataDir, "memory.db"), { readonly: true })
    expect(db.prepare("SELECT count(*) FROM memories").pluck().get()).toBe(16)
    db.close()
    await sound(one)
  })
})

describe("F18 a data folder that is not ours to use", () => {
  it.each([
    ["garbage", (file: string) => fs.writeFileSync(file, "this is no database, it is a letter\n".repeat(200))],
    [
      "of a later version",
      (file: string) => {
        const db = new Driver(file)
        db.pragma("user_version = 9999")
        db.close()
      }
    ],
    ["a folder", (file: string) => fs.mkdirSync(file)]
  ])("%s is 5 and left as it is", async (_, make) => {
    for (const name of ["orchestrator.db", "memory.db"]) {
      const one = home()
      fs.mkdirSync(one.dataDir, { mode: 0o700 })
      const file = path.join(one.dataDir, name)
      make(file)
      const before = fs.statSync(file).isFile() ? fs.readFileSync(file) : null
      one.file("agents.json", [agent("mock")])
      const ended = await one.contextfs(run)
      expect([ended.code, ended.stderr]).toEqual([5, expect.stringMatching(/^error\[StorageError\]: .+ – .+/)])
      expect(ended.stderr).not.toMatch(/^\s+at .+:\d+:\d+/m)
      if (before !== null) expect(fs.readFileSync(file).equals(before)).toBe(true)
    }
  })
})

describe("F18 a data folder that goes away under a run", () => {
  const waits = async (one: Home) => {
    const gate = path.join(one.root, "gate")
    one.file("agents.json", single({ t: await tool(one, [started, { do: "await", path: gate }, done()]) }))
    const running = one.start(run)
    await waitFor(() => fs.existsSync(path.join(one.dataDir, "orchestrator.db")) && runningIn(one))
    return { running, gate }
  }
  const runningIn = (one: Home) => {
    const db = new Driver(path.join(one.dataDir, "orchestrator.db"), { readonly: true })
    try {
      return db.prepare("SELECT count(*) FROM attempts WHERE pid IS NOT NULL").pluck().get() === 1
    } catch {
      return false
    } finally {
      db.close()
    }
  }

  it.each([
    ["the folder", (dataDir: string) => fs.rmSync(dataDir, { recursive: true })],
    ["the journal", (dataDir: string) => fs.rmSync(path.join(dataDir, "orchestrator.db"))]
  ])("%s is 5, and nothing is called completed", async (_, lose) => {
    const one = home()
    const { gate, running } = await waits(one)
    lose(one.dataDir)
    fs.writeFileSync(gate, "")
    const ended = await running.ended
    expect([ended.code, ended.stderr]).toEqual([
      5,
      expect.stringMatching(/^error\[StorageError\]: .*orchestrator\.db: it was deleted while it was in use.* – .+/m)
    ])
    expect(ended.stdout).not.toContain("completed")
    expect(await Census.survivors({ env: `CONTEXTFS_DATA_DIR=${one.dataDir}` })).toEqual([])
    expect(ended.stdout + ended.stderr).not.toMatch(/^\s+at .+:\d+:\d+/m)
  })

  it("the memory alone: what the agent did is kept, and it says that its outcome was not saved", async () => {
    const one = home()
    const { gate, running } = await waits(one)
    fs.rmSync(path.join(one.dataDir, "memory.db"))
    fs.writeFileSync(gate, "")
    const ended = await running.ended
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/memory\.db: it was deleted/)
  })
})

describe("F19 a text that speaks to the terminal", () => {
  it("is shown inert, live and in the logs", async () => {
    const one = home()
    const evil = "a\u001b[2Jb\u001b]52;c;ZXZpbA==\u0007c\u001b]8;;http://127.0.0.1\u001b\\d\u0007\rOVERWRITTEN\u009b31m"
    one.file("agents.json", single({ t: await tool(one, [started, said(evil), done(evil)]) }))
    const ended = await one.contextfs(run)
    expect(ended.code).toBe(0)
    expect(ended.stdout + ended.stderr).not.toMatch(harmful)
    const logs = await one.contextfs(["orchestrator", "logs", `${runIdOf(one)}-1`])
    expect(logs.stdout).toContain("OVERWRITTEN")
    expect(logs.stdout + logs.stderr).not.toMatch(harmful)
    await sound(one, ended)
  })
})

describe("F20 a signal in the middle", () => {
  it.each([
    [["SIGINT"], 130],
    [["SIGTERM"], 143],
    [["SIGHUP"], 129],
    [["SIGINT", "SIGINT"], 130]
  ] as const)("%s ends the agents and leaves a run to go on with", async (signals, code) => {
    const one = home()
    const gate = path.join(one.root, "gate")
    const script = path.join(one.root, "gated.sh")
    fs.writeFileSync(
      script,
      `#!/bin/sh\necho '{"type":"started"}'\necho '{"type":"message","text":"at work"}'\n[ -e '${gate}' ] || sleep 600\necho '{"type":"result","ok":true,"text":"ok"}'\n`,
      { mode: 0o755 }
    )
    one.file(
      "agents.json",
      single(
        { t: { command: [script], output: "events" } },
        { workers: 2, agents: [agent("t"), agent("t"), agent("t")] }
      )
    )
    const running = one.start(run)
    await running.seen("at work", 2)
    for (const signal of signals) running.child.kill(signal)
    const ended = await running.ended
    expect(ended.code).toBe(code)
    const id = runIdOf(one)
    expect(ended.stdout).toContain(`contextfs orchestrator resume ${id}`)
    await sound(one, ended)
    fs.writeFileSync(gate, "")
    const again = await one.contextfs(["orchestrator", "resume", id, "--json"])
    expect(again.code).toBe(0)
    expect(document(again.stdout)).toMatchObject({ status: "completed" })
    await sound(one, again)
  })
})

describe("a machine that has not enough", () => {
  it("of descriptors holds the agents back, charges nothing, and starts them when it has", async () => {
    const one = home()
    const gate = path.join(one.root, "gate")
    const t = await tool(one, [started, said("at work"), { do: "await", path: gate, timeoutMs: 600_000 }, done()])
    one.file("agents.json", single({ t }, { workers: 1, agents: [agent("t"), agent("t")] }))
    const running = one.start(run)
    await running.seen("at work")
    const limit = (soft: string) => spawnSync("prlimit", ["--pid", `${running.child.pid}`, `--nofile=${soft}:`])
    expect(limit("45").status).toBe(0)
    fs.writeFileSync(gate, "")
    await running.seen("file descriptors are left")
    expect(attempts(one)).toEqual([
      [1, 1],
      [0, 0]
    ])
    limit("1024")
    const ended = await running.ended
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/only \d+ file descriptors are left[\s\S]*there is room again[\s\S]*2 of 2 completed/)
    expect(attempts(one)).toEqual([
      [1, 1],
      [1, 1]
    ])
    await sound(one, ended)
  })

  const mounts = spawnSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).status === 0
  if (!mounts) console.log("not tried: a full disk, for this user may not mount one of its own")
  it("of disk does the same", async () => {
    const one = home()
    const t = await tool(one, [started, done()])
    one.file("agents.json", single({ t }))
    if (!mounts) return expect(mounts).toBe(false)
    fs.mkdirSync(one.dataDir, { mode: 0o700 })
    const script = `mount -t tmpfs -o size=64m,mode=0700 none "$1"; shift
      log=$1; shift
      "$@" >"$log" 2>&1 & pid=$!
      until grep -q "free on the disk" "$log"; do kill -0 $pid || exit 90; sleep 0.1; done
      mount -o remount,size=1g "$CONTEXTFS_DATA_DIR"
      wait $pid`
    const log = path.join(one.root, "log")
    const shell = spawn("unshare", ["-m", "sh", "-c", script, "sh", one.dataDir, log, process.execPath, bin, ...run], {
      cwd: one.work,
      env: one.env,
      stdio: "ignore"
    })
    const code = await new Promise<number | null>((resolve) => shell.on("close", resolve))
    expect([code, fs.readFileSync(log, "utf8")]).toEqual([
      0,
      expect.stringMatching(/only \d+ MiB are free[\s\S]*1 of 1 completed/)
    ])
  })
})

const attempts = (one: Home) => {
  const db = new Driver(path.join(one.dataDir, "orchestrator.db"), { readonly: true })
  try {
    return db.prepare("SELECT attempts, charged FROM jobs ORDER BY number").raw().all()
  } finally {
    db.close()
  }
}

describe("a run with a time of its own", () => {
  it("ends with 8 when it is up, its agents gone, and goes on later", async () => {
    const one = home()
    const gate = path.join(one.root, "gate")
    const t = await tool(one, [started, { do: "await", path: gate, timeoutMs: 600_000 }, done()])
    one.file("agents.json", single({ t }))
    const ended = await one.contextfs([...run, "--run-timeout", "3", "--json"])
    expect(ended.code).toBe(8)
    await sound(one, ended)
    fs.writeFileSync(gate, "")
    const again = await one.contextfs(["orchestrator", "resume", runIdOf(one), "--run-timeout", "60", "--json"])
    expect(again.code).toBe(0)
    await sound(one, again)
  })
})
