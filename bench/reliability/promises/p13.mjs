import { readFileSync, statSync } from "node:fs"
import path from "node:path"
import { makePlace, started } from "../lib/scripted.mjs"

const MiB = 1024 * 1024

export const id = "P13"
export const promise = "disk is bounded"
export const run = async ({ scale }) => {
  const bytes = Math.ceil(1024 * scale) * MiB
  const cap = 8 * MiB
  const stay = { do: "delay", ms: 600_000 }
  const place = makePlace()
  try {
    const tools = {
      lines: await place.tool([started, { do: "flood", bytes }, stay]),
      line: await place.tool([started, { do: "flood", bytes, lineLength: 0 }, stay]),
      stderr: await place.tool([started, { do: "flood", bytes, to: "stderr" }, stay]),
      endless: await place.tool([
        started,
        { do: "repeat", times: 1_000_000, steps: [{ do: "print", line: "more ".repeat(200) }] },
        stay
      ])
    }
    const agents = Object.keys(tools).flatMap((tool) => place.agents(tool, 1))
    const { results } = await place.run({ workers: 2, maxOutput: cap, grace: 0.2, tools, agents })
    const sizes = results.map(({ evidence }) =>
      ["stdout", "stderr"].reduce((sum, name) => sum + statSync(path.join(evidence.folder, name)).size, 0)
    )
    const readable = results.filter(({ evidence, tool }) => {
      const text = readFileSync(path.join(evidence.folder, tool === "stderr" ? "stderr" : "stdout"), "utf8")
      return text.length > MiB && !text.includes("\0")
    }).length
    const most = Math.max(...sizes)
    const right = results.filter(({ reason }) => reason === "OutputLimit").length
    return {
      figure: `at most ${(most / MiB).toFixed(2)} MiB kept of each, ${readable} of 4 readable, ${right} of 4 OutputLimit`,
      floor: "cap 8 MiB + 1 MiB",
      ok: most <= cap + MiB && readable === 4 && right === 4
    }
  } finally {
    place.close()
  }
}
