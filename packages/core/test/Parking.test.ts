/** A usage limit costs nothing: what it stops waits for its end and is tried by one job at a time, in simulated time. */
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { afterAll, describe, expect } from "vitest"
import { JobId, RunId } from "../src/Job.js"
import * as JobQueue from "../src/JobQueue.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { decode, type Home, makeHome } from "./harness.js"
import { inTime, layer, type Script, type Simulation, simulate, simulatedClock } from "./simulation.js"

const home = makeHome()
afterAll(home.remove)
const folder = (name: string): Home => ({ ...home, dataDir: path.join(home.root, name) })

const start = Date.parse("2026-11-25T12:00:00Z")
const minute = 60_000
const hour = 60 * minute

const started = [1_000, { type: "started", sessionId: "s1" }] as const
const works: Script = [
  started,
  [5_000, { type: "message", text: "ok" }],
  [20_000, { type: "result", ok: true, text: "ok" }]
]
const wall = (more: object): Script => [
  started,
  [2_000, { type: "result", ok: false, error: { class: "quota", message: "usage limit reached", ...more } }]
]

const tools = {
  limited: { command: ["/bin/sh"], output: "events" },
  free: { command: ["/bin/sh"], output: "events" }
}
const agents = (tool: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    role: "custom",
    directory: ".",
    task: "go",
    id: `${tool}-${index}`,
    tool
  }))

/** A provider that refuses `limited` until a time; who was started when. */
const provider = (until: number, wallAt: (now: number) => Script) => {
  const starts: Array<{ readonly at: number; readonly tool: string }> = []
  const simulation: Simulation = {
    clock: simulatedClock(start),
    script: ({ env }, now) => {
      const tool = env["TOOL"] ?? ""
      starts.push({ at: now, tool })
      return tool === "limited" && now < until ? wallAt(now) : works
    }
  }
  return { simulation, starts, limited: () => starts.filter(({ tool }) => tool === "limited").map(({ at }) => at) }
}

const config = (workers: number, list: ReadonlyArray<{ readonly tool: string }>) => ({
  workers,
  retries: 0,
  overlap: "warn",
  tools,
  agents: list.map((agent) => ({ ...agent, env: { TOOL: agent.tool } }))
})

const charges = (journal: JobQueue.JobQueueService, jobIds: ReadonlyArray<string>) =>
  Effect.map(Effect.forEach(jobIds, journal.attempts), (all) =>
    all.flat().filter(({ charged, reason }) => charged && reason !== null)
  )

describe.each([
  { says: "the exact time", hours: 3, probes: 0, wallAt: () => wall({ resetsAt: start + 3 * hour }), late: 0 },
  {
    says: "half an hour, again and again",
    hours: 2,
    probes: 3,
    wallAt: () => wall({ message: "usage limit reached, try again in 30 minutes" }),
    late: 30 * minute
  },
  {
    says: "a time in words",
    hours: 1,
    probes: 0,
    wallAt: () => wall({ message: "You've hit your session limit · resets 1pm (UTC)" }),
    late: 0
  },
  // Tried again after 1, 2, 4, 8 and then 15 minutes.
  {
    says: "a time that is over",
    hours: 2,
    probes: 10,
    wallAt: (now: number) => wall({ resetsAt: now - hour }),
    late: 15 * minute
  }
])("a limit of $hours h that tells $says", ({ hours, late, probes, says, wallAt }) => {
  it.live("charges nothing to 200 jobs, is tried by one job a window, and all are done soon after it", () =>
    Effect.gen(function* () {
      const jobs = 200
      const name = says.replaceAll(/\W/g, "")
      const over = start + hours * hour
      const { limited, simulation, starts } = provider(over, wallAt)
      const told: Array<RunEvent> = []
      const all = [...agents("limited", jobs), ...agents("free", 5)]
      const { results, spent } = yield* inTime(
        simulation,
        Effect.gen(function* () {
          const done = yield* simulate(folder(name), simulation, config(50, all), {}, (event) => told.push(event))
          return {
            ...done,
            spent: yield* charges(
              done.journal,
              done.results.map(({ jobId }) => jobId)
            )
          }
        }).pipe(Effect.provide(layer(folder(name), simulation)))
      )
      expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["completed"]))
      expect(spent).toEqual([])
      // All that had begun when the limit was met, and then the probes.
      const refused = limited().filter((at) => at < over)
      expect(refused).toHaveLength(50 + probes)
      // Never two within a window.
      const tries = refused.filter((at) => at > start + minute / 2)
      for (const [index, at] of tries.entries()) expect(at - (tries[index - 1] ?? 0)).toBeGreaterThanOrEqual(minute)
      // The other tool went on.
      expect(starts.filter(({ at, tool }) => tool === "free" && at < start + minute)).toHaveLength(5)
      const end = Math.max(...told.flatMap((event) => (event.kind === "jobEnded" ? [event.at] : [])))
      // What is left of the last window, then the margin of a minute, a probe's first word, and four rounds of work; the
      // clock leaps ahead of who is still busy, by seconds.
      expect(end).toBeLessThanOrEqual(over + late + 2 * minute + 7_000 + 4 * 27_000)
      expect(told.filter(({ kind }) => kind === "toolReleased")).toHaveLength(1)
    })
  )
})

