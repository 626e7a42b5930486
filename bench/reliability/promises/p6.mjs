import * as Effect from "effect/Effect"
import { escapeeKinds } from "../../../packages/fixtures/dist/Scenario.js"
import { Census, makePlace, started } from "../lib/scripted.mjs"

const grace = 500

/** The ways of leaving, the ones that listen and those that do not, and an agent that is stopped. */
const styles = (census) => [
  ...escapeeKinds.map((kind) => [
    { do: "ignore", signals: ["SIGTERM", "SIGINT", "SIGHUP"] },
    { do: "escape", kind, count: 2, census },
    started,
    { do: "delay", ms: 600_000 }
  ]),
  [{ do: "escape", kind: "setsid", count: 2, census }, started, { do: "delay", ms: 600_000 }],
  [
    { do: "escape", kind: "stubborn", count: 2, census },
    started,
    { do: "delay", ms: 200 },
    { do: "kill", signal: "SIGSTOP" }
  ]
]

export const id = "P6"
export const promise = "cancel leaves nobody behind"
export const run = async ({ note, scale }) => {
  const many = Math.ceil(500 * scale)
  const place = makePlace()
  try {
    const census = place.sub("census")
    const all = styles(census)
    const tools = {}
    for (const [index, steps] of all.entries()) tools[`t${index}`] = await place.tool(steps)
    const agents = Array.from({ length: many }, (_, index) => place.agents(`t${index % all.length}`, 1)[0])
    const left = []
    let cancelled = 0
    let level = ""
    const waiting = []
    let wake = () => undefined
    const { results } = await place.run(
      { workers: 8, grace: grace / 1000, tools, agents },
      (event) => {
        if (event.kind === "runStarted") level = event.containment
        if (event.kind === "agentEvent" && event.event.kind === "started") {
          waiting.push(event.jobId)
          wake()
        }
      },
      (orchestrator) =>
        Effect.gen(function* () {
          for (;;) {
            const job = waiting.shift()
            if (job !== undefined) yield* orchestrator.cancel(job)
            else yield* Effect.promise(() => new Promise((resolve) => (wake = resolve)))
          }
        })
    )
    cancelled = results.filter(({ status }) => status === "cancelled").length
    await new Promise((resolve) => setTimeout(resolve, 1000))
    left.push(...(await Census.survivors({ folder: census })))
    note(`containment ${level}, ${all.length} styles, ${await Census.signedIn(census)} processes had left their agents`)
    return {
      figure: `${left.length} survivors of ${many} cancels (${cancelled} cancelled)`,
      floor: "0 after grace + 1 s",
      ok: left.length === 0 && cancelled === many
    }
  } finally {
    place.close()
  }
}
