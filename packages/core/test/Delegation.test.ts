/** Agents that have agents at work: real processes, over real MCP, in one run. */
import { spawn as spawnProcess } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { afterAll, describe, expect } from "vitest"
import { cancelled, unattempted } from "../src/internal/jobRunner.js"
import { JobId, type JobResult, type RunId } from "../src/Job.js"
import * as JobQueue from "../src/JobQueue.js"
import * as Live from "../src/Live.js"
import { Orchestrator, type RunEvent } from "../src/Orchestrator.js"
import * as OrchestratorTools from "../src/OrchestratorTools.js"
import * as WorkerQueue from "../src/WorkerQueue.js"
import { decode, makeHome, run } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const program = fileURLToPath(new URL("./programs/rehearse.mjs", import.meta.url))
const spawn = "contextfs_orchestrator_spawn"
const start = "contextfs_orchestrator_run"
const call = (tool: string, input: object) => `mock: call ${tool} ${JSON.stringify(input)}`
const chief = (lines: ReadonlyArray<string>, more: object = {}) => ({
  role: "orchestrator",
  directory: ".",
  id: "chief",
  task: ["Lead.", ...lines].join("\n"),
  ...more
})

interface Ran {
  readonly status: string
  readonly results: ReadonlyArray<JobResult>
  /** What the agents said, by agent. */
  readonly said: (agentId: string) => ReadonlyArray<string>
  readonly events: ReadonlyArray<RunEvent>
}

/** One run of mock agents in a project of its own, so that none finds what another run has saved. */
let projects = 0
const rehearse = (agents: ReadonlyArray<object>, more: object = {}) =>
  Effect.gen(function* () {
    const events: Array<RunEvent> = []
    const input = { project: `delegation-${++projects}`, tool: "mock", agents, ...more }
    const { results, status } = yield* run(home, input, (event) => events.push(event))
    const said = (agentId: string) =>
      events.flatMap((event) =>
        event.kind === "agentEvent" && event.agentId === agentId && event.event.kind === "message"
          ? [event.event.text]
          : []
      )
    return { status, results, said, events } satisfies Ran
  })

