/** Runs of scripted agents with the built library, each in a place of its own. */
import * as Live from "@contextfs/core/Live"
import { Orchestrator } from "@contextfs/core/Orchestrator"
import * as RunConfig from "@contextfs/core/RunConfig"
import { builtIn } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Census from "../../../packages/fixtures/dist/Census.js"
import { writeAgent } from "../../../packages/fixtures/dist/Scenario.js"
import { makeWork } from "../../lib/work.mjs"

export { Census }
export const started = { do: "print", line: { type: "started", sessionId: "s1" } }
export const done = { do: "print", line: { type: "result", ok: true, text: "ok" } }

export const makePlace = () => {
  const place = makeWork()
  const dataDir = place.sub("data")
  let count = 0
  return {
    ...place,
    dataDir,
    /** A tool that plays the steps. */
    tool: async (steps, output = "events") => ({
      command: [await writeAgent(place.sub("agents"), steps, `agent-${++count}`)],
      output
    }),
    agents: (tool, many, more = {}) =>
      Array.from({ length: many }, () => ({
        role: "custom",
        directory: place.sub("project"),
        task: "go",
        tool,
        ...more
      })),
    /** Runs it; `use` is given the orchestrator while it does. */
    run: ({ agents, ...input }, onEvent = () => undefined, use = () => Effect.never) =>
      Effect.gen(function* () {
        const config = yield* RunConfig.fromInput(
          { retries: 0, ...input, agents },
          { roles: builtIn, tools: ["mock"], directory: place.sub("project") }
        )
        const orchestrator = yield* Orchestrator
        const jobs = config.jobs.map((spec) => ({ ...spec, memory: false }))
        return yield* Effect.raceFirst(orchestrator.run({ ...config, jobs }, { onEvent }), use(orchestrator))
      }).pipe(Effect.provide(Live.layer({ dataDir, env: place.env })), Effect.scoped, Effect.runPromise)
  }
}
