/** A worker queue as it is, with a clock that leaps to what is waited for, and agents that are a function of time. */
import * as path from "node:path"
import { setImmediate } from "node:timers/promises"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { AgentProcess, type LaunchSpec } from "../src/AgentProcess.js"
import * as JobQueue from "../src/JobQueue.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { builtIn } from "../src/Tools.js"
import * as WorkerQueue from "../src/WorkerQueue.js"
import * as Workplace from "../src/Workplace.js"
import { decode, type Home } from "./harness.js"

export interface SimulatedClock extends Clock.Clock {
  /** Leaps from one wake-up to the next until the promise is settled. */
  readonly runUntil: <A>(promise: Promise<A>) => Promise<A>
}

export const simulatedClock = (start: number): SimulatedClock => {
  let now = start
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()
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
        const next = [...sleepers].reduce<{ readonly at: number; readonly wake: () => void } | undefined>(
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

/** What an agent prints, line by line, each after its milliseconds. */
export type Script = ReadonlyArray<readonly [after: number, line: object]>

/** Agents that are started at a time; their exit code is 0. */
const processes = ({ onEnd = () => undefined, script }: Omit<Simulation, "clock">) =>
  Layer.succeed(AgentProcess, {
    level: "G",
    choose: () => Option.some("G" as const),
    marker: "simulated",
    hurry: Effect.void,
    launch: (spec, observer) =>
      Effect.gen(function* () {
        const exit = yield* Deferred.make<number | null>()
        yield* Effect.gen(function* () {
          for (const [after, line] of script(spec, yield* Clock.currentTimeMillis)) {
            yield* Effect.sleep(after)
            observer.grew("stdout", 1)
            observer.line(JSON.stringify(line))
            observer.tick()
          }
          yield* Deferred.succeed(exit, 0)
        }).pipe(Effect.interruptible, Effect.forkScoped)
        return {
          identity: { pid: process.pid, startTime: null, bootId: null },
          exited: Deferred.await(exit),
          end: Effect.gen(function* () {
            onEnd(yield* Clock.currentTimeMillis)
            const itself = Option.isSome(yield* Deferred.poll(exit))
            return { exitCode: itself ? 0 : 143, sent: itself ? "nothing" : "TERM", survivors: 0 } as const
          })
        }
      })
  })

export interface Simulation {
  readonly clock: SimulatedClock
  readonly script: (spec: LaunchSpec, now: number) => Script
  /** An agent is being ended. What follows takes real time, in which this clock leaps on. */
  readonly onEnd?: (now: number) => void
}

/** The services of one orchestrating process; several may share a data folder. */
export const layer = (home: Home, { clock, ...agents }: Simulation, tools: typeof builtIn = builtIn) =>
  Layer.mergeAll(
    processes(agents),
    JobQueue.layerSqlite({
      path: path.join(home.dataDir, JobQueue.databaseName),
      monotonic: Effect.sync(() => clock.unsafeCurrentTimeMillis())
    }),
    MemoryStore.layerMemory,
    RoleRegistry.layer
  ).pipe(
    Layer.provideMerge(
      Workplace.layer({
        dataDir: home.dataDir,
        env: home.env,
        tools,
        floors: { descriptors: 0, processes: 0, memory: 0, disk: 0 }
      })
    )
  )

/** Works a configuration off in simulated time; results in its order. */
export const simulate = (
  home: Home,
  simulation: Simulation,
  input: unknown,
  options: Omit<WorkerQueue.Working, "onEvent" | "numWorkers" | "overlap"> = {},
  onEvent: (event: RunEvent) => void = () => undefined
) =>
  Effect.gen(function* () {
    const config = yield* decode(home, input)
    const queue = yield* WorkerQueue.make({
      ...options,
      budget: options.budget ?? config.budget,
      overlap: config.overlap,
      project: config.project,
      jobs: config.jobs.map((spec) => ({ ...spec, memory: false })),
      numWorkers: config.workers,
      onEvent
    })
    const results = yield* queue.join
    return { runId: queue.runId, results, parked: yield* queue.parked, journal: yield* JobQueue.JobQueue }
  }).pipe(Effect.scoped, Effect.withClock(simulation.clock))

/** Runs an effect in simulated time. */
export const inTime = <A, E>({ clock }: Simulation, effect: Effect.Effect<A, E>): Effect.Effect<A> =>
  Effect.promise(() => clock.runUntil(Effect.runPromise(Effect.withClock(effect, clock))))
