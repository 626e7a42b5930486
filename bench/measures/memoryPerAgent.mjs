/** What one more running, silent agent takes of the orchestrating process's memory. */
import { start } from "../lib/program.mjs"
import { line, note } from "../lib/report.mjs"
import { median } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"

const few = 20
const many = 200
const rounds = 3

/** Bytes with so many agents, before and after each has opened its connection to the memory. */
const take = async (agents, containment) => {
  const work = makeWork()
  const tokens = work.sub("tokens")
  const silent = start({
    name: "silent",
    flags: ["--expose-gc"],
    options: {
      jobs: agents,
      workers: agents,
      containment,
      memory: true,
      tokens,
      env: work.env,
      directory: work.sub("project"),
      data: work.sub("data")
    }
  })
  const bridges = start({ name: "bridges", options: { tokens } })
  try {
    await silent.ask("running")
    const alone = await silent.ask("take")
    await bridges.ask("open")
    const connected = await silent.ask("take")
    await bridges.ask("close")
    await silent.ask("end")
    return { alone, connected }
  } finally {
    await bridges.stop()
    await silent.stop()
    work.close()
  }
}

export const run = async () => {
  const taken = []
  for (let round = 0; round < rounds; round++) taken.push([await take(few, "auto"), await take(many, "auto")])
  const perAgent = (state, key) =>
    median(taken.map(([small, large]) => (large[state][key] - small[state][key]) / (many - few) / 1024))
  for (const [state, name] of [
    ["alone", "memory_per_agent"],
    ["connected", "memory_per_agent_connected"]
  ]) {
    note(
      `${name}: heap ${perAgent(state, "heapUsed").toFixed(1)} KiB, external ${perAgent(state, "external").toFixed(1)} KiB; ` +
        `resident, in no verdict, ${perAgent(state, "rss").toFixed(0)} KiB`
    )
    line(name, perAgent(state, "bytes"), "KiB", { atMost: 64 })
  }
}
