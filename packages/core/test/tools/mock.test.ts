import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Prompt from "@contextfs/roles/Prompt"
import type { Role } from "@contextfs/roles/Role"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parseDirectives, parsePrompt } from "../../src/internal/mockTask.js"
import type { AgentEvent } from "../../src/ToolAdapter.js"
import { mock } from "../../src/tools/mock.js"
import * as Verdict from "../../src/Verdict.js"

const roleOf = (name: string): Role => {
  const role = RoleRegistry.builtIn.find((each) => each.name === name)
  if (role === undefined) throw new Error(name)
  return role
}
const [code, review, docs] = [roleOf("code"), roleOf("review"), roleOf("docs")]
const program = mock.command ?? []
const server = fileURLToPath(new URL("./mcpServer.mjs", import.meta.url))
let folder = ""
beforeAll(() => {
  expect(fs.existsSync(program[1] ?? ""), "the mock agent is built: pnpm build").toBe(true)
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-mock-"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly events: ReadonlyArray<AgentEvent>
  readonly verdict: Verdict.Verdict
  readonly tally: Verdict.Tally
}

/** Runs the mock agent as a real process, with a real MCP server over `store`. */
const run = async (role: Role, task: string, store: string | undefined): Promise<Ran> => {
  const attempt = fs.mkdtempSync(path.join(folder, "attempt-"))
  const invocation = mock.invocation({
    prompt: Prompt.jobPrompt({ role, task, project: "rehearsal", memory: store === undefined ? "none" : "mcp" }),
    directory: attempt,
    folder: attempt,
    permission: "read",
    model: undefined,
    resume: undefined,
    memory:
      store === undefined
        ? undefined
        : { server: "contextfs", command: process.execPath, args: [server, path.join(folder, store)], env: {} },
    env: {},
    root: false
  })
  if ("refused" in invocation) throw new Error(invocation.refused)
  for (const [name, text] of Object.entries(invocation.files ?? {})) fs.writeFileSync(path.join(attempt, name), text)
  const [command = "", ...first] = program
  const child = spawn(command, [...first, ...invocation.args], {
    env: { PATH: process.env["PATH"] },
    stdio: ["pipe", "pipe", "inherit"]
  })
  child.stdin.end(invocation.stdin)
  const chunks: Array<Buffer> = []
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
  const exit = await new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal }))
  )
  const decoder = mock.decoder()
  const events = Buffer.concat(chunks)
    .toString()
    .split("\n")
    .flatMap((line) => decoder.line(line))
  expect(decoder.noise?.()).toBe(0)
  const tally = events.reduce(Verdict.tally, Verdict.emptyTally)
  const verdict = Verdict.judge({
    tool: "mock",
    output: mock.output,
    exitAbove128: mock.exitAbove128,
    tally,
    exit,
    ended: "self",
    stderr: ""
  })
  return { events, verdict, tally }
}

const calls = ({ events }: Ran): ReadonlyArray<string> =>
  events.flatMap((event) => (event.kind === "toolCall" ? event.name : []))
const saved = (store: string): ReadonlyArray<{ readonly type: string; readonly tags: ReadonlyArray<string> }> =>
  fs
    .readFileSync(path.join(folder, store), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))

describe("the mock agent", () => {
  it("searches for its task, saves what its role is asked to, and says that it is done", async () => {
    const ran = await run(code, "Implement the auth module.", "one")
    expect(calls(ran)).toEqual(["contextfs.contextfs_search", "contextfs.contextfs_save", "contextfs.contextfs_save"])
    expect(ran.verdict).toMatchObject({ status: "completed", warnings: [] })
    expect(ran.tally.usage).toEqual({ costUsd: 0, turns: 3 })
    expect(saved("one")).toMatchObject([
      { type: "decision", tags: ["code-agent"] },
      { type: "code", tags: ["code-agent"] }
    ])
  })

  it("two at once: one searches until it finds what the other saves later", async () => {
    const [waiting, saving] = await Promise.all([
      run(review, 'Review.\nmock: wait-for "passwords are hashed" within 30s', "two"),
      run(code, 'Implement.\nmock: delay 1s\nmock: save decision "passwords are hashed with argon2"', "two")
    ])
    expect(saving.verdict.status).toBe("completed")
    expect(waiting.verdict.status).toBe("completed")
    expect(calls(waiting).filter((name) => name.endsWith("search")).length).toBeGreaterThan(2)
    expect(calls(waiting)).toContain("contextfs.contextfs_recall")
  })

  it("fails, ends without a word, and waits in vain where its task says so", async () => {
    const failed = await run(code, 'mock: fail "the build is red"', undefined)
    expect(failed.verdict).toMatchObject({
      reason: "AgentReported",
      error: expect.stringContaining("the build is red")
    })
    expect((await run(code, "mock: exit 0", undefined)).verdict.reason).toBe("AgentProtocol")
    expect((await run(code, "mock: exit 3", undefined)).verdict.reason).toBe("AgentExit")
    const vain = await run(code, 'mock: wait-for "nothing" within 300ms', "three")
    expect(vain.verdict).toMatchObject({ reason: "AgentReported", error: expect.stringContaining("nobody saved") })
    const typo = await run(code, "mock: dellay 5s", undefined)
    expect(typo.verdict).toMatchObject({ reason: "AgentReported", error: expect.stringContaining("it knows delay") })
  })

  it("without memory it completes and calls nothing", async () => {
    const ran = await run(docs, 'mock: say "hello"', undefined)
    expect(ran.verdict.status).toBe("completed")
    expect(calls(ran)).toEqual([])
  })
})

describe("what the mock agent reads", () => {
  it("every line that it knows", () => {
    const task = `do
mock: delay 1.5s
  mock: say "a \\"b\\""
mock: search "q"
mock: save error "it broke"
mock: wait-for "x" within 2m
mock: call contextfs_list {"limit": 1, "type": "fact"}
mock: watch
mock: fail "no"
mock: exit 7`
    expect(parseDirectives(task)).toEqual([
      { verb: "delay", millis: 1_500 },
      { verb: "say", text: 'a "b"' },
      { verb: "search", query: "q" },
      { verb: "save", type: "error", text: "it broke" },
      { verb: "wait-for", query: "x", millis: 120_000 },
      { verb: "call", tool: "contextfs_list", input: { limit: 1, type: "fact" } },
      { verb: "watch" },
      { verb: "fail", message: "no" },
      { verb: "exit", code: 7 }
    ])
  })

  it("the role, what it is asked to save, and its task to the last byte", () => {
    const task = " real\r\n# Task\n\nmock: exit 1 "
    const prompt = Prompt.jobPrompt({ role: review, task, project: "p", memory: "mcp", recalled: "mock: fail" })
    expect(parsePrompt(prompt)).toEqual({ role: "review", task, saves: review.saves, links: true })
    expect(parsePrompt(Prompt.jobPrompt({ role: code, task, project: "p", memory: "mcp" }))).toEqual({
      role: "code",
      task,
      saves: code.saves,
      links: false
    })
    expect(parsePrompt("just this")).toEqual({ role: "custom", task: "just this", saves: [], links: false })
  })

  it("any other text is left alone, quickly", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ maxLength: 2000 }), (text) => {
        expect(parseDirectives(text.replaceAll("mock:", ""))).toEqual([])
        expect(text.endsWith(parsePrompt(text).task)).toBe(true)
      })
    )
  })
})
