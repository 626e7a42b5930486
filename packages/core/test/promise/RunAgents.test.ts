import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Duration from "effect/Duration"
import { afterAll, describe, expect, expectTypeOf, it } from "vitest"
import { type AgentInput, runAgents } from "../../src/index.js"
import type * as configSchema from "../../src/internal/configSchema.js"
import { makeHome } from "../harness.js"

const home = makeHome()
afterAll(home.remove)
const around = { dataDir: home.dataDir, env: home.env }
const agent = (role: string, task = "do it") => ({ role, directory: home.work, task })

describe("runAgents", () => {
  it("gives results in the order of the agents, with the options of the original", async () => {
    const results = await runAgents([agent("test", "mock: delay 200ms"), agent("code")], {
      ...around,
      numWorkers: 2,
      timeout: "2 minutes",
      project: "simple",
      tool: "mock"
    })
    expect(results.map(({ role, status, error }) => [role, status, error])).toEqual([
      ["test", "completed", null],
      ["code", "completed", null]
    ])
    for (const { duration, result } of results) {
      expect(duration).toBeGreaterThan(0)
      expect(result).toEqual(expect.any(String))
    }
  })

  it("takes a whole configuration, and options over it", async () => {
    const say = await home.tool([{ do: "print", line: "hello" }])
    const results = await runAgents(
      { tool: "mock", tools: { say }, agents: [agent("code"), { ...agent("docs"), tool: "mock" }] },
      { ...around, tool: "say", project: "whole" }
    )
    expect(results.map(({ tool, result }) => [tool, result !== null])).toEqual([
      ["say", true],
      ["mock", true]
    ])
  })

  it("names an option as it was given, and a setting as it stands", async () => {
    await expect(runAgents([agent("code")], { ...around, numWorkers: 0, tool: "mock" })).rejects.toMatchObject({
      _tag: "ConfigError",
      issues: [{ path: "numWorkers" }]
    })
    await expect(runAgents({ workers: 0, tool: "mock", agents: [agent("code")] }, around)).rejects.toMatchObject({
      _tag: "ConfigError",
      issues: [{ path: "workers" }]
    })
    await expect(runAgents([], { ...around, tool: "mock" })).rejects.toMatchObject({ _tag: "ConfigError" })
  })

  it("takes of an agent what a configuration takes", async () => {
    expectTypeOf<keyof AgentInput>().toEqualTypeOf<keyof typeof configSchema.AgentInput.Type>()
    const agents = [
      { ...agent("code"), startTimeout: Duration.minutes(1), idleTimeout: "2m", budget: { maxTokens: 9 } }
    ]
    const [result] = await runAgents(agents, { ...around, tool: "mock" })
    expect(result?.status).toBe("completed")
  })

  it("keeps the memory where it is told", async () => {
    const run = { ...around, project: "elsewhere", tool: "mock", memory: MemoryStore.layerMemory }
    const [result] = await runAgents([agent("code", 'mock: save decision "kept in this process"')], run)
    expect(result?.memory?.saved.length).toBe(1)
    await expect(runAgents([agent("code")], { ...run, memory: Object.create(null) })).rejects.toMatchObject({
      _tag: "ModuleError"
    })
  })

  it.runIf(process.platform === "linux")("ends every agent when the signal is aborted", async () => {
    const census = path.join(home.root, "census")
    const tool = await home.tool([
      { do: "escape", kind: "setsid", count: 3, census },
      { do: "print", line: "up" },
      { do: "delay", ms: 600_000 }
    ])
    const controller = new AbortController()
    const running = runAgents(
      { grace: 0.5, tools: { s: tool }, agents: [agent("code")] },
      {
        ...around,
        tool: "s",
        signal: controller.signal,
        onEvent: ({ kind }) => (kind === "agentEvent" ? controller.abort(new Error("enough")) : undefined)
      }
    )
    await expect(running).rejects.toThrow("enough")
    expect(await Census.signedIn(census)).toBe(3)
    expect(await Census.survivors({ folder: census })).toEqual([])
  })
})
