/** Going on with a run: what had ended stays, what was done is not done again, what was cut short runs once more. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, describe, expect } from "vitest"
import * as JobQueue from "../src/JobQueue.js"
import * as Live from "../src/Live.js"
import { Orchestrator, type ResumeOptions, type RunEvent } from "../src/Orchestrator.js"
import { decode, type Home, makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const program = fileURLToPath(new URL("./programs/orchestrate.mjs", import.meta.url))
const folder = (name: string) => ({ ...home, dataDir: path.join(home.root, name) })
const agent = (id: string, tool: string) => ({ role: "custom", directory: ".", task: "go", id, tool })

const inJournal = <A, E>(at: Home, look: (journal: JobQueue.JobQueueService) => Effect.Effect<A, E>) =>
  Effect.flatMap(JobQueue.JobQueue, look).pipe(
    Effect.provide(JobQueue.layerSqlite({ path: path.join(at.dataDir, "orchestrator.db") }))
  )

const resume = (at: Home, runId: string, options: ResumeOptions = {}) =>
  Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.resume(runId, options)).pipe(
    Effect.provide(Live.layer({ dataDir: at.dataDir, env: at.env }))
  )

/** Starts a run in a process of its own and kills that process when `file` exists. */
const runAndKill = (at: Home, input: object, file: string) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [program, at.dataDir, home.work, JSON.stringify(input)], {
      env: home.env,
      stdio: ["ignore", "ignore", "inherit"]
    })
    const gone = once(child, "exit")
    while (!fs.existsSync(file)) {
      if (child.exitCode !== null) throw new Error(`the run ended by itself with ${child.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    child.kill("SIGKILL")
    await gone
  })

const onlyRun = (at: Home) =>
  Effect.map(
    inJournal(at, (journal) => journal.runs({})),
    ([first]) => first?.runId ?? ""
  )

/** Appends a byte to a file each time an agent of the tool is started. */
const counted = (name: string) => path.join(home.root, `${name}.count`)
const countedTool = async (name: string, rest: string, output: "text" | "events" = "events") => {
  const script = path.join(home.root, `${name}.sh`)
  fs.writeFileSync(script, `#!/bin/sh\nprintf x >> '${counted(name)}'\n${rest}\n`, { mode: 0o755 })
  return { command: [script], output }
}
const starts = (name: string) => fs.statSync(counted(name), { throwIfNoEntry: false })?.size ?? 0

describe("resume", () => {
  it.live("goes on where Ctrl-C ended the run", () =>
    Effect.gen(function* () {
      const at = folder("interrupted")
      const quick = yield* Effect.promise(() => countedTool("quick", `echo '{"type":"result","ok":true,"text":"ok"}'`))
      const gate = path.join(home.root, "open")
      const slow = yield* Effect.promise(() =>
        countedTool(
          "slow",
          `echo '{"type":"started","sessionId":"s1"}'\n[ -e '${gate}' ] || sleep 600\necho '{"type":"result","ok":true,"text":"late"}'`
        )
      )
      const events: Array<RunEvent> = []
      const input = {
        workers: 1,
        tools: { quick, slow },
        agents: [agent("a", "quick"), agent("b", "slow"), agent("c", "quick")]
      }
      const fiber = yield* Effect.fork(run(at, input, (event) => events.push(event)))
      while (!events.some((event) => event.kind === "agentEvent" && event.agentId === "b"))
        yield* Effect.sleep("10 millis")
      yield* Fiber.interrupt(fiber)

      const runId = yield* onlyRun(at)
      expect(yield* inJournal(at, (journal) => journal.run(runId))).toMatchObject({ status: "interrupted" })
      const before = yield* inJournal(at, (journal) => journal.jobs(runId))
      // A terminal record for what had begun, told as it was stored.
      expect(before.map(({ status }) => status)).toEqual(["completed", "cancelled", "pending"])
      expect(events.flatMap((event) => (event.kind === "jobEnded" ? [event.result] : []))).toEqual(
        before.slice(0, 2).map(({ result }) => result)
      )

      fs.writeFileSync(gate, "")
      const again = yield* resume(at, runId)
      expect(again.status).toBe("completed")
      expect(again.results.map(({ agentId, attempts, result }) => [agentId, attempts, result])).toEqual([
        ["a", 1, "ok"],
        ["b", 2, "late"],
        ["c", 1, "ok"]
      ])
      expect([starts("quick"), starts("slow")]).toEqual([2, 2])
      // Nothing is left to do, and nothing is done.
      expect((yield* resume(at, runId)).results).toEqual(again.results)
      expect([starts("quick"), starts("slow")]).toEqual([2, 2])
    })
  )

  it.live("goes on with a job that Ctrl-C found waiting for its second attempt", () =>
    Effect.gen(function* () {
      const at = folder("waiting")
      const flag = path.join(home.root, "waiting.works")
      const fails = yield* Effect.promise(() =>
        countedTool("fails-once", `[ -e '${flag}' ] || exit 1; echo '{"type":"result","ok":true,"text":"ok"}'`)
      )
      const events: Array<RunEvent> = []
      const retrying = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        run(at, { retries: 1, tools: { fails }, agents: [agent("a", "fails")] }, (event) => {
          events.push(event)
          if (event.kind === "jobRetrying") Deferred.unsafeDone(retrying, Effect.void)
        })
      )
      yield* Deferred.await(retrying)
      yield* Fiber.interrupt(fiber)
      // Its wait was not waited for: nothing began after it, and nothing was made of it.
      expect(events.filter(({ kind }) => kind === "jobStarted" || kind === "jobEnded")).toHaveLength(1)
      const runId = yield* onlyRun(at)
      expect(yield* inJournal(at, (journal) => journal.run(runId))).toMatchObject({ status: "interrupted" })
      expect(yield* inJournal(at, (journal) => journal.jobs(runId))).toMatchObject([
        { status: "pending", attempts: 1, charged: 1, result: null }
      ])
      fs.writeFileSync(flag, "")
      expect((yield* resume(at, runId)).results).toMatchObject([{ status: "completed", attempts: 2 }])
      expect(starts("fails-once")).toBe(2)
    })
  )

  it.live("takes over from a process that was killed: finished work is read, not done again", () =>
    Effect.gen(function* () {
      const at = folder("killed")
      const mark = path.join(home.root, "spoken")
      // Says that it is done and stays; so the orchestrator is killed after the terminal event and before the outcome.
      const done = yield* Effect.promise(() =>
        countedTool("done", `echo '{"type":"result","ok":true,"text":"the answer"}'\n: > '${mark}.done'\nsleep 600`)
      )
      const cut = yield* Effect.promise(() =>
        countedTool(
          "cut",
          `echo '{"type":"started","sessionId":"s9"}'\nuntil [ -e '${mark}.done' ]; do sleep 0.05; done\n[ -e '${mark}' ] || { : > '${mark}'; sleep 600; }\necho '{"type":"result","ok":true,"text":"second try"}'`
        )
      )
      yield* runAndKill(
        at,
        { workers: 2, tools: { done, cut }, agents: [agent("d", "done"), agent("c", "cut"), agent("e", "done")] },
        mark
      )
      const runId = yield* onlyRun(at)
      expect((yield* inJournal(at, (journal) => journal.run(runId))).status).toBe("running")
      const result = yield* resume(at, runId)
      expect(result.status).toBe("completed")
      expect(result.results.map(({ agentId, attempts, result }) => [agentId, attempts, result])).toEqual([
        ["d", 1, "the answer"],
        ["c", 2, "second try"],
        ["e", 1, "the answer"]
      ])
      expect([starts("done"), starts("cut")]).toEqual([2, 2])
      const attempts = yield* inJournal(at, (journal) => journal.attempts(`${runId}-2`))
      expect(attempts.map(({ charged, reason }) => [charged, reason])).toEqual([
        [false, "LeaseLost"],
        [true, null]
      ])
    })
  )

  it.live("in the process that interrupted it harms no other run of that process", () =>
    Effect.gen(function* () {
      const at = folder("same-process")
      const gate = path.join(home.root, "same-process.gate")
      const waits = yield* Effect.promise(() =>
        countedTool(
          "waits",
          `until [ -e '${gate}' ]; do sleep 0.05; done; echo '{"type":"result","ok":true,"text":"ok"}'`
        )
      )
      const quick = yield* Effect.promise(() =>
        countedTool("at-once", `echo '{"type":"result","ok":true,"text":"ok"}'`)
      )
      const config = (tool: string) => decode(at, { retries: 0, tools: { waits, quick }, agents: [agent("a", tool)] })
      yield* Effect.gen(function* () {
        const orchestrator = yield* Orchestrator
        const begun = yield* Deferred.make<void>()
        const other = yield* Effect.fork(
          orchestrator.run(yield* config("waits"), {
            onEvent: ({ kind }) => void (kind === "jobStarted" && Deferred.unsafeDone(begun, Effect.void))
          })
        )
        yield* Deferred.await(begun)
        while (starts("waits") === 0) yield* Effect.sleep("10 millis")
        const resumed = yield* orchestrator.resume(yield* orchestrator.enqueue(yield* config("quick")))
        fs.writeFileSync(gate, "")
        const statuses = [resumed, yield* Fiber.join(other)].map(({ results }) => results.map(({ status }) => status))
        expect(statuses).toEqual([["completed"], ["completed"]])
      }).pipe(Effect.provide(Live.layer({ dataDir: at.dataDir, env: at.env })))
    })
  )

  it.live("refuses a run that is at work, naming its process", () =>
    Effect.gen(function* () {
      const at = folder("owned")
      const tool = yield* Effect.promise(() => home.tool([say.started, { do: "delay", ms: 600_000 }], "events"))
      const events: Array<RunEvent> = []
      const fiber = yield* Effect.fork(
        run(at, { tools: { s: tool }, agents: [agent("a", "s")] }, (event) => events.push(event))
      )
      while (!events.some((event) => event.kind === "agentEvent")) yield* Effect.sleep("10 millis")
      const error = yield* Effect.flip(resume(at, yield* onlyRun(at)))
      expect(error).toMatchObject({ _tag: "RunOwned", pid: process.pid })
      yield* Fiber.interrupt(fiber)
    })
  )

  it.live(
    "refuses a run that another has taken up since it was looked at, whether that one is still at work or not",
    () =>
      Effect.gen(function* () {
        const at = folder("overtaken")
        const fast = yield* Effect.promise(() => countedTool("fast", `echo '{"type":"result","ok":true,"text":"ok"}'`))
        const { runId } = yield* run(at, { tools: { fast }, agents: [agent("a", "fast")] })
        const before = yield* inJournal(at, (journal) => journal.run(runId))
        const from = { ...before.owner, pid: before.owner.pid + 1 }
        const refused = yield* Effect.flip(resume(at, runId, { from }))
        expect(refused).toMatchObject({ _tag: "RunOwned", runId, pid: before.owner.pid })
        expect(yield* inJournal(at, (journal) => journal.run(runId))).toEqual(before)
        expect((yield* resume(at, runId, { from: before.owner })).status).toBe("completed")
      })
  )

  it.live("runs again, unasked, what was prepared and never launched", () =>
    Effect.gen(function* () {
      const at = folder("prepared")
      const mark = path.join(home.root, "prepared-up")
      const tool = yield* Effect.promise(() =>
        countedTool("silent", `echo said\n[ -e '${mark}' ] || { : > '${mark}'; sleep 600; }`, "text")
      )
      yield* runAndKill(at, { tools: { silent: tool }, agents: [agent("p", "silent")] }, mark)
      const runId = yield* onlyRun(at)
      const attempt = path.join(at.dataDir, "runs", runId, `${runId}-1`, "1")
      while (fs.readFileSync(path.join(attempt, "job.sh.exit"), "utf8") === "") yield* Effect.sleep("10 millis")
      // What a crash leaves between the files of an agent and its launch.
      fs.writeFileSync(path.join(attempt, "job.sh.exit"), "")
      fs.writeFileSync(path.join(attempt, "job.sh"), "exit 1\n")
      const result = yield* resume(at, runId)
      expect(result.results.map(({ attempts, result, status }) => [status, attempts, result])).toEqual([
        ["completed", 2, "said"]
      ])
      expect(starts("silent")).toBe(2)
    })
  )

  it.live("asks where nothing tells how a program without events ended", () =>
    Effect.gen(function* () {
      const at = folder("unknown")
      const mark = path.join(home.root, "up")
      const tool = yield* Effect.promise(() =>
        countedTool("mute", `mkdir '${mark}.1' || : > '${mark}'\nsleep 600`, "text")
      )
      yield* runAndKill(at, { tools: { mute: tool }, agents: [agent("m", "mute"), agent("n", "mute")] }, mark)
      const runId = yield* onlyRun(at)
      const jobs = yield* inJournal(at, (journal) => journal.jobs(runId))
      // The waiter that writes the exit code down may die with its machine.
      for (const { attempts, jobId, status } of jobs) {
        const exit = path.join(at.dataDir, "runs", runId, jobId, `${attempts}`, "job.sh.exit")
        if (status !== "running") continue
        while (!fs.existsSync(exit) || fs.readFileSync(exit, "utf8") === "") yield* Effect.sleep("10 millis")
        fs.writeFileSync(exit, "")
      }
      const begun = starts("mute")
      const error = yield* Effect.flip(resume(at, runId))
      expect(error).toMatchObject({
        _tag: "Undecided",
        jobs: jobs.filter(({ status }) => status === "running").map(({ jobId }) => jobId)
      })
      expect(starts("mute")).toBe(begun)
      const unknown = yield* Effect.flip(resume(at, runId, { decide: new Map([["nosuch", "rerun"]]) }))
      expect(unknown).toMatchObject({ _tag: "NotFound", what: "job", id: "nosuch" })
      const decide = new Map(jobs.map(({ jobId }) => [jobId, "skip"] as const))
      const result = yield* resume(at, runId, { decide })
      expect(result.results.map(({ reason, status }) => [status, reason])).toEqual([
        ["failed", "Indeterminate"],
        ["failed", "Indeterminate"]
      ])
      expect(starts("mute")).toBe(begun)
      const late = yield* Effect.flip(resume(at, runId, { decide }))
      expect(late).toMatchObject({
        _tag: "Undecided",
        jobs: [],
        settled: jobs.map(({ jobId }) => ({ jobId, state: "ended before: failed" }))
      })
    })
  )

  it.live("skips a job that was cut short where the user knows that its work is done, and takes one word of each", () =>
    Effect.gen(function* () {
      const at = folder("skipped")
      const mark = path.join(home.root, "skipped-up")
      const tool = yield* Effect.promise(() =>
        countedTool(
          "halved",
          `[ -e '${mark}' ] && exec echo '{"type":"result","ok":true,"text":"ok"}'\nmkdir '${mark}.1' || : > '${mark}'\nsleep 600`
        )
      )
      const agents = [agent("a", "halved"), agent("b", "halved")]
      yield* runAndKill(at, { workers: 2, tools: { halved: tool }, agents }, mark)
      const runId = yield* onlyRun(at)
      const [a, b] = [`${runId}-1`, `${runId}-2`]
      const both = yield* Effect.flip(
        resume(at, runId, {
          decide: new Map([
            [a, "skip"],
            ["a", "rerun"],
            [b, "rerun"],
            ["b", "rerun"]
          ])
        })
      )
      expect(both).toMatchObject({ _tag: "Undecided", message: `both rerun and skip are said of ${a}` })
      const decide = new Map([
        ["a", "skip"],
        [b, "rerun"]
      ] as const)
      const { results } = yield* resume(at, runId, { decide })
      expect(results.map(({ error, reason, status }) => [status, reason, error])).toEqual([
        ["failed", "Indeterminate", "it was cut short, and it was skipped"],
        ["completed", null, null]
      ])
      expect(starts("halved")).toBe(3)
    })
  )

  it.live("lets nobody decide about a job of which its output tells how it ended", () =>
    Effect.gen(function* () {
      const at = folder("told")
      const mark = path.join(home.root, "told-up")
      const tool = yield* Effect.promise(() =>
        countedTool("telling", `echo '{"type":"result","ok":true,"text":"done"}'\n: > '${mark}'\nsleep 600`)
      )
      yield* runAndKill(at, { tools: { telling: tool }, agents: [agent("t", "telling")] }, mark)
      const runId = yield* onlyRun(at)
      const error = yield* Effect.flip(resume(at, runId, { decide: new Map([["t", "skip"]]) }))
      expect(error).toMatchObject({
        _tag: "Undecided",
        jobs: [],
        settled: [{ jobId: `${runId}-1`, state: "has ended, as its output tells" }]
      })
      expect((yield* resume(at, runId)).results.map(({ result, status }) => [status, result])).toEqual([
        ["completed", "done"]
      ])
      expect(starts("telling")).toBe(1)
    })
  )
})

