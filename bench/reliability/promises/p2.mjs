import { claimers } from "../lib/claimers.mjs"

export const id = "P2"
export const promise = "one live attempt for each job, also when a stopped owner goes on after its lease has run out"

export const run = async ({ scale, seed, note }) => {
  const found = await claimers({
    jobs: Math.round(10_000 * scale),
    processes: 16,
    seed,
    millis: 1_000,
    stopEvery: 150,
    stoppedFor: 2_500
  })
  note(`${found.claims} claims, ${found.stops} times an owner was stopped, ${found.reclaimed} jobs claimed again`)
  const { damage, doubleCommits, jobs, notCompleted, refused, staleCommits, stops } = found
  return {
    figure: `${doubleCommits} double claims that both committed, ${staleCommits} stale commits accepted (${refused} refused) of ${jobs} jobs`,
    floor: "0 and 0",
    ok: doubleCommits + staleCommits + notCompleted === 0 && damage === null && stops > 0 && refused > 0
  }
}
