/** A journal that refuses to renew leases: patience for a moment, and no agent at work on a lease that has run out. */
import * as path from "node:path"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as Sqlite from "@contextfs/memory/Sqlite"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, expect } from "vitest"
import { migrations } from "../src/internal/journalSchema.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome } from "./harness.js"
import { inTime, layer, type Script, simulate, simulatedClock } from "./simulation.js"

const home = makeHome()
afterAll(home.remove)

const second = 1_000
const lease = 60 * second

/** One agent of three minutes, while the journal refuses renewals from 30 s on, for so long. */
const work = (name: string, refusedFor: number) => {
  const at = { ...home, dataDir: path.join(home.root, name) }
  const clock = simulatedClock(0)
  const script = (): Script => [
    [10, { type: "started" }],
    [180 * second, { type: "result", ok: true, text: "ok" }]
  ]
  const endings: Array<number> = []
  const simulation = { clock, script, onEnd: (now: number) => endings.push(now) }
  const told: Array<RunEvent> = []
  const sabotage = ({ execute }: Sqlite.SqliteDatabase) =>
    Effect.gen(function* () {
      yield* Effect.sleep(30 * second)
      yield* execute(
        "CREATE TRIGGER refuse BEFORE UPDATE OF heartbeat ON runs BEGIN SELECT raise(FAIL, 'not now'); END",
        {}
      )
      yield* Effect.sleep(refusedFor)
      yield* execute("DROP TRIGGER refuse", {})
    })
  const config = {
    workers: 1,
    retries: 0,
    tools: { t: { command: ["/bin/sh"], output: "events" } },
    agents: [{ role: "custom", directory: ".", task: "go", tool: "t" }]
  }
  const run = Effect.gen(function* () {
    // Opened before anything waits: it takes real time, in which the clock would leap on.
    const database = yield* Sqlite.make({ path: path.join(at.dataDir, "orchestrator.db"), migrations })
    yield* Effect.forkScoped(sabotage(database))
    return yield* Effect.either(simulate(at, simulation, config, {}, (event) => told.push(event)))
  }).pipe(Effect.scoped, Effect.provide(layer(at, simulation)))
  return Effect.map(inTime(simulation, run), (ended) => ({ ended, endings, told }))
}

it.live("costs nothing where it is shorter than what is left of the lease", () =>
  Effect.gen(function* () {
    const { ended, told } = yield* work("short", 25 * second)
    expect(ended).toMatchObject({ _tag: "Right", right: { results: [{ status: "completed", attempts: 1 }] } })
    expect(told.filter(({ kind }) => kind === "jobRetrying")).toEqual([])
  })
)

it.live("ends the agent before its lease runs out, and the run as StorageError", () =>
  Effect.gen(function* () {
    const { ended, endings, told } = yield* work("long", 120 * second)
    expect(ended).toMatchObject({ _tag: "Left", left: expect.any(StorageError) })
    // The last renewal was at 20 s; the result of the agent that was ended could still be stored.
    const [end] = told.filter(({ kind }) => kind === "jobEnded")
    expect(end).toMatchObject({ result: { status: "cancelled" } })
    expect(endings).toHaveLength(1)
    expect(endings[0]).toBeLessThan(20 * second + lease)
  })
)
