import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import { type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import Driver from "better-sqlite3"
import { describe, expect, it } from "vitest"
import { at, document, type Home, homes, type Running } from "./harness.js"

const home = homes()

interface Crew {
  readonly running: Running
  readonly census: { readonly folder: string; readonly argument: string }
}

/** Three stubborn agents, two of them at work, each with children that left its group; resolves once both are at it. */
const crew = async (one: Home, grace: string, format: ReadonlyArray<string>): Promise<Crew> => {
  const folder = path.join(one.root, "census")
  fs.mkdirSync(folder)
  const steps: Scenario = [
    { do: "ignore", signals: ["SIGTERM"] },
    { do: "escape", kind: "stubborn", census: folder },
    { do: "escape", kind: "doubleFork", census: folder },
    { do: "print", line: { type: "message", text: "at work now" } },
    { do: "delay", ms: 600_000 }
  ]
  const command = await writeAgent(one.root, steps)
  one.file("agents.json", {
    grace,
    workers: 2,
    tools: { slow: { command: [command], output: "events" } },
    agents: [1, 2, 3].map(() => ({ role: "custom", directory: ".", task: "x", tool: "slow" }))
  })
  const running = one.start(["orchestrator", "run", "agents.json", ...format])
  if (!format.includes("--json")) await running.seen("at work now", 2)
  else await waitFor(async () => (await Census.signedIn(folder)) >= 4)
  return { running, census: { folder, argument: path.join(one.root, "scenario.json") } }
}

const waitFor = async (condition: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("it never came to be")
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const journal = (one: Home) => {
  const db = new Driver(path.join(one.dataDir, "orchestrator.db"), { readonly: true })
  try {
    return {
      runs: db.prepare("SELECT status FROM runs").pluck().all(),
      jobs: db.prepare("SELECT status, result IS NOT NULL AS told, attempts FROM jobs ORDER BY number").all()
    }
  } finally {
    db.close()
  }
}

describe("the first signal ends the agents in order", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ] as const)("%s: exit %i, nobody left, every started job has its record", async (signal, code) => {
    const one = home()
    const { census, running } = await crew(one, "1s", [])
    const started = performance.now()
    running.child.kill(signal)
    const ended = await running.ended
    // Grace 1 s, and 2 s.
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(await Census.survivors(census)).toEqual([])
    expect(ended).toMatchObject({ code, signal: null })
    expect(ended.stderr).toMatch(
      /^ending the agents – once more ends them at once\nerror\[Interrupted\]: ended by a signal – contextfs orchestrator resume \w+\n$/
    )
    expect(ended.stdout).toMatch(/custom-1 +cancelled/)
    expect(ended.stdout).toMatch(/custom-3 +pending/)
    expect(ended.stdout).toMatch(/run \w+ interrupted · 0 of 3 completed · 1 pending/)
    expect(ended.stdout).toMatch(/resume contextfs orchestrator resume \w+\n/)
    const { jobs, runs } = journal(one)
    expect(runs).toEqual(["interrupted"])
    expect(jobs.slice(0, 2)).toEqual([1, 2].map(() => ({ status: "cancelled", told: 1, attempts: 1 })))
    expect(jobs[2]).toMatchObject({ attempts: 0 })
  })

  it("with --json one document that holds what there is", async () => {
    const one = home()
    const { census, running } = await crew(one, "1s", ["--json"])
    running.child.kill("SIGTERM")
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 143, stderr: "" })
    const told = document(ended.stdout)
    expect(told["error"]).toMatchObject({
      class: "Interrupted",
      exitCode: 143,
      hint: expect.stringContaining("resume")
    })
    expect(told["result"]).toMatchObject({ status: "interrupted" })
    expect(at(told, "result", "results", 0, "status")).toBe("cancelled")
    expect(at(told, "result", "pending")).toMatchObject([{ agentId: "custom-3" }])
    expect(at(told, "result", "resume")).toBe(`contextfs orchestrator resume ${at(told, "result", "runId")}`)
    expect(await Census.survivors(census)).toEqual([])
  })
})

describe("SIGUSR1", () => {
  it("opens no debugger: it changes nothing", async () => {
    const { census, running } = await crew(home(), "1s", [])
    running.child.kill("SIGUSR1")
    // It lives on for the grace of its agents, in which a debugger would have said that it listens.
    running.child.kill("SIGTERM")
    const ended = await running.ended
    expect(ended).toMatchObject({ code: 143, signal: null })
    expect(ended.stderr).not.toMatch(/debugger|inspector/i)
    expect(await Census.survivors(census)).toEqual([])
  })
})

describe("the second signal ends them at once", () => {
  it.each([1, 2])("whatever the grace, and %i more change nothing", async (more) => {
    const one = home()
    const { census, running } = await crew(one, "5 minutes", [])
    running.child.kill("SIGINT")
    await running.seen("once more ends them at once")
    const started = performance.now()
    for (let turn = 0; turn < more; turn++) running.child.kill(turn === 0 ? "SIGINT" : "SIGTERM")
    const ended = await running.ended
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(ended).toMatchObject({ code: 130, signal: null })
    expect(await Census.survivors(census)).toEqual([])
    expect(journal(one).runs).toEqual(["interrupted"])
  })
})

describe("where nothing runs", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ] as const)("contextfs mcp ends by %s with %i", async (signal, code) => {
    const one = home()
    const running = one.start(["mcp"], { input: null })
    await waitFor(() => Promise.resolve(fs.existsSync(path.join(one.dataDir, "memory.db"))))
    running.child.kill(signal)
    const ended = await running.ended
    expect(ended).toMatchObject({ code, signal: null, stdout: "" })
  })
})