describe("the one that tries", () => {
  const run = (name: string, simulation: Simulation, input: unknown, options = {}) => {
    const told: Array<RunEvent> = []
    return inTime(
      simulation,
      simulate(folder(name), simulation, input, options, (event) => told.push(event)).pipe(
        Effect.map((done) => ({ ...done, told })),
        Effect.provide(layer(folder(name), simulation))
      )
    )
  }

  it.live("opens the tool for the others with its first word, not with its end", () =>
    Effect.gen(function* () {
      const slow: Script = [
        started,
        [5_000, { type: "message", text: "on it" }],
        [hour, { type: "result", ok: true, text: "ok" }]
      ]
      let walls = 0
      const simulation: Simulation = {
        clock: simulatedClock(start),
        script: (_, now) => (walls++ < 3 ? wall({ resetsAt: start + hour }) : now < start + 2 * hour ? slow : works)
      }
      const { results, told } = yield* run("word", simulation, config(3, agents("limited", 3)))
      expect(results.map(({ status }) => status)).toEqual(["completed", "completed", "completed"])
      const begun = told.flatMap((event) => (event.kind === "jobStarted" && event.at > start + hour ? [event.at] : []))
      expect(begun).toHaveLength(3)
      expect(Math.max(...begun) - Math.min(...begun)).toBeLessThan(hour / 2)
    })
  )

  it.live("that fails in another way leaves the trying to the next", () =>
    Effect.gen(function* () {
      let tries = 0
      const simulation: Simulation = {
        clock: simulatedClock(start),
        script: (_, now) => {
          if (now < start + minute) return wall({ resetsAt: start + hour })
          // The first two say nothing of the limit.
          return tries++ < 2
            ? [[1_000, { type: "result", ok: false, error: { class: "auth", message: "401" } }]]
            : works
        }
      }
      const { results, told } = yield* run("other", simulation, config(4, agents("limited", 6)))
      expect(results.map(({ reason, status }) => reason ?? status).sort()).toEqual([
        "AuthFailed",
        "AuthFailed",
        ...Array.from({ length: 4 }, () => "completed")
      ])
      // One after the other, until one has spoken.
      const after = told.filter((event) => "at" in event && event.at > start + hour)
      const kinds = after.flatMap(({ kind }) =>
        kind === "jobStarted" || kind === "jobEnded" || kind === "toolReleased" ? [kind] : []
      )
      expect(kinds.slice(0, 6)).toEqual([
        "jobStarted",
        "jobEnded",
        "jobStarted",
        "jobEnded",
        "jobStarted",
        "toolReleased"
      ])
    })
  )

  it.live("may be another run's: they share the parking, and the dead cannot keep a tool", () =>
    Effect.gen(function* () {
      const { limited, simulation } = provider(start + hour, () => wall({ resetsAt: start + hour }))
      const at = folder("shared")
      const both = (options = {}) =>
        Effect.gen(function* () {
          const first = yield* Effect.fork(simulate(at, simulation, config(2, agents("limited", 4)), options))
          const second = yield* Effect.fork(
            Effect.delay(simulate(at, simulation, config(2, agents("limited", 4)), options), "1 minute")
          )
          return [yield* Fiber.join(first), yield* Fiber.join(second)] as const
        })
      const [one, two] = yield* inTime(simulation, both().pipe(Effect.provide(layer(at, simulation))))
      expect([...one.results, ...two.results].map(({ status }) => status)).toEqual(Array(8).fill("completed"))
      // The second run has not tried at all before the reset, and only one of both has then.
      expect(limited().filter((at) => at < start + hour)).toHaveLength(2)
      const after = limited().filter((at) => at >= start + hour)
      expect((after[1] ?? 0) - (after[0] ?? 0)).toBeGreaterThanOrEqual(6_000)
    })
  )

  it.live("that died with its process is followed by another once its lease is over", () =>
    Effect.gen(function* () {
      const at = folder("dead")
      const { simulation } = provider(start, () => works)
      const { results } = yield* inTime(
        simulation,
        Effect.gen(function* () {
          const journal = yield* JobQueue.JobQueue
          const owner = { pid: 1, startTime: "1", bootId: "b" }
          const { jobs } = yield* decode(at, config(1, agents("limited", 1)))
          const run = {
            runId: RunId.make("dead"),
            project: "p",
            settings: {},
            owner,
            marker: "m",
            containment: "G",
            runtimeDir: "/"
          }
          yield* journal.open(run)
          yield* journal.add(
            run.runId,
            jobs.map((spec) => ({ jobId: JobId.make("dead-1"), spec }))
          )
          yield* journal.park({ tool: "limited", until: start - 1, message: "usage limit reached" })
          expect(Option.isSome(yield* journal.claim(run.runId, { owner, millis: 60_000 }))).toBe(true)
          expect((yield* journal.parked)[0]?.probe).toBe("dead-1")
          return yield* simulate(at, simulation, config(2, agents("limited", 3)))
        }).pipe(Effect.orDie, Effect.provide(layer(at, simulation)))
      )
      expect(results.map(({ status }) => status)).toEqual(["completed", "completed", "completed"])
    })
  )
})

describe("without waiting", () => {
  it.live("the queue ends when only parked jobs are left, and says until when", () =>
    Effect.gen(function* () {
      const { limited, simulation } = provider(start + hour, () => wall({ resetsAt: start + hour }))
      const at = folder("nowait")
      const { parked, results } = yield* inTime(
        simulation,
        simulate(at, simulation, config(2, [...agents("limited", 5), ...agents("free", 4)]), { wait: false }).pipe(
          Effect.provide(layer(at, simulation))
        )
      )
      expect(results.map(({ agentId, status }) => [agentId, status])).toEqual(
        [0, 1, 2, 3].map((index) => [`free-${index}`, "completed"])
      )
      expect(parked).toMatchObject([{ tool: "limited", until: start + hour + minute, probe: null }])
      expect(limited()).toHaveLength(2)
    })
  )
})
