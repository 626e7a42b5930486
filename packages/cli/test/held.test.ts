/** A run that does not get on says why: here, and to whoever looks at it from another shell. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { expect, it } from "vitest"
import { bin, document, homes, at as valueAt } from "./harness.js"

const home = homes()
const agents = { agents: [{ id: "a", role: "custom", directory: ".", task: 'mock: say "done"', tool: "mock" }] }
const lacking = /only \d+ file descriptors are left/

/** The command with hardly a file descriptor to spare, because it is born with most of them in use. */
const cramped = (at: ReturnType<typeof home>, ...args: ReadonlyArray<string>) => {
  const child = spawn("prlimit", ["--nofile=80", process.execPath, bin, "orchestrator", ...args], {
    cwd: at.work,
    env: at.env,
    stdio: ["ignore", "pipe", "pipe", ...Array.from({ length: 40 }, () => 2)]
  })
  const { stderr, stdout } = child
  if (stderr === null || stdout === null) throw new Error("no pipes")
  return { child, stderr, stdout }
}

it("a run for which the machine has no room says so beside its document, and to status", async () => {
  const at = home()
  at.file("agents.json", agents)
  const { child, ...said } = cramped(at, "run", "agents.json", "--json")
  const [stdout, ended] = [text(said.stdout), once(child, "exit")]
  const [warning] = await once(said.stderr.setEncoding("utf8"), "data")
  expect(warning).toMatch(/^warning: nothing is started: only \d+ file descriptors are left\n$/)
  const all = document((await at.contextfs(["orchestrator", "status", "--all", "--json"])).stdout)
  expect(valueAt(all, "runs", 0, "shortage")).toMatch(lacking)
  const run = String(valueAt(all, "runs", 0, "runId"))
  const shown = await at.contextfs(["orchestrator", "status", "--all"])
  expect(shown.stdout).toMatch(/^ {2}nothing is started: only \d+ file descriptors are left$/m)
  const one = await at.contextfs(["orchestrator", "status", run])
  expect(one.stdout).toMatch(/^ {2}waits +nothing is started: only \d+ file descriptors are left$/m)
  child.kill("SIGINT")
  expect(await ended).toEqual([130, null])
  document(await stdout)

  const again = cramped(at, "resume", run, "--no-wait", "--json")
  const [result] = await Promise.all([text(again.stdout), once(again.child, "exit")])
  expect(again.child.exitCode).toBe(7)
  expect(document(result)).toMatchObject({ status: "interrupted", shortage: expect.stringMatching(lacking) })

  const plain = cramped(at, "resume", run, "--no-wait")
  const [lines] = await Promise.all([text(plain.stdout), once(plain.child, "exit")])
  expect(lines).toMatch(/^waits {2}for room on this machine: only \d+ file descriptors are left\nresume .+$/m)

  const later = await at.contextfs(["orchestrator", "resume", run, "--detach", "--json"])
  expect(document(later.stdout)).toEqual({
    id: run,
    runId: run,
    jobs: [{ jobId: `${run}-1`, agentId: "a" }],
    pid: expect.any(Number)
  })
  await at.contextfs(["orchestrator", "logs", run, "-f"])
})

it("of a run whose process was stopped everybody says how to wake it", async () => {
  const at = home()
  at.file("agents.json", agents)
  const { child: held, stdout } = cramped(at, "run", "agents.json", "--jsonl")
  let said = ""
  await new Promise<void>((resolve) =>
    stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk
      if (said.includes('"held"')) resolve()
    })
  )
  const run = String(valueAt(JSON.parse(said.split("\n", 1)[0] ?? ""), "runId"))
  const pid = held.pid ?? 0
  held.kill("SIGSTOP")
  const wake = `stopped: kill -CONT ${pid} wakes it`
  const [refused, one, list, json] = await Promise.all([
    at.contextfs(["orchestrator", "resume", run]),
    at.contextfs(["orchestrator", "status", run]),
    at.contextfs(["orchestrator", "status", "--all"]),
    at.contextfs(["orchestrator", "status", run, "--json"])
  ])
  expect(refused.code).toBe(10)
  expect(refused.stderr).toContain(`error[Conflict]: run ${run} is at work in process ${pid}, which is ${wake} – `)
  expect(one.stdout).toMatch(new RegExp(`^ {2}process +${pid}, ${wake}$`, "m"))
  expect(list.stdout).toMatch(new RegExp(`^ {2}process ${pid} is ${wake}$`, "m"))
  expect(document(json.stdout)).toMatchObject({ owner: pid, stopped: true })
  const cancel = at.start(["orchestrator", "cancel", run])
  await cancel.seen(`has ended it: process ${pid}, which is stopped (kill -CONT ${pid} wakes it); Ctrl-C`)
  held.kill("SIGCONT")
  expect(await cancel.ended).toMatchObject({ code: 0, stdout: `1 job of ${run} cancelled\n` })
})
