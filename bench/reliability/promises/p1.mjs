import { killLoop } from "../lib/killLoop.mjs"

export const id = "P1"
export const promise = "no accepted job is lost, whenever the orchestrator is killed"

export const run = async (options) => {
  const { damages, doubleCommits, jobs, kills, lost, startedAfterDone, twice } = await killLoop(options)
  for (const each of damages) options.note(each)
  return {
    figure: `${lost} of ${jobs} lost over ${kills} kills, ${doubleCommits} double commits, ${startedAfterDone} started after they had finished, ${twice} attempts started twice, ${damages.length} damaged files`,
    floor: "0",
    ok: lost + doubleCommits + startedAfterDone + twice + damages.length === 0 && jobs > 0
  }
}
