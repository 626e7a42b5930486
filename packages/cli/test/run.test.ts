import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import { describe, expect, it } from "vitest"
import { at, bin, document, evil, type Home, harmful, homes, isRecord, random } from "./harness.js"

const home = homes()
const run = ["orchestrator", "run", "agents.json"]
const agent = (more: object = {}) => ({ role: "custom", directory: ".", task: "do it", ...more })

/** A tool of the configuration that plays a scenario; `events`: in our own event lines. */
const tool = async ({ root }: Home, steps: Scenario, output = "text", name = "agent") => ({
  command: [await writeAgent(root, steps, name)],
  output
})

const print = (line: unknown) => ({ do: "print", line }) as const

describe("run", () => {
  it("tells what happens in lines, then what it came to; exit 0", async () => {
    const at = home()
    at.file("agents.json", [
      agent({ role: "code", task: 'Choose.\nmock: save decision "We store sessions in cookies"' }),
      agent({ role: "test", task: 'mock: wait-for "sessions cookies"' })
    ])
    const ended = await at.contextfs([...run, "-t", "mock", "-p", "shop"])
    expect(ended, ended.stderr).toMatchObject({ code: 0, stderr: "" })
    expect(ended.stdout).not.toMatch(harmful)
    expect(ended.stdout).toMatch(/^run [a-z0-9]{8} · project shop · 2 agents · 2 workers · containment \S+\n/)
    for (const text of [
      "code-1  started",
      "→ contextfs_save decision We store",
      "test-1  completed",
      "2 of 2 completed"
    ]) {
      expect(ended.stdout).toContain(text)
    }
    const findings = await at.contextfs(["orchestrator", "findings", "-p", "shop"])
    expect(findings.stdout).toMatch(/decision +code +\S+ \S+ +code-agent +We store sessions in cookies/)
  })

  it("some not completed: exit 1, with the reason, the error and the place of the log", async () => {
    const at = home()
    const broken = await tool(at, [print("half done"), { do: "exit", code: 3 }])
    at.file("agents.json", {
      retries: 0,
      tools: { broken },
      agents: [agent({ tool: "broken" }), agent({ tool: "mock" })]
    })
    const ended = await at.contextfs(run)
    expect(ended).toMatchObject({ code: 1, stderr: "" })
    expect(ended.stdout).toMatch(/custom-1 +failed +.*AgentExit: exit code 3/)
    expect(ended.stdout).toContain("1 of 2 completed")
    const folder = / {2}logs +(\S+)/.exec(ended.stdout)?.[1] ?? ""
    expect(fs.readFileSync(`${folder}/stdout`, "utf8")).toBe("half done\n")
  })

  it("--json is one document and nothing else, however it ends", async () => {
    const one = home()
    const broken = await tool(one, [{ do: "exit", code: 3 }])
    one.file("agents.json", {
      retries: 0,
      tools: { broken },
      agents: [agent({ tool: "mock" }), agent({ tool: "broken" })]
    })
    const ended = await one.contextfs([...run, "--json"])
    expect(ended).toMatchObject({ code: 1, stderr: "" })
    const result = document(ended.stdout)
    expect(result).toMatchObject({ status: "failed", results: [{ status: "completed" }, { reason: "AgentExit" }] })
  })

  it("--jsonl is one document a line: run, jobs, the result last", async () => {
    const one = home()
    one.file("agents.json", [agent({ tool: "mock" })])
    const ended = await one.contextfs([...run, "--jsonl"])
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    const events = ended.stdout.trimEnd().split("\n").map(document)
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["runStarted", "jobStarted", "agentEvent", "jobEnded", "runEnded"])
    )
    expect(events.at(-1)).toMatchObject({ kind: "result", result: { status: "completed" } })
  })

  it.each(["--json", "--jsonl"])("%s | head -c 10 harms nobody", async (format) => {
    const one = home()
    one.file("agents.json", [agent({ tool: "mock" })])
    const child = spawn(
      "sh",
      ["-c", `{ "$0" "$@"; echo "code $?" >&2; } | head -c 10`, process.execPath, bin, ...run, format],
      { cwd: one.work, env: one.env, stdio: ["ignore", "pipe", "pipe"] }
    )
    let shown = ""
    let complaints = ""
    child.stdout.on("data", (chunk) => (shown += chunk))
    child.stderr.on("data", (chunk) => (complaints += chunk))
    await new Promise((resolve) => child.on("close", resolve))
    expect(shown).toHaveLength(10)
    expect(complaints).toBe("code 0\n")
  })

  it("spawn --wait is a run of one", async () => {
    const one = home()
    const ended = await one.contextfs(["orchestrator", "spawn", "docs", ".", "Write it", "-w", "-t", "mock", "--json"])
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(document(ended.stdout)).toMatchObject({ results: [{ agentId: "docs-1", status: "completed" }] })
  })

  it("the option wins over the variable, the variable over the file", async () => {
    const one = home()
    one.file("agents.json", { project: "inFile", agents: [agent({ tool: "mock" })] })
    const projectOf = async (args: ReadonlyArray<string>, env = {}) =>
      document((await one.contextfs([...run, "--json", ...args], { env })).stdout)["project"]
    expect(await projectOf([])).toBe("inFile")
    expect(await projectOf([], { CONTEXTFS_PROJECT: "fromEnv" })).toBe("fromEnv")
    expect(await projectOf(["-p", "given"], { CONTEXTFS_PROJECT: "fromEnv" })).toBe("given")
  })

  it("findings and errors are what agents saved, and not what the user did", async () => {
    const one = home()
    one.file("agents.json", [agent({ task: 'mock: save error "The build broke"', role: "debug" })])
    await one.contextfs([...run, "-t", "mock"])
    for (const type of ["error", "fact"])
      await one.contextfs(["memory", "save", `The user's own ${type}`, "--type", type])
    const contents = async (...args: ReadonlyArray<string>) => {
      const memories = at(document((await one.contextfs(["orchestrator", ...args, "--json"])).stdout), "memories")
      if (!Array.isArray(memories)) throw new Error("no list")
      return memories.map((memory: unknown) => (isRecord(memory) ? String(memory["content"]).split("\n")[0] : ""))
    }
    expect(await contents("errors")).toContain("The build broke")
    expect(await contents("findings")).toContain("The build broke")
    expect((await contents("findings")).join()).not.toContain("The user's own")
    expect((await contents("errors")).join()).not.toContain("The user's own")
    expect(await contents("findings", "--role", "review")).toEqual([])
    expect(await contents("findings", "--limit", "1")).toHaveLength(1)
  })

  it("findings and errors of a run: what it saved, also where another one had said it before, once", async () => {
    const one = home()
    one.file("agents.json", [agent({ task: 'mock: save error "The build broke"', role: "debug" })])
    const ran = async (project: string) =>
      String(document((await one.contextfs([...run, "-t", "mock", "-p", project, "--json"])).stdout)["runId"])
    const [first, second, elsewhere] = [await ran("shop"), await ran("shop"), await ran("other")]
    const found = async (...args: ReadonlyArray<string>) => {
      const told = document((await one.contextfs(["orchestrator", "errors", "--json", ...args])).stdout)
      const memories = told["memories"]
      if (!Array.isArray(memories)) throw new Error("no list")
      return memories.flatMap((memory: unknown) =>
        at(memory, "content") === "The build broke"
          ? [[at(memory, "savedBy", "runId"), at(memory, "savedBy", "role")]]
          : []
      )
    }
    expect(await found("-p", "shop")).toEqual([[second, "debug"]])
    for (const runId of [first, second, elsewhere]) expect(await found("--run", runId)).toEqual([[runId, "debug"]])
    expect(await found("--run", first, "-p", "other")).toEqual([])
  })
})