describe("a usage limit", () => {
  it.live("parks its tool and charges no attempt; without waiting the run ends, and goes on later", () =>
    Effect.gen(function* () {
      const at = folder("parked")
      const open = path.join(home.root, "limit-over")
      const soon = Date.now() + 3_600_000
      const wall = JSON.stringify({
        type: "result",
        ok: false,
        error: { class: "quota", message: "usage limit reached", resetsAt: soon }
      })
      const limited = yield* Effect.promise(() =>
        countedTool(
          "limited",
          `if [ -e '${open}' ]; then echo '{"type":"result","ok":true,"text":"ok"}'; else echo '${wall}'; fi`
        )
      )
      const free = yield* Effect.promise(() => countedTool("free", `echo '{"type":"result","ok":true,"text":"ok"}'`))
      const agents = [
        ...Array.from({ length: 6 }, (_, index) => agent(`l${index}`, "limited")),
        ...Array.from({ length: 3 }, (_, index) => agent(`f${index}`, "free"))
      ]
      const config = { workers: 1, retries: 0, tools: { limited, free }, agents }
      const events: Array<RunEvent> = []
      const first = yield* run(at, config, (event) => events.push(event), { wait: false })
      expect(first.status).toBe("interrupted")
      expect(first.parked.map(({ tool }) => tool)).toEqual(["limited"])
      expect(first.parked[0]?.until).toBeGreaterThanOrEqual(soon)
      expect(first.results.map(({ agentId, status }) => [agentId, status])).toEqual(
        ["f0", "f1", "f2"].map((id) => [id, "completed"])
      )
      expect(events.filter((event) => event.kind === "toolParked")).toHaveLength(1)
      expect([starts("limited"), starts("free")]).toEqual([1, 3])

      // The limit is over: one job tries, the others follow.
      fs.writeFileSync(open, "")
      yield* inJournal(at, (journal) => journal.park({ tool: "limited", until: 0, message: "usage limit reached" }))
      const again = yield* resume(at, first.runId)
      expect(again.status).toBe("completed")
      expect(again.results).toHaveLength(9)
      expect([starts("limited"), starts("free")]).toEqual([7, 3])
      const attempts = yield* inJournal(at, (journal) => journal.attempts(`${first.runId}-1`))
      expect(attempts.map(({ charged, reason }) => [charged, reason])).toEqual([
        [false, "QuotaExhausted"],
        [true, null]
      ])
    })
  )
})
