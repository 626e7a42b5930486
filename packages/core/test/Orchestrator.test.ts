import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, describe, expect } from "vitest"
import { JobResult } from "../src/Job.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const listed = (project: string) =>
  Effect.flatMap(MemoryStore.MemoryStore, (store) => store.list({ project })).pipe(
    Effect.provide(MemoryStore.layerSqlite({ path: path.join(home.dataDir, "memory.db") }))
  )

const agent = (tool: string, more: object = {}) => ({ role: "custom", directory: ".", task: "do it", tool, ...more })

describe("a run", () => {
  it.live("takes agents through mock, over real MCP, to stored results", () =>
    Effect.gen(function* () {
      const events: Array<RunEvent> = []
      const result = yield* run(
        home,
        {
          project: "mocked",
          tool: "mock",
          agents: [
            {
              role: "code",
              directory: ".",
              task: 'Choose.\nmock: delay 100ms\nmock: save decision "We store sessions in cookies"'
            },
            {
              role: "test",
              directory: ".",
              task: 'Wait.\nmock: wait-for "sessions cookies"\nmock: save code "cookie test pattern"'
            }
          ]
        },
        (event) => events.push(event)
      )
      expect(result.results.map(({ agentId, error, status }) => ({ agentId, error, status }))).toEqual([
        { agentId: "code-1", error: null, status: "completed" },
        { agentId: "test-1", error: null, status: "completed" }
      ])
      const [code, test] = result.results
      // What is told has the fields of what is stored, and no others.
      expect(Object.keys(code ?? {}).sort()).toEqual(Object.keys(JobResult.fields).sort())
      expect(code?.memory?.done).toEqual(["search prior decisions", "save decisions with their rationale as decision"])
      expect(test?.memory?.searches).toBeGreaterThan(0)
      expect(events.map((event) => event.kind)).toEqual(
        expect.arrayContaining(["runStarted", "jobStarted", "agentEvent", "jobEnded", "runEnded"])
      )
      expect(events[0]?.kind).toBe("runStarted")
      expect(events.at(-1)?.kind).toBe("runEnded")
      // Nothing but the data folder has been written; the agents' temporary folders are gone.
      expect(fs.readdirSync(home.work)).toEqual([])
    })
  )

  it.live("never runs more than its workers, and results stand in the order of the configuration", () =>
    Effect.gen(function* () {
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "delay", ms: 30 },
          { do: "print", line: "ok" }
        ])
      )
      let running = 0
      let most = 0
      const result = yield* run(
        home,
        { workers: 3, tools: { s: tool }, agents: Array.from({ length: 10 }, () => agent("s")) },
        (event) => {
          if (event.kind === "jobStarted") most = Math.max(most, ++running)
          if (event.kind === "jobEnded") running--
        }
      )
      expect(most).toBe(3)
      expect(result.results.map((job) => job.agentId)).toEqual(
        Array.from({ length: 10 }, (_, index) => `custom-${index + 1}`)
      )
      expect(result.results.every((job) => job.status === "completed" && job.result === "ok")).toBe(true)
    })
  )

  it.live("calls no failure a success", () =>
    Effect.gen(function* () {
      const tools = {
        silent: yield* Effect.promise(() => home.tool([say.started, say.message("plausible prose")], "events")),
        failed: yield* Effect.promise(() => home.tool([say.started, say.failed("boom")], "events")),
        exit3: yield* Effect.promise(() => home.tool([{ do: "exit", code: 3 }])),
        killed: yield* Effect.promise(() => home.tool([{ do: "kill", signal: "SIGKILL" }])),
        hang: yield* Effect.promise(() => home.tool([say.started, { do: "delay", ms: 600_000 }], "events")),
        mute: yield* Effect.promise(() => home.tool([{ do: "delay", ms: 600_000 }], "events")),
        slow: yield* Effect.promise(() =>
          home.tool([
            { do: "ignore", signals: ["SIGTERM"] },
            { do: "delay", ms: 600_000 }
          ])
        ),
        stays: yield* Effect.promise(() =>
          home.tool([say.started, say.done("done"), { do: "delay", ms: 600_000 }], "events")
        )
      }
      const result = yield* run(home, {
        workers: 8,
        retries: 0,
        grace: 0.5,
        tools,
        agents: [
          agent("silent"),
          agent("failed"),
          agent("exit3"),
          agent("killed"),
          agent("hang", { idleTimeout: 1 }),
          agent("mute", { startTimeout: 1 }),
          agent("slow", { timeout: 1 }),
          agent("stays")
        ]
      })
      expect(result.results.map((job) => [job.tool, job.status, job.reason])).toEqual([
        ["silent", "failed", "AgentProtocol"],
        ["failed", "failed", "AgentReported"],
        ["exit3", "failed", "AgentExit"],
        ["killed", "failed", "AgentSignal"],
        ["hang", "failed", "JobStalled"],
        ["mute", "failed", "JobStalled"],
        ["slow", "timeout", "JobTimeout"],
        ["stays", "completed", null]
      ])
      expect(result.status).toBe("failed")
      expect(result.results[0]?.result).toBe("plausible prose")
    })
  )

  it.live("says so when a program that was given the memory never connected to it", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.promise(() =>
        home.tool([
          { do: "print", line: { type: "system", subtype: "init", session_id: "s", mcp_servers: [] } },
          {
            do: "print",
            line: { type: "result", subtype: "success", is_error: false, result: "ok", session_id: "s", usage: {} }
          }
        ])
      )
      const tools = { alone: { adapter: "claude", command: silent.command } }
      const { results } = yield* run(home, { tools, agents: [agent("alone"), agent("mock")] })
      const told = results.map(({ status, warnings }) => [
        status,
        warnings.some((warning) => warning.startsWith("the agent never connected to the shared memory"))
      ])
      expect(told).toEqual([
        ["completed", true],
        ["completed", false]
      ])
    })
  )

  it.live("gives an agent its prompt whole, and nothing of it in argv", () =>
    Effect.gen(function* () {
      const report = path.join(home.root, "stdin.json")
      const tool = yield* Effect.promise(() => home.tool([{ do: "stdin", file: report }]))
      const task = `quotes ' " \` $(id) \\ é🐛\n${"x".repeat(300_000)}`
      const result = yield* run(home, { tools: { s: tool }, agents: [agent("s", { task })] })
      expect(result.status).toBe("completed")
      const { bytes } = JSON.parse(fs.readFileSync(report, "utf8"))
      expect(bytes).toBeGreaterThan(Buffer.byteLength(task))
    })
  )

  it.live("ends everything when it is interrupted, and leaves a record", () =>
    Effect.gen(function* () {
      const census = path.join(home.root, "census")
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "escape", kind: "stubborn", count: 3, census },
          { do: "escape", kind: "setsid", count: 3, census },
          { do: "print", line: "up" },
          { do: "delay", ms: 600_000 }
        ])
      )
      const events: Array<RunEvent> = []
      const fiber = yield* Effect.fork(
        run(home, { grace: 1, project: "cut", tools: { s: tool }, agents: [agent("s")] }, (event) => events.push(event))
      )
      while (!events.some((event) => event.kind === "agentEvent")) yield* Effect.sleep("20 millis")
      expect((yield* Effect.promise(() => Census.survivors({ folder: census }))).length).toBe(6)
      yield* Fiber.interrupt(fiber)
      expect(events.flatMap((event) => (event.kind === "jobEnded" ? [event.result.reason] : []))).toEqual([
        "JobCancelled"
      ])
      expect(yield* Effect.promise(() => Census.survivors({ folder: census }))).toEqual([])
    })
  )

  it.live("starts nothing when one of its programs is missing", () =>
    Effect.gen(function* () {
      const good = yield* Effect.promise(() => home.tool([{ do: "file", path: "started" }]))
      const error = yield* Effect.flip(
        run(home, { tools: { good, bad: { command: ["no-such-program"] } }, agents: [agent("good"), agent("bad")] })
      )
      expect(error).toMatchObject({ _tag: "AgentUnavailable", tool: "bad" })
      expect(fs.existsSync(path.join(home.work, "started"))).toBe(false)
    })
  )

  it.live("continues a session where the tool can; where it cannot, starts nothing", () =>
    Effect.gen(function* () {
      const good = yield* Effect.promise(() => home.tool([{ do: "file", path: "begun" }]))
      const error = yield* Effect.flip(
        run(home, { tools: { good }, agents: [agent("good"), agent("good", { session: "s-1" })] })
      )
      expect(error).toMatchObject({ _tag: "PolicyRefused", message: expect.stringContaining("s-1") })
      expect(fs.existsSync(path.join(home.work, "begun"))).toBe(false)
      const first = (yield* run(home, { agents: [agent("mock")] })).results[0]?.sessionId
      const again = yield* run(home, { agents: [agent("mock", { session: first })] })
      expect(again.results[0]).toMatchObject({ status: "completed", sessionId: first })
    })
  )

  it.live("tries again, once, what left no trace", () =>
    Effect.gen(function* () {
      const tool = yield* Effect.promise(() => home.tool([{ do: "exit", code: 0 }], "events"))
      const kinds: Array<string> = []
      const result = yield* run(home, { tools: { s: tool }, agents: [agent("s")] }, (event) => kinds.push(event.kind))
      expect(result.results[0]).toMatchObject({ attempts: 2, reason: "AgentProtocol" })
      expect(kinds.filter((kind) => kind === "jobRetrying")).toHaveLength(1)
    })
  )

  it.live("remembers every outcome with who and where", () =>
    Effect.gen(function* () {
      const ok = yield* Effect.promise(() => home.tool([{ do: "print", line: "All is documented." }]))
      const bad = yield* Effect.promise(() => home.tool([{ do: "exit", code: 4 }]))
      const result = yield* run(home, {
        project: "kept",
        retries: 0,
        tools: { ok, bad },
        agents: [agent("ok", { role: "docs" }), agent("bad", { role: "debug" })]
      })
      const found = yield* listed("kept")
      expect(found.map(({ jobId, role, runId, tags, type }) => ({ jobId, role, runId, tags, type }))).toEqual(
        expect.arrayContaining([
          {
            jobId: result.results[0]?.jobId,
            role: "docs",
            runId: result.runId,
            tags: ["docs-agent", "outcome"],
            type: "doc"
          },
          {
            jobId: result.results[1]?.jobId,
            role: "debug",
            runId: result.runId,
            tags: ["debug-agent", "outcome"],
            type: "error"
          }
        ])
      )
    })
  )
})
