import path from "node:path"
import { setImmediate } from "node:timers/promises"
import { AgentProcess } from "@contextfs/core/AgentProcess"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import * as WorkerQueue from "@contextfs/core/WorkerQueue"
import * as Workplace from "@contextfs/core/Workplace"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { makePlace } from "../lib/scripted.mjs"

const hour = 3_600_000
const begin = Date.parse("2026-11-25T12:00:00Z")

/** Leaps from one wake-up to the next. */
const leaping = () => {
  let now = begin
  const sleepers = new Set()
  const nanos = () => BigInt(Math.round(now * 1_000)) * 1_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.sync(() => now),
    unsafeCurrentTimeNanos: nanos,
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      }),
    runUntil: async (promise) => {
      let over = false
      const settled = promise.finally(() => {
        over = true
      })
      settled.catch(() => undefined)
      while (!over) {
        for (let turn = 0; turn < 3; turn++) await setImmediate()
        const next = [...sleepers].reduce(
          (first, each) => (first === undefined || each.at < first.at ? each : first),
          undefined
        )
        if (next === undefined) continue
        sleepers.delete(next)
        now = Math.max(now, next.at)
        next.wake()
      }
      return settled
    }
  }
}

/** Agents that meet the limit until a time: one line after a second, and the end. */
const agents = (starts, until, wall) =>
  Layer.succeed(AgentProcess, {
    level: "G",
    choose: () => Option.some("G"),
    marker: "simulated",
    hurry: Effect.void,
    launch: (_, observer) =>
      Effect.gen(function* () {
        const exit = yield* Deferred.make()
        const at = yield* Clock.currentTimeMillis
        starts.push(at)
        const last =
          at < until
            ? { type: "result", ok: false, error: { class: "quota", ...wall } }
            : { type: "result", ok: true, text: "ok" }
        const lines = at < until ? [last] : [{ type: "message", text: "on it" }, last]
        yield* Effect.gen(function* () {
          for (const line of lines) {
            yield* Effect.sleep(1_000)
            observer.line(JSON.stringify(line))
          }
          yield* Deferred.succeed(exit, 0)
        }).pipe(Effect.forkScoped)
        const end = Effect.map(Deferred.poll(exit), () => ({ exitCode: 0, sent: "nothing", survivors: 0 }))
        return { identity: { pid: process.pid, startTime: null, bootId: null }, exited: Deferred.await(exit), end }
      })
  })

const simulate = async (place, many, wall) => {
  const clock = leaping()
  const starts = []
  const until = begin + 6 * hour
  const layer = Layer.mergeAll(
    agents(starts, until, wall),
    JobQueue.layerSqlite({
      path: path.join(place.dataDir, "orchestrator.db"),
      monotonic: Effect.sync(clock.unsafeCurrentTimeMillis)
    }),
    MemoryStore.layerMemory,
    RoleRegistry.layer
  ).pipe(
    Layer.provideMerge(
      Workplace.layer({
        dataDir: place.dataDir,
        env: place.env,
        tools: Tools.builtIn,
        floors: { descriptors: 0, processes: 0, memory: 0, disk: 0 }
      })
    )
  )
  const work = Effect.gen(function* () {
    const input = {
      workers: 10,
      retries: 0,
      tools: { s: { command: ["/bin/sh"], output: "events" } },
      agents: place.agents("s", many)
    }
    const config = yield* RunConfig.fromInput(input, {
      roles: RoleRegistry.builtIn,
      tools: [],
      directory: place.sub("project")
    })
    const queue = yield* WorkerQueue.make({
      project: "p",
      jobs: config.jobs.map((spec) => ({ ...spec, memory: false })),
      numWorkers: 10
    })
    const results = yield* queue.join
    const end = yield* Clock.currentTimeMillis
    const journal = yield* JobQueue.JobQueue
    const attempts = yield* Effect.forEach(results, ({ jobId }) => journal.attempts(jobId))
    const charged = attempts.flat().filter(({ charged, reason }) => charged && reason !== null).length
    return { end, charged, completed: results.filter(({ status }) => status === "completed").length }
  }).pipe(Effect.provide(layer), Effect.scoped, Effect.withClock(clock))
  const found = await clock.runUntil(Effect.runPromise(work))
  const probes = starts.filter((at) => at > begin + 10_000 && at < until)
  const close = probes.filter((at, index) => index > 0 && at - probes[index - 1] < 60_000).length
  return { ...found, late: found.end - until, probes: probes.length, close }
}

export const id = "P15"
export const promise = "a quota wall costs nothing"
export const run = async ({ note, scale }) => {
  const many = Math.ceil(200 * scale)
  const walls = {
    "told as data": [{ message: "usage limit reached", resetsAt: begin + 6 * hour }, 0],
    "told in words": [{ message: "You've hit your limit · resets 6pm (UTC)" }, 0],
    "two hours, again and again": [{ message: "usage limit reached, try again in 2 hours" }, 3]
  }
  let charged = 0
  let extra = 0
  let late = 0
  let undone = 0
  for (const [name, [wall, windows]] of Object.entries(walls)) {
    const place = makePlace()
    try {
      const found = await simulate(place, many, wall)
      note(
        `${name}: ${found.completed} of ${many} done ${Math.round(found.late / 1000)} s after it, ${found.probes} probes, ${found.charged} attempts charged`
      )
      charged += found.charged
      undone += many - found.completed
      extra += found.close + Math.max(0, found.probes - windows)
      // A window that was told to be longer than the limit is waited for.
      if (windows === 0) late = Math.max(late, found.late)
    } finally {
      place.close()
    }
  }
  return {
    figure: `${charged} attempts charged, ${extra} probes beyond one a window, ${undone} not done, all done ${Math.round(late / 1000)} s after the reset`,
    floor: "0, 0, 0, 120 s",
    ok: charged === 0 && extra === 0 && undone === 0 && late <= 120_000
  }
}
