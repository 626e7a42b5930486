/** Runs no-op jobs through the library, the whole path, at every `run`. */
import * as Live from "@contextfs/core/Live"
import { Orchestrator } from "@contextfs/core/Orchestrator"
import * as Effect from "effect/Effect"
import { serve } from "../lib/program.mjs"
import { config, noop } from "./journal.mjs"

const options = JSON.parse(process.argv[2])
const { data, env, ballastMiB } = options
const ballast = Array.from({ length: ballastMiB ?? 0 }, () => Buffer.alloc(1024 * 1024, 1))

await serve({
  prepare: () => null,
  run: async () => {
    const program = Effect.gen(function* () {
      const { results } = yield* (yield* Orchestrator).run(yield* config({ ...options, tool: "noop" }))
      const failed = results.find((result) => result.status !== "completed")
      if (failed !== undefined) throw new Error(`${failed.jobId}: ${failed.reason} ${failed.error}`)
      return { jobs: results.length, level: results[0]?.evidence?.containment, rss: process.memoryUsage().rss }
    })
    const done = await Effect.runPromise(Effect.provide(program, Live.layer({ dataDir: data, env, tools: [noop] })))
    return { ...done, ballastMiB: ballast.length }
  }
})
