import { killLoop } from "../lib/killLoop.mjs"
import { quantile } from "../lib/random.mjs"

export const id = "P5"
export const promise = "recovery is quick: from the start of the process to its first claim, on one host"

export const run = async (options) => {
  const { ages } = await killLoop(options)
  const seconds = (part) => (quantile(ages, part) / 1_000).toFixed(2)
  return {
    figure: `p99 ${seconds(0.99)} s of ${ages.length} starts, median ${seconds(0.5)} s`,
    floor: "5 s",
    ok: quantile(ages, 0.99) <= 5_000
  }
}
