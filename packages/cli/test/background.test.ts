/** Runs that outlive the command that asked for them; resume, logs and cancel from other shells. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import { writeAgent } from "@contextfs/fixtures/Scenario"
import { afterAll, describe, expect, it } from "vitest"
import { bin, document, type Home, homes, at as valueAt } from "./harness.js"

const home = homes()
const started: Array<{ readonly at: Home; readonly run: string }> = []
afterAll(async () => {
  // Only what these tests have started, by their ids.
  for (const { at, run } of started) {
    const supervisor = pidOf(await status(at, run))
    await at.contextfs(["orchestrator", "cancel", run])
    while (isAlive(supervisor)) await new Promise((resolve) => setTimeout(resolve, 50))
  }
})

const status = async (at: Home, id: string) =>
  document((await at.contextfs(["orchestrator", "status", id, "--json"])).stdout)
const pidOf = (state: Record<string, unknown>): number => Number(state["owner"])
const isAlive = (pid: number): boolean => Number.isInteger(pid) && fs.existsSync(`/proc/${pid}`)

/** The state of a run once it is as wanted. */
const until = async (at: Home, id: string, fits: (state: Record<string, unknown>) => boolean) => {
  for (;;) {
    const state = await status(at, id)
    if (fits(state)) return state
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const canary = "canary-0123456789"

const stays = async (at: Home) => {
  const census = path.join(at.root, "census")
  const command = await writeAgent(at.root, [
    { do: "print", line: { type: "started", sessionId: "s1" } },
    { do: "print", line: { type: "message", text: "I am at work \u001b[2J." } },
    { do: "print", line: { type: "message", text: `I was given ${canary}` } },
    { do: "escape", kind: "setsid", count: 2, census },
    { do: "delay", ms: 600_000 }
  ])
  return { tool: { command: [command], output: "events", env: { ITS_TOKEN: canary } }, census }
}

const configured = async (at: Home) => {
  const { census, tool } = await stays(at)
  at.file("agents.json", {
    tools: { stays: tool },
    grace: 1,
    agents: [
      { id: "quick", role: "custom", directory: ".", task: 'Say.\nmock: say "quick word"', tool: "mock" },
      { id: "slow", role: "custom", directory: ".", task: "stay", tool: "stays" }
    ]
  })
  return census
}

/** Begins it in the background and waits until the quick agent is done and the slow one has spoken. */
const detached = async (at: Home) => {
  const census = await configured(at)
  const { code, stdout } = await at.contextfs(["orchestrator", "run", "agents.json", "--detach", "--json"])
  expect(code).toBe(0)
  const begun = document(stdout)
  const run = String(begun["runId"])
  started.push({ at, run })
  const logs = at.start(["orchestrator", "logs", run, "-f"])
  await logs.seen("I am at work")
  await logs.seen("quick word")
  logs.child.kill("SIGINT")
  expect(await logs.ended).toMatchObject({ code: 130, stderr: "" })
  await until(at, run, (state) => valueAt(state, "jobs", 0, "status") === "completed")
  return { census, run, pid: Number(begun["pid"]) }
}

describe("run --detach", () => {
  it("goes on without us; logs follow it, cancel ends one agent, then the run is over and its process gone", async () => {
    const at = home()
    const { census, pid, run } = await detached(at)
    expect(isAlive(pid)).toBe(true)
    expect(await Census.survivors({ folder: census })).toHaveLength(2)
    const whole = await at.contextfs(["orchestrator", "logs", run])
    // Nothing that an agent prints controls the terminal.
    expect(whole.stdout).toContain("slow   I am at work .")
    expect(whole.stdout).not.toContain("\u001b")
    // Its files are raw while it is at work; what is shown of them is not.
    const raw = await at.contextfs(["orchestrator", "logs", run, "--raw"])
    for (const { stdout } of [whole, raw]) {
      expect(stdout).toContain("I was given [redacted: ITS_TOKEN]")
      expect(stdout).not.toContain(canary)
    }

    const twice = await at.contextfs(["orchestrator", "resume", run])
    expect(twice).toMatchObject({ code: 10 })
    expect(twice.stderr).toMatch(new RegExp(`^error\\[Conflict\\]: run ${run} is at work in process ${pid} – .+\n$`))

    const cancelled = document((await at.contextfs(["orchestrator", "cancel", `${run}-2`, "--json"])).stdout)
    expect(cancelled).toEqual({ id: `${run}-2`, cancelled: 1 })
    const over = await until(at, run, ({ status }) => status !== "running")
    expect(over["status"]).toBe("cancelled")
    await until(at, run, () => !isAlive(pid))
    expect(await Census.survivors({ folder: census })).toEqual([])
    const log = path.join(at.dataDir, "runs", run, "supervisor.log")
    expect(fs.readFileSync(log, "utf8")).toContain(`run ${run} cancelled`)
    expect(fs.statSync(log).mode & 0o777).toBe(0o600)
    // Nothing is left to cancel.
    expect(document((await at.contextfs(["orchestrator", "cancel", run, "--json"])).stdout)["cancelled"]).toBe(0)
  })

  it("is not lost with its process: the run is seen to be interrupted, and resume goes on with what is left", async () => {
    const at = home()
    const { census, pid, run } = await detached(at)
    process.kill(pid, "SIGKILL")
    await until(at, run, ({ status }) => status === "interrupted")
    // A cancel needs nobody there to hear it.
    expect(document((await at.contextfs(["orchestrator", "cancel", `${run}-2`, "--json"])).stdout)["cancelled"]).toBe(1)
    expect(await Census.survivors({ folder: census })).toEqual([])
    const cancelled = document((await at.contextfs(["orchestrator", "status", `${run}-2`, "--json"])).stdout)
    expect(cancelled["error"]).toContain("run it anew if it is still wanted")
    // As long as its attempt was, which nobody has seen end.
    const spent = Number(valueAt(cancelled, "attemptRecords", 0, "endedAt")) - Number(cancelled["startedAt"])
    expect(spent).toBeGreaterThan(0)
    expect(Math.abs(Number(cancelled["duration"]) * 1000 - spent)).toBeLessThan(spent)
    const again = await at.contextfs(["orchestrator", "resume", run, "--json"])
    expect(again.code).toBe(1)
    expect(document(again.stdout)["results"]).toMatchObject([
      { agentId: "quick", status: "completed", attempts: 1 },
      { agentId: "slow", status: "cancelled", attempts: 1 }
    ])
  })

  it("is gone on with by one of two that ask at the same time; the other is told who", async () => {
    const at = home()
    const { pid, run } = await detached(at)
    process.kill(pid, "SIGKILL")
    await until(at, run, ({ status }) => status === "interrupted")
    const ask = () => at.contextfs(["orchestrator", "resume", run, "--detach"])
    const both = await Promise.all([ask(), ask()])
    expect(both.map(({ code }) => code).toSorted((a, b) => Number(a) - Number(b))).toEqual([0, 10])
    const owner = pidOf(await status(at, run))
    expect(both.find(({ code }) => code === 0)?.stdout).toBe(`${run} goes on in process ${owner}\n`)
    const refused = both.find(({ code }) => code === 10)
    expect(refused?.stderr).toMatch(
      new RegExp(`^error\\[Conflict\\]: run ${run} is at work in process ${owner} – .+\n$`)
    )
    expect(refused?.stdout).toBe("")
  })

  it("does not hear its terminal go away", async () => {
    const at = home()
    await configured(at)
    // A session leader with a terminal of its own: at its end the kernel hangs up on all that belong to the terminal.
    const { stdout } = spawnSync(
      "script",
      ["-qec", `'${process.execPath}' '${bin}' orchestrator run agents.json --detach --json`, "/dev/null"],
      { cwd: at.work, env: at.env, encoding: "utf8" }
    )
    const begun = document(stdout.trim())
    const run = String(begun["runId"])
    started.push({ at, run })
    const logs = at.start(["orchestrator", "logs", `${run}-2`, "-f"])
    await logs.seen("I am at work")
    logs.child.kill("SIGINT")
    await logs.ended
    expect(isAlive(Number(begun["pid"]))).toBe(true)
    expect((await status(at, run))["status"]).toBe("running")
  })
})

describe("a run inside a namespace of its own, such as an agent's", () => {
  it("takes the living run around it for no leftover, and cannot take it over", async () => {
    const at = home()
    const { census, pid, run } = await detached(at)
    const inside = (...args: ReadonlyArray<string>) => {
      const user = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user"]
      const words = [...user, "--pid", "--fork", "--mount-proc", process.execPath, bin, "orchestrator", ...args]
      return spawnSync("unshare", words, { cwd: at.work, env: at.env, encoding: "utf8" })
    }
    at.file("inner.json", [{ role: "custom", directory: ".", task: "x", tool: "mock" }])
    const inner = inside("run", "inner.json", "--json")
    expect({ status: inner.status, stderr: inner.stderr }).toEqual({ status: 0, stderr: "" })
    expect(inside("resume", run)).toMatchObject({ status: 10 })
    expect((await status(at, run))["status"]).toBe("running")
    expect(isAlive(pid)).toBe(true)
    expect(await Census.survivors({ folder: census })).toHaveLength(2)
  })
})

describe("spawn", () => {
  it("without --wait prints the id that status, logs and cancel take", async () => {
    const at = home()
    const { stdout } = await at.contextfs(["orchestrator", "spawn", "review", ".", "Look around", "-t", "mock"])
    const id = stdout.split("\n", 1)[0] ?? ""
    expect(id).toMatch(/^[a-z0-9]{8}-1$/)
    expect(stdout).toContain(`contextfs orchestrator logs ${id} -f`)
    const { code, stdout: logs } = await at.contextfs(["orchestrator", "logs", id, "-f"])
    expect(code).toBe(0)
    expect(logs).toContain("Rehearsed as review")
    expect(logs).toMatch(/\n✓ completed after \d+\.\d s\n$/)
    expect(await until(at, id, ({ status }) => status === "completed")).toMatchObject({ role: "review" })
    const raw = await at.contextfs(["orchestrator", "logs", id, "--raw"])
    expect(raw.stdout).toContain('{"type":"started"')
  })
})

describe("logs", () => {
  it("says of each job how it ended, that it waits, or how its run goes on; following ends where nobody is at work", async () => {
    const at = home()
    const { tool } = await stays(at)
    at.file("agents.json", {
      tools: { stays: tool },
      workers: 1,
      agents: ["quick", "slow", "later"].map((id) => ({
        ...{ id, role: "custom", directory: ".", task: 'Say.\nmock: say "quick word"' },
        tool: id === "quick" ? "mock" : "stays"
      }))
    })
    const run = at.start(["orchestrator", "run", "agents.json", "--jsonl"])
    await run.seen("I am at work")
    const id = String(
      valueAt(document((await at.contextfs(["orchestrator", "status", "--json"])).stdout), "runs", 0, "runId")
    )
    const followed = at.start(["orchestrator", "logs", id, "-f"])
    await followed.seen("I am at work")
    const now = await at.contextfs(["orchestrator", "logs", id])
    expect(now.stdout).toMatch(/\nquick {2}✓ completed after \d+\.\d s\n/)
    expect(now.stdout).toMatch(
      /\nslow {3}● running for .+ – contextfs orchestrator logs \w+-2 --follow shows what comes\n/
    )
    expect(now.stdout).toMatch(/\nlater {2}· pending: no attempt has begun\n$/)
    run.child.kill("SIGKILL")
    await run.ended
    const resume = `contextfs orchestrator resume ${id} goes on with it`
    const { code, stdout } = await followed.ended
    expect(code).toBe(0)
    expect(stdout).toContain(`slow   ✗ interrupted: the process of its run is gone – ${resume}\n`)
    expect((await at.contextfs(["orchestrator", "logs", `${id}-3`])).stdout).toBe(
      `· pending: no attempt has begun – ${resume}\n`
    )
    await at.contextfs(["orchestrator", "cancel", id])
    const raw = await at.contextfs(["orchestrator", "logs", `${id}-2`, "--raw"])
    const how = /^✗ cancelled after \d+\.\d s – JobCancelled: .+ – run it anew if it is still wanted\n$/
    expect(raw.stderr).toMatch(how)
    expect(raw.stdout).not.toContain("cancelled")
    const told = await at.contextfs(["orchestrator", "logs", `${id}-2`, "--json"])
    expect(told.stderr).toBe("")
    const lines = told.stdout
      .trimEnd()
      .split("\n")
      .map((line) => document(line))
    expect(lines.slice(0, -2).every(({ agentId, kind }) => kind === "line" && agentId === "slow")).toBe(true)
    expect(lines.at(-2)).toMatchObject({ kind: "job", jobId: `${id}-2`, status: "cancelled", reason: "JobCancelled" })
    expect(lines.at(-1)).toEqual({ kind: "ended", jobs: 1 })
  })
})

describe("an id that is not what the command is for", () => {
  it("is told with the one that is, and nothing is started", async () => {
    const at = home()
    const { stdout } = await at.contextfs([
      "orchestrator",
      "spawn",
      "review",
      ".",
      "x",
      "-t",
      "mock",
      "--wait",
      "--json"
    ])
    const run = String(document(stdout)["runId"])
    const told = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await at.contextfs(["orchestrator", ...args])
      return [code, stderr + stdout]
    }
    const job = await told("resume", `${run}-1`)
    expect(job).toEqual([
      4,
      `error[NotFound]: ${run}-1 is a job of run ${run}, and it is runs that are resumed – contextfs orchestrator resume ${run}\n`
    ])
    for (const more of [[], ["--detach"]]) {
      const nobody = await told("resume", run, "--decide", "nosuch=rerun", ...more)
      expect(nobody).toEqual([
        4,
        expect.stringContaining(`no job "nosuch" in run ${run} – contextfs orchestrator status`)
      ])
      const both = await told("resume", run, "--decide", `${run}-1=skip`, "--decide", `${run}-1=rerun`, ...more)
      expect(both).toEqual([
        2,
        `error[UsageError]: both rerun and skip are said of ${run}-1 – contextfs orchestrator resume --decide – say one of them\n`
      ])
      const over = await told("resume", run, "--decide", `${run}-1=rerun`, ...more)
      expect(over).toEqual([
        2,
        `error[Undecided]: nothing is to be decided about ${run}-1: it ended before: completed – leave the --decide for what is known out\n`
      ])
    }
    for (const id of [run, `${run}-1`]) {
      const cancelled = await told("cancel", id)
      expect(cancelled).toEqual([0, expect.stringContaining(`nothing to cancel: ${id} ended before: completed\n`)])
    }
    expect((await status(at, run))["status"]).toBe("completed")
  })
})

describe("what is not there", () => {
  it.each(["resume", "cancel", "logs", "status"])("%s says so, and makes nothing of it", async (command) => {
    const at = home()
    for (const id of ["abcdefgh", "../../x", "-1"]) {
      const { code, stderr, stdout } = await at.contextfs(["orchestrator", command, "--", id])
      expect({ id, code, stdout }).toEqual({ id, code: 4, stdout: "" })
      expect(stderr).toMatch(/^error\[NotFound\]: no (run|job|run or job) .+\n$/)
    }
  })
})

describe("run", () => {
  it("--run-timeout ends the run with exit 8, and resume has the rest of it", async () => {
    const at = home()
    const census = await configured(at)
    const { code, stdout } = await at.contextfs(["orchestrator", "run", "agents.json", "--run-timeout", "4", "--json"])
    expect(code).toBe(8)
    const result = document(stdout)
    expect(result).toMatchObject({ status: "interrupted", timedOut: true })
    expect(await Census.survivors({ folder: census })).toEqual([])
    const next = await at.contextfs(["orchestrator", "resume", String(result["runId"]), "--run-timeout", "2"])
    expect(next.code).toBe(8)
    expect(next.stdout).toContain(`resume contextfs orchestrator resume ${result["runId"]}`)
  })

  it("--overlap refuse starts nothing where agents may write the same files, and names them", async () => {
    const at = home()
    at.file("agents.json", [
      { id: "one", role: "code", directory: ".", task: "x", tool: "mock" },
      { id: "two", role: "code", directory: ".", task: "y", tool: "mock" },
      { id: "see", role: "review", directory: ".", task: "z", tool: "mock" }
    ])
    const refused = await at.contextfs(["orchestrator", "run", "agents.json", "--overlap", "refuse"])
    expect(refused).toMatchObject({ code: 10, stdout: "" })
    expect(refused.stderr).toContain(`one and two may both write in ${at.work}`)
    const warned = await at.contextfs(["orchestrator", "run", "agents.json"])
    expect(warned).toMatchObject({ code: 0 })
    expect(warned.stdout).toContain("warning: one and two may both write in")
  })
})
