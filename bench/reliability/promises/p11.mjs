import { done, makePlace, started } from "../lib/scripted.mjs"

export const id = "P11"
export const promise = "hangs are noticed"
export const run = async ({ note, scale }) => {
  const each = Math.ceil(100 * scale)
  const place = makePlace()
  try {
    const stay = { do: "delay", ms: 600_000 }
    const kinds = {
      silent: [[stay], "JobStalled"],
      stopped: [[started, { do: "kill", signal: "SIGSTOP" }], "JobStalled"],
      spinning: [[started, { do: "spin", ms: 30_000 }, stay], "JobStalled"],
      finished: [[started, done, stay], "completed"]
    }
    const tools = {}
    for (const [name, [steps]] of Object.entries(kinds)) tools[name] = await place.tool(steps)
    const agents = Object.keys(kinds).flatMap((name) => place.agents(name, each))
    const { results } = await place.run({ workers: 16, startTimeout: 5, idleTimeout: 3, grace: 0.5, tools, agents })
    const right = results.filter(({ reason, status, tool }) => (reason ?? status) === kinds[tool][1]).length
    for (const { agentId, error, reason, tool } of results
      .filter(({ reason, status, tool }) => (reason ?? status) !== kinds[tool][1])
      .slice(0, 5))
      note(`${agentId} (${tool}): ${reason} ${error}`)
    return {
      figure: `${right} of ${4 * each} ended and in the right class`,
      floor: `${4 * each}`,
      ok: right === 4 * each
    }
  } finally {
    place.close()
  }
}
