import * as fs from "node:fs"
import * as path from "node:path"
import * as Census from "@contextfs/fixtures/Census"
import type { Scenario } from "@contextfs/fixtures/Scenario"
import * as Duration from "effect/Duration"
import { afterAll, describe, expect, it } from "vitest"
import { type JobResult, JobStatus, type RunEvent, WorkerQueue, type WorkerQueueOptions } from "../../src/index.js"
import { makeHome } from "../harness.js"

const home = makeHome()
afterAll(home.remove)

let count = 0
/** A queue in the home whose tool `s` plays the steps. */
const open = async (steps: Scenario, options: WorkerQueueOptions = {}): Promise<WorkerQueue> =>
  WorkerQueue.make({
    dataDir: home.dataDir,
    env: home.env,
    tool: "s",
    project: `queue-${++count}`,
    ...options,
    settings: { grace: 0.5, retries: 0, tools: { s: await home.tool(steps) }, ...options.settings }
  })

const agent = { role: "custom", directory: home.work, task: "do it" }
const print = (line: string) => ({ do: "print", line }) as const
const hang = { do: "delay", ms: 600_000 } as const

/** A gate that agents wait at until it is opened. */
const gate = () => {
  const file = path.join(home.root, `gate-${++count}`)
  return { wait: { do: "await", path: file } as const, open: () => fs.writeFileSync(file, "") }
}

/** Resolves once the queue's events have had the kind so many times. */
const events = () => {
  const seen: Array<RunEvent> = []
  const waiting = new Set<() => void>()
  const times = (kind: RunEvent["kind"]) => seen.filter((event) => event.kind === kind).length
  return {
    onEvent: (event: RunEvent) => {
      seen.push(event)
      for (const look of waiting) look()
    },
    seen: (kind: RunEvent["kind"], wanted = 1) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (times(kind) >= wanted) resolve()
        }
        waiting.add(look)
        look()
      })
  }
}

const idsOf = (results: ReadonlyArray<JobResult>) => results.map(({ jobId }) => jobId)
const all = async (results: AsyncIterable<JobResult>) => {
  const list: Array<JobResult> = []
  for await (const result of results) list.push(result)
  return list
}

