import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterAll, describe, expect } from "vitest"
import { JobQueue } from "../src/JobQueue.js"
import * as Live from "../src/Live.js"
import { Orchestrator, type RunEvent } from "../src/Orchestrator.js"
import { decode, makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const programOf = (name: string) => fileURLToPath(new URL(`./programs/${name}.mjs`, import.meta.url))
const secret = "sk-SECRETSECRET0123456789abcdef"
let folders = 0
/** The same home with a data folder of its own. */
const fresh = () => ({ ...home, dataDir: path.join(home.root, `data-${++folders}`) })

/** The files below the data folder that hold the secret. */
const leaks = (dataDir: string): ReadonlyArray<string> =>
  fs
    .readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => fs.readFileSync(file).includes(secret))
    .map((file) => path.relative(dataDir, file))
    .sort()

const orchestrate = (dataDir: string, input: unknown, failing?: string) =>
  spawn(
    process.execPath,
    [
      ...(failing === undefined ? [] : ["--import", programOf("failingStart")]),
      programOf("orchestrate"),
      dataDir,
      home.work,
      JSON.stringify(input)
    ],
    { env: { ...home.env, FAILING_START: failing ?? "" }, stdio: ["ignore", "pipe", "pipe"] }
  )

const liveIn = ({ dataDir }: { readonly dataDir: string }) => Effect.provide(Live.layer({ dataDir, env: home.env }))

it.live("reaches no sink: events, result, error, files, journal, memory", () =>
  Effect.gen(function* () {
    const canary = "canary-7c1e-0123456789"
    const tool = yield* Effect.promise(() =>
      home.tool(
        [
          say.started,
          say.message(`the key is ${canary}`),
          { do: "print", line: canary, to: "stderr" },
          say.done(`done with ${canary}`)
        ],
        "events"
      )
    )
    const failing = yield* Effect.promise(() =>
      home.tool([
        { do: "print", line: `bad ${canary}`, to: "stderr" },
        { do: "exit", code: 2 }
      ])
    )
    const events: Array<RunEvent> = []
    const result = yield* run(
      home,
      {
        retries: 0,
        tools: { s: { ...tool, env: { THE_KEY: canary } }, f: { ...failing, env: { THE_KEY: canary } } },
        agents: ["s", "f"].map((name) => ({ role: "docs", directory: ".", task: "go", tool: name }))
      },
      (event) => events.push(event)
    )
    expect(result.results.map((job) => job.status)).toEqual(["completed", "failed"])
    expect(JSON.stringify([result, events])).toContain("[redacted: THE_KEY]")
    expect(JSON.stringify([result, events])).not.toContain(canary)
    const files = fs
      .readdirSync(home.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(4)
    const leaks = files.filter((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)).includes(canary))
    expect(leaks.map((entry) => path.join(entry.parentPath, entry.name))).toEqual([])
    for (const entry of files) {
      expect(fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o077).toBe(0)
    }
  })
)

describe("a start that was cut short while it wrote down what its jobs were given", () => {
  const input = {
    tools: { t: { command: ["true"], output: "text", env: { API_TOKEN: secret } } },
    agents: Array.from({ length: 40 }, () => ({ role: "docs", task: "go", tool: "t" }))
  }

  it.live("by kill -9: there is no run, and the next start leaves nothing of it", () =>
    Effect.gen(function* () {
      const own = fresh()
      const [, signal] = yield* Effect.promise(() => once(orchestrate(own.dataDir, input, "die"), "exit"))
      expect(signal).toBe("SIGKILL")
      expect(leaks(own.dataDir)).toHaveLength(20)
      expect(yield* Effect.flatMap(JobQueue, (journal) => journal.runs({})).pipe(liveIn(own))).toEqual([])

      const tool = yield* Effect.promise(() => home.tool([{ do: "print", line: "ok" }]))
      const agents = [{ role: "docs", directory: ".", task: "go", tool: "t" }]
      const { runId } = yield* run(own, { tools: { t: tool }, agents })
      expect(leaks(own.dataDir)).toEqual([])
      expect(fs.readdirSync(path.join(own.dataDir, "runs"))).toEqual([runId])
      expect(fs.readdirSync(path.join(own.dataDir, "given"))).toEqual([])
    })
  )

  it.live("by a full disk: it says so, and leaves nothing", () =>
    Effect.gen(function* () {
      const own = fresh()
      const child = orchestrate(own.dataDir, input, "full")
      const said = yield* Effect.promise(() => text(child.stderr))
      expect(said).toContain("the disk is full: free some space")
      expect(leaks(own.dataDir)).toEqual([])
      expect(fs.readdirSync(path.join(own.dataDir, "runs"))).toEqual([])
      expect(fs.readdirSync(path.join(own.dataDir, "given"))).toEqual([])
      expect(yield* Effect.flatMap(JobQueue, (journal) => journal.runs({})).pipe(liveIn(own))).toEqual([])
    })
  )
})

