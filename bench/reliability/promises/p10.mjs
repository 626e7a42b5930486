import { makePlace, started } from "../lib/scripted.mjs"

export const id = "P10"
export const promise = "time-outs mean it"
export const run = async ({ scale }) => {
  const many = Math.ceil(500 * scale)
  const place = makePlace()
  try {
    const deaf = await place.tool([
      { do: "ignore", signals: ["SIGTERM", "SIGINT"] },
      started,
      { do: "delay", ms: 600_000 }
    ])
    const { results } = await place.run({
      workers: 8,
      timeout: 1,
      grace: 1,
      tools: { deaf },
      agents: place.agents("deaf", many)
    })
    const over = results.map(({ duration }) => duration - 1)
    const most = Math.max(...over)
    const wrong = results.filter(({ reason }) => reason !== "JobTimeout").length
    return {
      figure: `at most ${most.toFixed(2)} s over, ${wrong} of ${many} otherwise ended`,
      floor: "grace 1 s + 1 s",
      ok: most <= 2 && wrong === 0 && results.length === many
    }
  } finally {
    place.close()
  }
}
