/** A machine without room: nothing is started, and where nobody of ours could make room, the run is not held for ever. */
import * as path from "node:path"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, describe, expect } from "vitest"
import * as AgentProcess from "../src/AgentProcess.js"
import * as JobQueue from "../src/JobQueue.js"
import * as Live from "../src/Live.js"
import * as Orchestrator from "../src/Orchestrator.js"
import * as Tools from "../src/Tools.js"
import * as Workplace from "../src/Workplace.js"
import { decode, makeHome } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const { dataDir, env } = home
const input = { agents: [{ id: "a", role: "custom", directory: ".", task: 'mock: say "done"', tool: "mock" }] }
const noMachine = { descriptors: 0, processes: 0, memory: Number.POSITIVE_INFINITY, disk: 0 }

/** On a machine that never has enough memory. */
const cramped = Orchestrator.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      Layer.unwrapEffect(
        Effect.map(Workplace.Workplace, ({ runtimeDir }) =>
          AgentProcess.layer({ folder: runtimeDir, path: env["PATH"] ?? "" })
        )
      ),
      JobQueue.layerSqlite({ path: path.join(dataDir, JobQueue.databaseName) }),
      MemoryStore.layerSqlite({ path: path.join(dataDir, "memory.db") }),
      RoleRegistry.layer
    )
  ),
  Layer.provideMerge(Workplace.layer({ dataDir, env, tools: Tools.builtIn, floors: noMachine }))
)

const held = (options: Orchestrator.RunOptions) =>
  Effect.gen(function* () {
    const events: Array<Orchestrator.RunEvent> = []
    const orchestrator = yield* Orchestrator.Orchestrator
    const config = yield* decode(home, input)
    const result = yield* orchestrator.run(config, { ...options, onEvent: (event) => events.push(event) })
    return { events, result }
  }).pipe(Effect.provide(cramped))

const resume = (runId: string) =>
  Effect.flatMap(Orchestrator.Orchestrator, (orchestrator) => orchestrator.resume(runId)).pipe(
    Effect.provide(Live.layer({ dataDir, env }))
  )

/** Its hours are over in seconds, though nothing is waited for any shorter. */
const hasty: Clock.Clock = (() => {
  const real = Clock.make()
  const begun = real.unsafeCurrentTimeNanos()
  const nanos = () => begun + (real.unsafeCurrentTimeNanos() - begun) * 1_000n
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    sleep: (duration) => real.sleep(duration),
    currentTimeMillis: real.currentTimeMillis,
    currentTimeNanos: Effect.sync(nanos),
    unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis(),
    unsafeCurrentTimeNanos: nanos
  }
})()

describe("a run for which the machine has no room", () => {
  it.live("ends at once without waiting, says what is short, and goes on later", () =>
    Effect.gen(function* () {
      const { events, result } = yield* held({ wait: false })
      expect(result).toMatchObject({
        status: "interrupted",
        results: [],
        pending: [{ agentId: "a" }],
        shortage: expect.stringMatching(/^only \d+ MiB of memory are available$/)
      })
      expect(events.map(({ kind }) => kind)).toEqual(["runStarted", "held", "runEnded"])
      expect(yield* resume(result.runId)).toMatchObject({
        status: "completed",
        results: [{ status: "completed", attempts: 1 }],
        shortage: null
      })
    })
  )

  it.live("waits some minutes, and not for ever", () =>
    Effect.gen(function* () {
      const { result } = yield* Effect.withClock(held({}), hasty)
      expect(result).toMatchObject({
        status: "interrupted",
        pending: [{ agentId: "a" }],
        shortage: expect.stringContaining("of memory are available")
      })
    })
  )
})