describe("an agent in the orchestrator role", () => {
  it.live("has others at work, waits for them with the one worker there is, and is told what became of them", () =>
    Effect.gen(function* () {
      const agents = [
        { role: "code", directory: ".", task: 'Write.\nmock: save decision "ids are ULIDs"' },
        { role: "review", directory: ".", task: 'Read.\nmock: wait-for "ids are ULIDs"\nmock: fail "they are not"' }
      ]
      const ran = yield* rehearse([chief([call(start, { agents }), "mock: watch"], { delegate: "exec" })], {
        workers: 1,
        retries: 0
      })
      expect(ran.results.map(({ agentId, status }) => [agentId, status])).toEqual([
        ["chief", "completed"],
        ["code-1", "completed"],
        ["review-1", "failed"]
      ])
      const [asked, watched] = ran.said("chief")
      expect(asked).toMatch(/^\S+-2 code-1 \(code, mock\) pending\n\S+-3 review-1 \(review, mock\) pending$/)
      expect(watched).toMatch(
        /code-1 \(code, mock\) completed after [\d.]+ s\n {2}Rehearsed as code: .*\n {2}memories: /
      )
      expect(watched).toContain("failed after")
      expect(watched).toContain("AgentReported: they are not")
      const [saved] = ran.results[1]?.memory?.saved ?? []
      expect(watched).toContain(saved)
      expect(ran.events.flatMap((event) => (event.kind === "jobAdded" ? [[event.agentId, event.parent]] : []))).toEqual(
        [
          ["code-1", ran.results[0]?.jobId],
          ["review-1", ran.results[0]?.jobId]
        ]
      )
      expect(ran.status).toBe("failed")
      expect(mostAtWork(ran.events.filter((event) => !("agentId" in event) || event.agentId !== "chief"))).toBe(1)
    })
  )

  it.live("may give no more than the user gave it, no place out of its own, and no name but its own", () =>
    Effect.gen(function* () {
      const inner = path.join(home.work, "inner")
      fs.mkdirSync(inner)
      fs.symlinkSync(home.root, path.join(inner, "out"))
      fs.symlinkSync(inner, path.join(inner, "in"))
      const ask = (more: object) =>
        call(spawn, { role: "code", directory: ".", task: "x", permission: "edit", ...more })
      const ran = yield* rehearse([
        chief(
          [
            ask({ permission: "exec" }),
            ask({ permission: "full" }),
            ask({ directory: ".." }),
            ask({ directory: home.root }),
            ask({ directory: "out" }),
            ask({ directory: "nowhere" }),
            ask({ tool: "no-such-tool" }),
            ask({ role: "nobody" }),
            ask({ id: "chief" }),
            ask({ timeout: 3_600 }),
            ask({ project: "elsewhere" }),
            ask({ parent: "other-1", trust: "user" }),
            ask({ env: { HOME: "/" } }),
            call(start, { ids: ["other-1"] }),
            call(start, {
              agents: [
                { role: "code", directory: ".", task: "never started" },
                { role: "code", directory: "..", task: "x" }
              ]
            }),
            ask({ role: "test", permission: undefined, directory: "in" }),
            "mock: watch"
          ],
          { directory: "inner", delegate: "edit", timeout: 600 }
        )
      ])
      const said = ran.said("chief")
      const expected = [
        'permission "exec" for code: the user lets the agents that you ask for have at most "edit"',
        'permission "full" for code: the user lets the agents that you ask for have at most "edit"',
        "out of your own",
        "out of your own",
        "out of your own",
        'no directory "nowhere" in yours',
        "unknown tool no-such-tool",
        'unknown role "nobody"',
        'the id "chief" is taken',
        "yours is 600 seconds",
        'belongs to project "delegation-',
        "parent: is unexpected",
        "env: is unexpected",
        'no job "other-1" in this run',
        "out of your own"
      ]
      for (const [index, text] of expected.entries()) expect(said[index], `refusal ${index}`).toContain(text)
      // Of all that, one was granted: with the least of the role's permission and the grant, at its real place.
      expect(ran.results.map(({ agentId, directory, status }) => [agentId, directory, status])).toEqual([
        ["chief", inner, "completed"],
        ["test-1", inner, "completed"]
      ])
      expect(yield* specs(ran)).toMatchObject([
        { delegate: "edit", depth: 0, parent: null },
        { permission: "edit", delegate: "none", depth: 1, parent: ran.results[0]?.jobId }
      ])
    })
  )

  it.live("stands three deep at most, each with the grant of the user", () =>
    Effect.gen(function* () {
      const nest = (depth: number): string =>
        depth === 0
          ? "Rest."
          : [
              "Lead.",
              call(spawn, { role: depth === 1 ? "code" : "orchestrator", directory: ".", task: nest(depth - 1) }),
              "mock: watch"
            ].join("\n")
      const ran = yield* rehearse([{ role: "orchestrator", directory: ".", task: nest(4) }], {
        workers: 1,
        retries: 0,
        permission: "edit"
      })
      expect((yield* specs(ran)).map(({ delegate, depth, role }) => [role, depth, delegate])).toEqual([
        ["orchestrator", 0, "edit"],
        ["orchestrator", 1, "edit"],
        ["orchestrator", 2, "edit"],
        ["orchestrator", 3, "none"]
      ])
      // The last one has not even the tool.
      expect(ran.results.map(({ error, status }) => [status, error])).toEqual([
        ["completed", null],
        ["completed", null],
        ["completed", null],
        ["failed", expect.stringContaining(`unknown tool "${spawn}"`)]
      ])
    })
  )
})