describe("nothing an agent prints controls the terminal", () => {
  const source = random(6)
  const texts = Array.from({ length: 60 }, () => evil(source))
  const of = (index: number) => texts[index % texts.length] ?? ""

  const hostile = async (at: Home) => {
    const lines = texts.flatMap((_, index) => [
      print({ type: "message", text: of(index) }),
      print({
        type: "tool_call",
        id: `${index}`,
        name: of(index + 1),
        input: { command: of(index + 2), [of(index)]: 1 }
      }),
      print({
        type: "tool_result",
        id: `${index}`,
        name: of(index + 3),
        ok: false,
        denied: true,
        message: of(index + 4)
      }),
      print({ type: "limit", class: "server", message: of(index + 5), attempt: 1 })
    ])
    const steps: Scenario = [
      print({ type: "started", sessionId: of(1), model: of(2) }),
      ...lines,
      { do: "write", text: texts.join("") },
      { do: "write", text: texts.join(""), to: "stderr" },
      { do: "write", text: "\n" }
    ]
    const fine = await tool(
      at,
      [
        ...steps,
        print({ type: "result", ok: true, text: `x${texts.join("\n")}`, denials: [{ tool: of(3), message: of(4) }] })
      ],
      "events",
      "fine"
    )
    const bad = await tool(
      at,
      [...steps, print({ type: "result", ok: false, error: { class: "other", message: texts.join(" ") } })],
      "events",
      "bad"
    )
    const text = await tool(at, [{ do: "write", text: texts.join("\n") }], "text", "text")
    const agents = ["fine", "bad", "text"].map((name) => agent({ tool: name }))
    at.file("agents.json", { retries: 0, tools: { fine, bad, text }, agents })
  }

  it.each([[[]], [["--json"]], [["--jsonl"]]])("run %j", async (format) => {
    const one = home()
    await hostile(one)
    const ended = await one.contextfs([...run, ...format])
    expect(ended.code, ended.stderr).toBe(1)
    expect(ended.stdout).not.toMatch(harmful)
    expect(ended.stderr).not.toMatch(harmful)
    // It did come through: the harmless part is there.
    expect(ended.stdout).toContain("plain text")
  })

  it("memories", async () => {
    const one = home()
    for (const [index, text] of texts.slice(0, 4).entries()) {
      const safe = `${index}${text}`.replaceAll("\u0000", "")
      const saved = await one.contextfs(["memory", "save", `--summary=${safe}`, `--tags=${safe}`, "--json", "--", safe])
      expect(saved.stdout).not.toMatch(harmful)
      expect(saved, saved.stderr).toMatchObject({ code: 0 })
      const id = String(at(document(saved.stdout), "memory", "id"))
      expect((await one.contextfs(["memory", "recall", id])).stdout).not.toMatch(harmful)
    }
    for (const args of [["list"], ["list", "--json"], ["search", "plain text"]]) {
      const ended = await one.contextfs(["memory", ...args])
      expect(ended.stdout).not.toBe("")
      expect(ended.stdout).not.toMatch(harmful)
    }
  })

  it("words of the command line that come back in an error", async () => {
    const one = home()
    for (const text of texts.slice(0, 6).map((text) => text.replaceAll("\u0000", ""))) {
      for (const args of [[`x${text}`], ["orchestrator", "run", `x${text}`], ["orchestrator", "roles", `x${text}`]]) {
        const ended = await one.contextfs(args)
        expect(ended.code).not.toBe(0)
        expect(ended.stderr).toMatch(/^error\[/)
        expect(ended.stderr).not.toMatch(harmful)
        expect(ended.stderr.split("\n")).toHaveLength(2)
      }
    }
  })
})