describe("of a job that has ended nothing is left,", () => {
  /** One at work when its orchestrator dies, and one that waits. */
  const killed = (dataDir: string) =>
    Effect.gen(function* () {
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "print", line: `up with ${secret}` },
          { do: "delay", ms: 600_000 }
        ])
      )
      const agents = [1, 2].map(() => ({ role: "docs", task: "go", tool: "t" }))
      const child = orchestrate(dataDir, { workers: 1, tools: { t: { ...tool, env: { API_TOKEN: secret } } }, agents })
      yield* Effect.promise(async () => {
        await once(child.stdout, "data")
        child.kill("SIGKILL")
        await once(child, "exit")
      })
      const [left] = yield* Effect.flatMap(JobQueue, (journal) => journal.runs({})).pipe(liveIn({ dataDir }))
      expect(leaks(dataDir).map((file) => path.basename(file))).toEqual(["stdout", "given.json", "given.json"])
      return left?.runId ?? ""
    })

  it.live("where it was cancelled after its orchestrator had died", () =>
    Effect.gen(function* () {
      const own = fresh()
      const runId = yield* killed(own.dataDir)
      const ended = yield* Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.cancel(runId)).pipe(liveIn(own))
      expect(ended).toBe(2)
      expect(leaks(own.dataDir)).toEqual([])
      expect(fs.readdirSync(path.join(own.dataDir, "raw"))).toEqual([])
    })
  )

  it.live("where it was skipped, nor of one that waited for a resume and was cancelled instead", () =>
    Effect.gen(function* () {
      const own = fresh()
      const runId = yield* killed(own.dataDir)
      // The waiter that writes the exit code down may die with its machine.
      const exit = path.join(own.dataDir, "runs", runId, `${runId}-1`, "1", "job.sh.exit")
      while (!fs.existsSync(exit) || fs.readFileSync(exit, "utf8") === "") yield* Effect.sleep("10 millis")
      fs.writeFileSync(exit, "")
      const decide = new Map([[`${runId}-1`, "skip"]] as const)
      const { results } = yield* Effect.flatMap(Orchestrator, (orchestrator) =>
        orchestrator.resume(runId, { decide, runTimeout: 1 })
      ).pipe(liveIn(own))
      expect(results[0]?.reason).toBe("Indeterminate")
      // The other one was interrupted, and what it was given waits for a resume.
      expect(leaks(own.dataDir)).toEqual([path.join("runs", runId, `${runId}-2`, "given.json")])
      const ended = yield* Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.cancel(runId)).pipe(liveIn(own))
      expect(ended).toBe(1)
      expect(leaks(own.dataDir)).toEqual([])
    })
  )

  it.live("where its run was interrupted while it was at work, and it was cancelled then", () =>
    Effect.gen(function* () {
      const own = fresh()
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "print", line: `up with ${secret}` },
          { do: "delay", ms: 600_000 }
        ])
      )
      const up = yield* Deferred.make<void>()
      const input = {
        tools: { t: { ...tool, env: { API_TOKEN: secret } } },
        agents: [{ role: "docs", directory: ".", task: "go", tool: "t" }]
      }
      const fiber = yield* Effect.fork(
        run(own, input, (event) => {
          if (event.kind === "agentEvent") Deferred.unsafeDone(up, Effect.void)
        })
      )
      yield* Deferred.await(up)
      yield* Fiber.interrupt(fiber)
      const [left] = yield* Effect.flatMap(JobQueue, (journal) => journal.runs({})).pipe(liveIn(own))
      expect(leaks(own.dataDir).map((file) => path.basename(file))).toEqual(["given.json"])
      const ended = yield* Effect.flatMap(Orchestrator, (orchestrator) => orchestrator.cancel(left?.runId ?? "")).pipe(
        liveIn(own)
      )
      expect(ended).toBe(1)
      expect(leaks(own.dataDir)).toEqual([])
    })
  )

  it.live("where another's failure, or the budget of the run, did not let it begin", () =>
    Effect.gen(function* () {
      const own = fresh()
      const failing = yield* Effect.promise(() => home.tool([{ do: "exit", code: 2 }]))
      const input = {
        workers: 1,
        retries: 0,
        tools: { t: { ...failing, env: { API_TOKEN: secret } } },
        agents: [1, 2, 3].map(() => ({ role: "docs", directory: ".", task: "go", tool: "t" }))
      }
      const { results } = yield* run(own, input, undefined, { failFast: true })
      expect(results.map(({ status }) => status)).toEqual(["failed", "cancelled", "cancelled"])
      expect(leaks(own.dataDir)).toEqual([])
      const costly = yield* Effect.promise(() =>
        home.tool(
          [
            say.started,
            { do: "print", line: { type: "usage", inputTokens: 10, outputTokens: 10, costUsd: 1 } },
            say.done("done")
          ],
          "events"
        )
      )
      const spent = yield* run(own, {
        ...input,
        budget: { maxTokens: 1 },
        tools: { t: { ...costly, env: { API_TOKEN: secret } } }
      })
      expect(spent.results.map(({ reason }) => reason)).toContain("BudgetExceeded")
      expect(leaks(own.dataDir)).toEqual([])
    })
  )
})

it.live("a run without jobs is not told as completed by a resume", () =>
  Effect.gen(function* () {
    const config = yield* decode(home, { agents: [{ role: "docs", directory: ".", task: "go", tool: "mock" }] })
    const orchestrator = yield* Orchestrator
    const runId = yield* orchestrator.enqueue({ ...config, jobs: [] })
    const refused = yield* Effect.flip(orchestrator.resume(runId))
    expect(refused.message).toBe(`run ${runId} has no jobs, so that there is nothing to go on with`)
    expect((yield* Effect.flatMap(JobQueue, (journal) => journal.run(runId))).status).toBe("interrupted")
  }).pipe(liveIn(fresh()))
)
