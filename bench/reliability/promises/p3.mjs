import { killLoop } from "../lib/killLoop.mjs"

export const id = "P3"
export const promise = "re-execution is bounded and visible"

export const run = async (options) => {
  const { kills, reruns, unexplained, workers } = await killLoop(options)
  return {
    figure: `${reruns} re-runs over ${kills} kills with ${workers} workers, ${unexplained} attempts without a reason`,
    floor: `${workers * kills} re-runs, 0 without a reason`,
    ok: reruns <= workers * kills && unexplained === 0
  }
}