describe("an agent in another role", () => {
  it.live("has none of these tools, unless the user lets it", () =>
    Effect.gen(function* () {
      const task = ["Try.", call("contextfs_orchestrator_roles", {}), "mock: watch"].join("\n")
      const ran = yield* rehearse(
        [
          { role: "code", directory: ".", task, id: "plain" },
          { role: "code", directory: ".", task, id: "allowed", delegate: "read" }
        ],
        { retries: 0 }
      )
      expect(ran.said("plain")).toEqual([])
      expect(ran.said("allowed")[0]).toContain("review - ")
      expect(ran.results.map(({ error, status }) => [status, error])).toEqual([
        ["failed", expect.stringContaining("unknown tool")],
        ["completed", null]
      ])
    })
  )
})

describe("what was asked for", () => {
  /** A queue over the services of a run, with what happens in it. */
  const open = (options: Partial<WorkerQueue.Options>) =>
    Effect.gen(function* () {
      const events: Array<RunEvent> = []
      const seen = (holds: (event: RunEvent) => boolean) =>
        Effect.gen(function* () {
          while (!events.some(holds)) yield* Effect.sleep("20 millis")
        })
      const queue = yield* WorkerQueue.make({
        project: `delegation-${++projects}`,
        onEvent: (event) => events.push(event),
        ...options
      })
      const submit = (agent: object) =>
        Effect.gen(function* () {
          const { jobs } = yield* decode(home, { project: queue.project, tool: "mock", retries: 0, agents: [agent] })
          return yield* Effect.forEach(jobs, queue.submit)
        })
      const ended = Effect.map(queue.join, (results) => results.map(({ agentId, status }) => [agentId, status]))
      return { ...queue, submit, ended, events, seen }
    })
  const test = <E>(name: string, body: () => Effect.Effect<void, E, Live.Services | Scope.Scope>) =>
    it.live(name, () =>
      body().pipe(Effect.scoped, Effect.provide(Live.layer({ dataDir: home.dataDir, env: home.env })))
    )
  const child = (task: string) => ({ role: "code", directory: ".", task })
  const long = "mock: delay 600s"

  test("is cancelled with the one that asked", () =>
    Effect.gen(function* () {
      const queue = yield* open({ numWorkers: 1 })
      const [chiefId = ""] = yield* queue.submit(
        chief([call(start, { agents: [child(long), child(long)] }), "mock: watch"])
      )
      yield* queue.seen((event) => event.kind === "jobStarted" && event.agentId === "code-1")
      expect(yield* queue.cancel(chiefId)).toBe(true)
      expect(yield* queue.ended).toEqual([
        ["chief", "cancelled"],
        ["code-1", "cancelled"],
        ["code-2", "cancelled"]
      ])
      // The worker that it had lent is one worker again.
      const before = queue.events.length
      yield* queue.submit({ ...child("mock: delay 300ms"), id: "one" })
      yield* queue.submit({ ...child("mock: delay 300ms"), id: "two" })
      yield* queue.join
      expect(mostAtWork(queue.events.slice(before))).toBe(1)
    }))

  test("ends with the run that another shell wants cancelled", () =>
    Effect.gen(function* () {
      const journal = yield* JobQueue.JobQueue
      const queue = yield* open({ numWorkers: 2 })
      yield* queue.submit(chief([call(spawn, child(long)), "mock: watch"]))
      yield* queue.seen((event) => event.kind === "jobStarted" && event.agentId === "code-1")
      yield* journal.requestCancel(queue.runId)
      expect(yield* queue.ended).toEqual([
        ["chief", "cancelled"],
        ["code-1", "cancelled"]
      ])
    }))

  test("goes on when the one that asked has ended, and waits for no room in the queue", () =>
    Effect.gen(function* () {
      const queue = yield* open({ numWorkers: 1, maxQueueSize: 1 })
      yield* queue.submit(chief([call(start, { agents: [child("a"), child("b"), child("c")] })]))
      expect(yield* queue.ended).toEqual([
        ["chief", "completed"],
        ["code-1", "completed"],
        ["code-2", "completed"],
        ["code-3", "completed"]
      ])
    }))

  test("works within the turn of the one that asked, where those that write take turns", () =>
    Effect.gen(function* () {
      const queue = yield* open({ numWorkers: 2, overlap: "serialize" })
      yield* queue.submit(
        chief([call(spawn, { ...child("x"), permission: "edit" }), "mock: watch"], { permission: "edit" })
      )
      expect(yield* queue.ended).toEqual([
        ["chief", "completed"],
        ["code-1", "completed"]
      ])
    }))

  test("is bounded for the whole run", () =>
    Effect.gen(function* () {
      const queue = yield* open({ numWorkers: 1 })
      const many = Array.from({ length: 32 }, () => child(long))
      const [chiefId = ""] = yield* queue.submit(
        chief([call(start, { agents: many }), call(spawn, child(long)), "mock: delay 600s"])
      )
      const says = (text: string) => (event: RunEvent) =>
        event.kind === "agentEvent" && event.event.kind === "message" && event.event.text.includes(text)
      yield* queue.seen(says("code-32"))
      yield* queue.seen(says("may have 32 others at work, 32 are"))
      yield* queue.cancel(chiefId)
      expect(new Set((yield* queue.ended).map(([, status]) => status))).toEqual(new Set(["cancelled"]))
    }))

  it.live("is bounded over all the time of the run, whatever became of them", () =>
    Effect.gen(function* () {
      const child = { role: "docs", directory: ".", task: "Describe it." }
      const config = yield* decode(home, {
        project: `delegation-${++projects}`,
        tool: "mock",
        agents: [chief([call(spawn, child), call(spawn, child), "mock: watch"])]
      })
      const orchestrator = yield* Orchestrator
      const journal = yield* JobQueue.JobQueue
      const runId = yield* orchestrator.enqueue(config)
      const [first] = yield* journal.jobs(runId)
      if (first === undefined) return yield* Effect.dieMessage("no job")
      // Some of earlier days: 199 that it has asked for, and that have ended.
      const before = Array.from({ length: 199 }, (_, index) => ({
        jobId: JobId.make(`${runId}-${index + 2}`),
        spec: { ...first.spec, agentId: `before-${index}`, parent: first.jobId, depth: 1 }
      }))
      yield* journal.add(runId, before)
      for (const { jobId } of before) yield* journal.settle(unattempted(yield* journal.job(jobId), cancelled, 0))
      const said: Array<string> = []
      const { results } = yield* orchestrator.resume(runId, {
        onEvent: (event) => {
          if (event.kind === "agentEvent" && event.event.kind === "message") said.push(event.event.text)
        }
      })
      expect(said.some((text) => text.includes("may ask for 200 others, and have asked for 200"))).toBe(true)
      expect(results.slice(200).map(({ agentId, status }) => [agentId, status])).toEqual([["docs-1", "completed"]])
    }).pipe(Effect.provide(Live.layer({ dataDir: path.join(home.root, "many"), env: home.env })))
  )

  test("is not started where a link has come into its way since", () =>
    Effect.gen(function* () {
      const place = path.join(home.work, "swapped")
      fs.mkdirSync(place)
      const queue = yield* open({
        numWorkers: 1,
        onEvent: (event) => {
          if (event.kind !== "jobAdded" || event.parent === null) return
          fs.rmdirSync(place)
          fs.symlinkSync(home.root, place)
        }
      })
      yield* queue.submit(chief([call(spawn, { ...child("x"), directory: "swapped" }), "mock: watch"]))
      const results = yield* queue.join
      expect(results.map(({ agentId, reason }) => [agentId, reason])).toEqual([
        ["chief", null],
        ["code-1", "SpawnFailed"]
      ])
      expect(results[1]?.error).toContain("leads elsewhere")
    }))

  it.live("is still there when its run goes on after a kill", () =>
    Effect.gen(function* () {
      const dataDir = path.join(home.root, "killed")
      const agents = [chief([call(spawn, child("mock: delay 3s")), "mock: watch"])]
      yield* Effect.promise(async () => {
        const killed = spawnProcess(process.execPath, [program, dataDir, home.work, JSON.stringify(agents)], {
          env: home.env,
          stdio: ["ignore", "pipe", "inherit"]
        })
        let seen = ""
        for await (const chunk of killed.stdout) {
          seen += chunk
          if (seen.includes("jobStarted code-1")) break
        }
        killed.kill("SIGKILL")
        await once(killed, "exit")
      })
      const said: Array<string> = []
      const result = yield* Effect.gen(function* () {
        const [dead] = yield* Effect.flatMap(JobQueue.JobQueue, (journal) => journal.runs({}))
        const orchestrator = yield* Orchestrator
        return yield* orchestrator.resume(dead?.runId ?? "", {
          onEvent: (event) => {
            if (event.kind !== "agentEvent" || event.agentId !== "chief" || event.event.kind !== "message") return
            said.push(event.event.text)
          }
        })
      }).pipe(Effect.provide(Live.layer({ dataDir, env: home.env })))
      // The mock asks again for what its task says; a model is told to look first.
      expect(result.results.map(({ agentId, attempts, status }) => [agentId, attempts, status])).toEqual([
        ["chief", 2, "completed"],
        ["code-1", 2, "completed"],
        ["code-2", 1, "completed"]
      ])
      expect(said[1]).toMatch(/code-1 .* completed(.|\n)*code-2 .* completed/)
    })
  )
})

