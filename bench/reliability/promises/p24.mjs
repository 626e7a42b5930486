import { setTimeout as sleep } from "node:timers/promises"
import { claimers } from "../lib/claimers.mjs"
import { audit, makeCrash } from "../lib/crash.mjs"
import { random } from "../lib/random.mjs"

export const id = "P24"
export const promise = "clocks may lie: jumps of a day either way, and pauses as of a suspended machine"

export const run = async ({ scale, seed, note }) => {
  const found = await claimers({
    jobs: Math.round(5_000 * scale),
    processes: 8,
    seed,
    // Longer than any pause, so that every job that is claimed again is one whose lease was ended by a wrong clock.
    millis: 600_000,
    jumps: true,
    stopEvery: 300,
    stoppedFor: 500
  })

  // A whole run whose clock on the wall is set at every look, and which is stopped now and then.
  const { int } = random(seed)
  const crash = makeCrash({ jobs: Math.round(200 * scale), workers: 4, rest: "sleep 0.1" })
  try {
    const child = crash.begin({ input: { ...crash.input, timeout: "60s" }, jumps: true })
    let over = false
    const outcome = child.outcome.finally(() => {
      over = true
    })
    for (let pauses = 0; !over && pauses < 20; pauses++) {
      await Promise.race([outcome, sleep(int(100, 1_000))])
      child.kill("SIGSTOP")
      await sleep(200)
      child.kill("SIGCONT")
    }
    const { code, runId } = await outcome
    if (code !== 0) throw new Error(`the run ended with ${code}`)
    const { doubleCommits, jobs, lost, reruns, twice } = audit(crash, [runId], note)
    note(`${found.stops} claimers stopped; a run of ${jobs} jobs with ${reruns} re-runs, ${lost} not completed`)
    return {
      figure: `${found.reclaimed + reruns + lost} spurious expiries, ${found.doubleCommits + doubleCommits + twice} double runs of ${found.jobs + jobs} jobs`,
      floor: "0 and 0",
      ok:
        found.reclaimed + reruns + lost + found.doubleCommits + doubleCommits + twice + found.notCompleted === 0 &&
        found.stops > 0
    }
  } finally {
    crash.close()
  }
}
