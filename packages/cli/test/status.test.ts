import * as fs from "node:fs"
import * as path from "node:path"
import { type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import { describe, expect, it } from "vitest"
import { at, document, homes } from "./harness.js"

const home = homes()
const status = ["orchestrator", "status"]

describe("orchestrator status", () => {
  it("makes nothing where nothing was run, and knows no run or job there", async () => {
    const one = home()
    expect(await one.contextfs([...status, "-p", "shop"])).toMatchObject({
      code: 0,
      stdout: "no runs in project shop\n"
    })
    expect(document((await one.contextfs([...status, "--json"])).stdout)).toEqual({
      project: "default",
      runs: [],
      parked: []
    })
    const unknown = await one.contextfs([...status, "nosuch"])
    expect(unknown).toMatchObject({ code: 4, stdout: "" })
    expect(unknown.stderr).toBe(
      'error[NotFound]: no run or job "nosuch" – contextfs orchestrator status --all lists them\n'
    )
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })

  it("lists the runs of the project, newest first, and shows a run and a job in full", async () => {
    const one = home()
    one.file("good.json", [{ role: "code", directory: ".", task: "Implement it" }])
    one.file("bad.json", [{ role: "test", directory: ".", task: 'mock: fail "it broke"' }])
    const run = ["orchestrator", "run", "-t", "mock"]
    for (const [file, project] of [
      ["good.json", "shop"],
      ["bad.json", "shop"],
      ["good.json", "other"]
    ] as const) {
      await one.contextfs([...run, file, "-p", project])
    }
    const listed = document((await one.contextfs([...status, "-p", "shop", "--json"])).stdout)
    expect(at(listed, "runs")).toMatchObject([
      { status: "failed", resume: null, jobs: [{ agentId: "test-1", status: "failed", reason: "AgentReported" }] },
      {
        status: "completed",
        jobs: [{ agentId: "code-1", role: "code", tool: "mock", status: "completed", attempts: 1 }]
      }
    ])
    const text = (await one.contextfs([...status, "-p", "shop"])).stdout
    expect(text).toMatch(
      /^run \w+ failed · 0 of 1 completed · .*\n {2}✗ test-1 +failed +test +mock +.* AgentReported: it broke/
    )
    expect((await one.contextfs([...status, "-p", "shop", "-l", "1"])).stdout).not.toContain("code-1")
    expect((await one.contextfs([...status, "--all"])).stdout).toMatch(/^run \w+ completed · project other · /)
    const both = await one.contextfs([...status, "--all", "-p", "shop"])
    expect(both).toMatchObject({ code: 2, stdout: "" })

    const runId = String(at(listed, "runs", 1, "runId"))
    const whole = await one.contextfs([...status, runId])
    expect(whole.stdout).toMatch(new RegExp(` {2}logs +${path.join(one.dataDir, "runs", runId)}\n`))
    expect(whole.stdout).toMatch(/ {2}task +Implement it\n/)
    const job = document((await one.contextfs([...status, `${runId}-1`, "--json"])).stdout)
    expect(job).toMatchObject({
      jobId: `${runId}-1`,
      status: "completed",
      attemptRecords: [{ number: 1, reason: null }]
    })
    expect(fs.existsSync(path.join(String(job["folder"]), "stdout"))).toBe(true)
    const shown = (await one.contextfs([...status, `${runId}-1`])).stdout
    expect(shown.endsWith(`\nresult\n${at(job, "result", "result")}\n`)).toBe(true)
  })

  it("a run whose process died without a word is interrupted, its jobs too, and stays as it is", async () => {
    const one = home()
    const steps: Scenario = [
      { do: "print", line: { type: "message", text: "at work now" } },
      { do: "delay", ms: 600_000 }
    ]
    one.file("agents.json", {
      tools: { slow: { command: [await writeAgent(one.root, steps)], output: "events" } },
      agents: [1, 2].map(() => ({ role: "custom", directory: ".", task: "x", tool: "slow" })),
      workers: 1
    })
    const running = one.start(["orchestrator", "run", "agents.json", "-p", "shop"])
    await running.seen("at work now")
    const alive = await one.contextfs([...status, "-p", "shop"])
    expect(alive.stdout).toMatch(/^run \w+ running · 0 of 2 completed · 1 at work · 1 waiting · /)
    running.child.kill("SIGKILL")
    await running.ended
    for (let again = 0; again < 2; again++) {
      const { stdout } = await one.contextfs([...status, "-p", "shop"])
      expect(stdout).toMatch(
        /^run (\w+) interrupted · 0 of 2 completed · 1 waiting · (?:now|.* ago)\n {2}go on with it: contextfs orchestrator resume \1\n {2}✗ custom-1 +interrupted .* its process is gone\n {2}· custom-2 +pending /
      )
    }
    const told = await one.contextfs(["orchestrator", "monitor", "-p", "shop", "-i", "0.1", "-d", "0.3"])
    expect(told.stdout).toMatch(
      /^\S+ +\w+ +run +✗ interrupted: its process is gone; go on with it: contextfs orchestrator resume \w+\n$/
    )
  })
})