describe("a queue", () => {
  it("does what the original's does: submit both ways, ask, cancel, count, join, stream", async () => {
    const door = gate()
    const told = events()
    await using queue = await open([print("up"), door.wait, print("done")], { numWorkers: 1, ...told })
    const first = await queue.submit("test", home.work, "Write tests", { timeout: 60 })
    const second = await queue.submit({ ...agent, role: "code", timeout: Duration.minutes(2) })
    await told.seen("jobStarted")
    expect(queue.getJob(first)).toMatchObject({ jobId: first, status: JobStatus.RUNNING, attempts: 1, result: null })
    expect(queue.getJob(second)).toMatchObject({ status: "pending", attempts: 0 })
    expect([queue.pendingCount, queue.runningCount]).toEqual([1, 1])
    expect([queue.getJob(first).spec, queue.getJob(second).spec].map((spec) => [spec.agentId, spec.timeout])).toEqual([
      ["test-1", 60_000],
      ["code-1", 120_000]
    ])
    expect(await queue.cancel(second)).toBe(true)
    expect(queue.getJob(second)).toMatchObject({ status: JobStatus.CANCELLED, result: { reason: "JobCancelled" } })
    expect(await queue.cancel(second)).toBe(false)
    expect(await queue.cancel("no-such-job")).toBe(false)
    door.open()
    const results = await queue.join()
    expect(results.map(({ jobId, role, status, result }) => [jobId, role, status, result])).toEqual([
      [first, "test", "completed", "up\ndone"],
      [second, "code", "cancelled", null]
    ])
    expect(queue.getJob(first).result).toEqual(results[0])
    expect([queue.pendingCount, queue.runningCount]).toEqual([0, 0])
    // In the order of completion, from the start, as often as one likes.
    expect(idsOf(await all(queue.results()))).toEqual([second, first])
    expect(idsOf(await all(queue.results()))).toEqual([second, first])
    expect(() => queue.getJob("no-such-job")).toThrow(expect.objectContaining({ _tag: "NotFound" }))
  })

  it("streams what is submitted meanwhile, to readers that know nothing of each other", async () => {
    const door = gate()
    const waits = await home.tool([door.wait, print("ok")])
    await using queue = await open([print("ok")], { numWorkers: 2, settings: { tools: { waits } }, tool: "mock" })
    // It goes on until everything else has been submitted, so that no reader sees an end before.
    const first = await queue.submit({ ...agent, tool: "waits" })
    const submitted = [await queue.submit(agent)]
    const other = all(queue.results())
    const seen: Array<string> = []
    for await (const result of queue.results()) {
      seen.push(result.jobId)
      if (submitted.length < 4) submitted.push(await queue.submit(agent))
      else door.open()
    }
    expect(seen).toEqual([...submitted, first])
    expect(idsOf(await other)).toEqual(seen)
    // One that is left early takes nothing from the others.
    for await (const result of queue.results()) {
      expect(result.jobId).toBe(submitted[0])
      break
    }
    expect(idsOf(await all(queue.results()))).toEqual(seen)
    expect(submitted.map((id) => queue.getJob(id).spec.agentId)).toEqual([
      "custom-2",
      "custom-3",
      "custom-4",
      "custom-5"
    ])
  })

  it("does not end before the reader of the last result has asked for more", async () => {
    await using queue = await open([print("ok")])
    await queue.submit(agent)
    let read = 0
    for await (const _ of queue.results()) if (++read < 3) await queue.submit(agent)
    expect(read).toBe(3)
  })

  it("makes submit wait while it is full", async () => {
    const door = gate()
    const told = events()
    await using queue = await open([door.wait, print("ok")], { numWorkers: 1, maxQueueSize: 1, ...told })
    await queue.submit(agent)
    await told.seen("jobStarted")
    await queue.submit(agent)
    let taken = false
    const third = queue.submit(agent).then(() => {
      taken = true
    })
    // Others come and go meanwhile; the queue is as full as before.
    expect(await queue.cancel("no-such-job")).toBe(false)
    expect([taken, queue.pendingCount, queue.runningCount]).toEqual([false, 1, 1])
    door.open()
    await third
    expect((await queue.join()).map(({ status }) => status)).toEqual(["completed", "completed", "completed"])
  })

  it("refuses what is wrong with every problem at once, and goes on", async () => {
    await using queue = await open([print("ok")])
    await expect(queue.submit("tset", "/no/such/folder", "", { timeout: -1 })).rejects.toMatchObject({
      _tag: "ConfigError",
      issues: [
        { path: "task" },
        { path: "timeout" },
        { path: "role", suggestion: 'did you mean "test"?' },
        { path: "directory" }
      ]
    })
    await expect(queue.submit({ ...agent, model: "-m", tool: "mock" })).rejects.toMatchObject({ _tag: "PolicyRefused" })
    await queue.submit(agent)
    await expect(queue.submit({ ...agent, tool: "opencode", env: { PATH: "/nowhere" } })).rejects.toMatchObject({
      _tag: "AgentUnavailable"
    })
    await queue.submit({ ...agent, id: "mine" })
    await expect(queue.submit({ ...agent, id: "mine" })).rejects.toMatchObject({ _tag: "ConfigError" })
    expect((await queue.join()).map(({ agentId, status }) => [agentId, status])).toEqual([
      ["custom-1", "completed"],
      ["mine", "completed"]
    ])
  })

  it("is not opened with settings that are wrong", async () => {
    const wrong = { numWorkers: 0, maxQueueSize: -1, defaultTimeout: "soon", tool: "cluade", settings: { retires: 1 } }
    await expect(WorkerQueue.make({ dataDir: home.dataDir, env: home.env, ...wrong })).rejects.toMatchObject({
      _tag: "ConfigError",
      issues: expect.arrayContaining(
        ["numWorkers", "maxQueueSize", "defaultTimeout", "tool", "retires"].map((path) =>
          expect.objectContaining({ path })
        )
      )
    })
  })

  it("throws what a listener throws where nothing of ours can be hurt", async () => {
    const thrown: Array<unknown> = []
    const listeners = process.listeners("uncaughtException")
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error))
    try {
      await using queue = await open([print("ok")], {
        onEvent: (event) => {
          if (event.kind === "jobEnded") throw new Error("mine")
        }
      })
      await queue.submit(agent)
      expect((await queue.join()).map(({ status }) => status)).toEqual(["completed"])
    } finally {
      process.removeAllListeners("uncaughtException")
      for (const listener of listeners) process.on("uncaughtException", listener)
    }
    expect(thrown).toEqual([new Error("mine")])
  })
})

