/**
 * The queue against a small model, by random sequences. `CONTEXTFS_MODEL_RUNS` and `CONTEXTFS_MODEL_SEED` set how many
 * and which; the seed is printed.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as TestContext from "effect/TestContext"
import { afterAll, describe, it } from "vitest"
import * as JobQueue from "../src/JobQueue.js"
import { audit, type Command, command, compare, opening, step, World } from "./queueModel.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-model-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const runs = Number(process.env["CONTEXTFS_MODEL_RUNS"] ?? 200)
const seed = Number(process.env["CONTEXTFS_MODEL_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

const follows = (clock: { monotonic: number }, number: number, commands: ReadonlyArray<Command>) =>
  Effect.gen(function* () {
    const world = new World(number, clock)
    const queue = yield* JobQueue.JobQueue
    yield* queue.open(opening(world))
    for (const each of commands) {
      yield* step(queue, world, each)
      yield* compare(queue, world)
    }
    yield* audit(queue, world)
  }).pipe(Effect.provide(TestContext.TestContext))

describe("the queue does what its model does", () => {
  for (const [name, file] of [
    ["sqlite", path.join(root, "orchestrator.db")],
    ["memory", ":memory:"]
  ] as const) {
    it(
      name,
      async () => {
        console.log(`${name}: ${runs} sequences, seed ${seed}`)
        const clock = { monotonic: 10_000 }
        let number = 0
        const queue = ManagedRuntime.make(
          JobQueue.layerSqlite({ path: file, monotonic: Effect.sync(() => clock.monotonic) })
        )
        await FastCheck.assert(
          FastCheck.asyncProperty(FastCheck.array(command, { minLength: 1, maxLength: 40 }), (commands) =>
            queue.runPromise(follows(clock, ++number, commands))
          ),
          { numRuns: runs, seed }
        )
        await queue.dispose()
      },
      60_000 + runs * 1_000
    )
  }
})
