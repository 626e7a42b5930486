import { measured, mebibytes } from "../lib/memory.mjs"
import { makePlace, started } from "../lib/scripted.mjs"

const MiB = 1024 * 1024

export const id = "P12"
export const promise = "memory is flat"
export const run = async ({ note, scale }) => {
  const flood = (bytes, lineLength) => [started, { do: "flood", bytes, lineLength }]
  const cases = {
    "1 GiB of output": [flood(Math.ceil(1024 * scale) * MiB, 128), { maxOutput: 4 * 1024 * MiB, agents: 1 }],
    "a line of 100 MiB": [flood(Math.ceil(100 * scale) * MiB, 0), { maxOutput: 4 * 1024 * MiB, agents: 1 }],
    "10,000 jobs": [[{ do: "delay", ms: 60_000 }], { agents: Math.ceil(10_000 * scale), seconds: 10 }]
  }
  const grown = []
  for (const [name, [steps, options]] of Object.entries(cases)) {
    const place = makePlace()
    try {
      const { growth } = await measured(place, { tools: { s: await place.tool(steps) }, grace: 0.2, ...options })
      grown.push(mebibytes(growth))
      note(`${name}: ${mebibytes(growth)} MiB`)
    } finally {
      place.close()
    }
  }
  const most = Math.max(...grown)
  return { figure: `at most ${most} MiB more (${grown.join(", ")})`, floor: "64 MiB", ok: most <= 64 }
}