describe.runIf(process.platform === "linux")("nothing is left", () => {
  const stubborn = (census: string): Scenario => [
    { do: "escape", kind: "stubborn", count: 2, census },
    { do: "escape", kind: "setsid", count: 2, census },
    print("up"),
    hang
  ]
  const alive = async (census: string) => (await Census.survivors({ folder: census })).length

  it("when the scope is left, in the middle of everything", async () => {
    const census = path.join(home.root, "census-scope")
    const told = events()
    const kept = await (async () => {
      await using queue = await open(stubborn(census), { numWorkers: 2, maxQueueSize: 1, ...told })
      const running = [await queue.submit(agent), await queue.submit(agent)]
      await told.seen("agentEvent", 2)
      const waiting = await queue.submit(agent)
      expect(await alive(census)).toBe(8)
      // These are waited for, and end with the queue.
      const left = [queue.submit(agent), queue.join(), all(queue.results())]
      for (const each of left) each.catch(() => undefined)
      return { queue, running, waiting, left }
    })()
    expect(await alive(census)).toBe(0)
    const { left, queue, running, waiting } = kept
    expect(running.map((id) => queue.getJob(id).status)).toEqual(["cancelled", "cancelled"])
    expect(queue.getJob(waiting).status).toBe("pending")
    // Closed for good.
    await queue.close()
    for (const asked of [...left, queue.submit(agent), queue.join(), all(queue.results()), queue.cancel(waiting)]) {
      await expect(asked).rejects.toMatchObject({ _tag: "QueueClosed" })
    }
  })

  it("when the signal is aborted", async () => {
    const census = path.join(home.root, "census-signal")
    const told = events()
    const controller = new AbortController()
    const queue = await open(stubborn(census), { signal: controller.signal, ...told })
    const id = await queue.submit(agent)
    await told.seen("agentEvent")
    expect(await alive(census)).toBe(4)
    const reader = all(queue.results())
    reader.catch(() => undefined)
    controller.abort(new Error("enough"))
    await expect(queue.join()).rejects.toThrow("enough")
    await expect(reader).rejects.toThrow("enough")
    await queue.close()
    expect(queue.getJob(id).status).toBe(JobStatus.CANCELLED)
    expect(await alive(census)).toBe(0)
    await expect(queue.submit(agent)).rejects.toThrow("enough")
    await expect(open([print("ok")], { signal: controller.signal })).rejects.toThrow("enough")
  })

  it("when a running job is cancelled", async () => {
    const census = path.join(home.root, "census-cancel")
    const told = events()
    await using queue = await open(stubborn(census), told)
    const id = await queue.submit(agent)
    await told.seen("agentEvent")
    expect(await queue.cancel(id)).toBe(true)
    expect(await queue.join()).toMatchObject([{ jobId: id, status: "cancelled", reason: "JobCancelled" }])
    expect(await alive(census)).toBe(0)
  })

  it("when one that is cancelled is done all the same, and the answer is what the record says", async () => {
    const told = events()
    const done = { do: "print", line: { type: "result", ok: true, text: "done" } } as const
    // Says that it is done and stays on: a word to end comes before its drain is over.
    const tools = { s: await home.tool([done, hang], "events"), hangs: await home.tool([hang]) }
    await using queue = await open([], { numWorkers: 1, ...told, settings: { tools } })
    const [id, next] = [await queue.submit(agent), await queue.submit({ ...agent, tool: "hangs" })]
    await told.seen("agentEvent")
    expect(await queue.cancel(id)).toBe(false)
    expect(queue.getJob(id)).toMatchObject({ status: "completed", result: { result: "done" } })
    expect(await queue.cancel(next)).toBe(true)
    expect(queue.getJob(next).status).toBe("cancelled")
  })
})
