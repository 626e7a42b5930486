import { mkdirSync, readdirSync } from "node:fs"
import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as AgentProcess from "@contextfs/core/AgentProcess"
import { killAll, survivors } from "@contextfs/fixtures/Census"
import { escapeeKinds, writeAgent } from "@contextfs/fixtures/Scenario"
import * as Effect from "effect/Effect"
import { makeWork } from "../../lib/work.mjs"
import { start } from "../lib/children.mjs"

export const id = "P7"
export const promise = "nobody outlives us: kill -9 of an orchestrator with 4 agents, each with 6 kinds of escapees"

const agents = 4
const hidden = "emptyEnv"

/** One kill; how many processes live 1 s after it, and after the next start. Those that hide from a marker count apart. */
const once = async (place, name, containment) => {
  const root = place.sub(name)
  const folder = (part) => {
    const made = path.join(root, part)
    mkdirSync(made, { recursive: true })
    return made
  }
  const censuses = { seen: folder("seen"), hidden: folder("hidden") }
  const escape = (kind) => ({ do: "escape", kind, census: censuses[kind === hidden ? "hidden" : "seen"] })
  const agent = await writeAgent(root, [...escapeeKinds.map(escape), { do: "delay", ms: 600_000 }])
  const common = { dataDir: folder("data"), env: place.env, directory: folder("work"), memoryEvery: 0 }
  const input = { workers: agents, containment, tool: "t", tools: { t: { command: [agent], output: "events" } } }
  const child = start("orchestrate", { ...common, jobs: agents, input }, { env: place.env })
  const signedIn = () => readdirSync(censuses.seen).length + readdirSync(censuses.hidden).length
  const left = async () => ({
    seen: (await survivors({ folder: censuses.seen })).length,
    hidden: (await survivors({ folder: censuses.hidden })).length,
    agents: (await survivors({ argument: `${agent}.json` })).length
  })
  try {
    for (const until = performance.now() + 120_000; signedIn() < agents * escapeeKinds.length; ) {
      const early = await Promise.race([child.ended, sleep(10)])
      if (early !== undefined) throw new Error(`the run ended by itself with ${early}`)
      if (performance.now() > until) throw new Error(`${signedIn()} escapees after two minutes`)
    }
    child.kill("SIGKILL")
    await child.ended
    await sleep(1_000)
    const afterSecond = await left()
    if (afterSecond.seen + afterSecond.agents + afterSecond.hidden === 0)
      return { afterSecond, afterStart: afterSecond }
    // Any start in the same data folder looks for what others have left; this one has nothing else to do.
    const echo = { ...input, containment: "group", tools: { t: { command: ["/bin/echo", "ok"] } } }
    const code = await start("orchestrate", { ...common, jobs: 1, input: echo }, { env: place.env }).ended
    if (code !== 0) throw new Error(`the next start ended with ${code}`)
    return { afterSecond, afterStart: await left() }
  } finally {
    child.kill("SIGKILL")
    for (const census of Object.values(censuses)) await killAll({ folder: census })
    await killAll({ argument: `${agent}.json` })
  }
}

export const run = async ({ scale, note }) => {
  const kills = Math.round(100 * scale)
  const { level } = await Effect.runPromise(AgentProcess.look(process.env.PATH))
  const place = makeWork()
  const all = async (containment) => {
    const sum = { afterSecond: 0, hiddenAfterSecond: 0, afterStart: 0, hidden: 0 }
    for (let kill = 0; kill < kills; kill++) {
      const { afterSecond, afterStart } = await once(place, `${containment}-${kill}`, containment)
      sum.afterSecond += afterSecond.seen + afterSecond.agents
      sum.hiddenAfterSecond += afterSecond.hidden
      sum.afterStart += afterStart.seen + afterStart.agents
      sum.hidden += afterStart.hidden
    }
    return sum
  }
  try {
    const bound = level === "G" ? undefined : await all("auto")
    if (bound === undefined) note("no namespaces here: lifetimes are not kernel-bound")
    else note(`${level}: ${bound.afterSecond + bound.hiddenAfterSecond} after 1 s`)
    const group = await all("group")
    const processes = kills * agents
    note(
      `G: ${group.afterSecond} after 1 s; of ${processes} that had emptied their environment and left their group, which nothing can tell from a stranger, ${group.hidden} lived on`
    )
    const bad = (bound === undefined ? 0 : bound.afterSecond + bound.hiddenAfterSecond) + group.afterStart
    return {
      figure: `${bound === undefined ? "" : `${bound.afterSecond + bound.hiddenAfterSecond} survivors after 1 s (${level}), `}${group.afterStart} after the next start (G, in sight), over ${kills} kills each`,
      floor: "0",
      ok: bad === 0
    }
  } finally {
    place.close()
  }
}