describe("the user's own session", () => {
  it.live("starts a run, watches it and finds what became of it", () =>
    Effect.gen(function* () {
      const project = `delegation-${++projects}`
      const orchestrator = yield* Orchestrator
      const scope = yield* Effect.scope
      const tools = yield* OrchestratorTools.forSession({
        project,
        directory: home.work,
        tools: ["mock"],
        launch: (config) =>
          Effect.gen(function* () {
            const runId = yield* Deferred.make<RunId>()
            const run = orchestrator.run(config, {
              onEvent: (event) => {
                if (event.kind === "runStarted") Deferred.unsafeDone(runId, Effect.succeed(event.runId))
              }
            })
            yield* Effect.forkIn(run, scope)
            return yield* Deferred.await(runId)
          })
      })
      const user = { project, namespace: "global", trust: "user", sourceTool: "claude-code" } as const
      const use = (name: string, args: object) =>
        tools.find((tool) => tool.name === name)?.call(args, user) ?? Effect.dieMessage(name)
      const agent = { role: "docs", directory: ".", tool: "mock", task: "Describe it." }
      expect(yield* use(spawn, { ...agent, permission: "full" })).toMatchObject({ ok: false })
      expect(yield* use(spawn, { ...agent, role: "nobody" })).toMatchObject({
        ok: false,
        text: expect.stringContaining("nobody")
      })
      const asked = yield* use(spawn, agent)
      expect(asked).toMatchObject({ ok: true, structured: { jobs: [{ agent_id: "docs-1", role: "docs" }] } })
      let told = asked
      while (/ (pending|running)/.test(told.text)) told = yield* use(start, { wait_seconds: 50 })
      expect(told).toMatchObject({
        structured: { jobs: [{ status: "completed", result: expect.stringContaining("Rehearsed as docs") }] }
      })
    }).pipe(Effect.scoped, Effect.provide(Live.layer({ dataDir: home.dataDir, env: home.env })))
  )
})

/** How many jobs were between their start and their end at a time. */
const mostAtWork = (events: ReadonlyArray<RunEvent>): number => {
  const atWork = new Set<string>()
  return Math.max(
    ...events.map((event) => {
      if (event.kind === "jobStarted") atWork.add(event.jobId)
      if (event.kind === "jobEnded") atWork.delete(event.result.jobId)
      return atWork.size
    })
  )
}

const specs = (ran: Ran) =>
  Effect.flatMap(JobQueue.JobQueue, (journal) => journal.jobs(ran.results[0]?.runId ?? "")).pipe(
    Effect.map((jobs) => jobs.map(({ spec }) => spec)),
    Effect.provide(JobQueue.layerSqlite({ path: path.join(home.dataDir, "orchestrator.db") }))
  )
