/** 10,000 scripted jobs over 200 random kill -9 of their orchestrator: P1, P3 and P5 look at the same run. */
import { setTimeout as sleep } from "node:timers/promises"
import { audit, makeCrash } from "./crash.mjs"
import { random } from "./random.mjs"

const workers = 8

let taken
export const killLoop = (options) => {
  taken ??= loop(options)
  return taken
}

const loop = async ({ scale, seed, note }) => {
  const jobs = Math.round(10_000 * scale)
  const kills = Math.round(200 * scale)
  const { int, next } = random(seed)
  const crash = makeCrash({ jobs, workers, memoryEvery: 10 })
  try {
    const { runId } = await crash.begin({ input: crash.input, enqueue: true }).outcome
    const damages = []
    const ages = []
    let late = 0
    /** Milliseconds of work in which about as many jobs are done as are left for each kill. */
    let window = 500
    let before = 0
    for (let kill = 0; kill < kills; kill++) {
      let claimed
      const firstClaim = new Promise((resolve) => {
        claimed = resolve
      })
      const child = crash.begin({ runId }, (age) => {
        ages.push(age)
        claimed()
      })
      // One in five at any moment of its start, the others while it is at work.
      const worked = Math.round(next() * 2 * window)
      if (next() < 0.2) await Promise.race([child.ended, sleep(int(0, 2_000))])
      else {
        await Promise.race([child.ended, firstClaim])
        await Promise.race([child.ended, sleep(worked)])
      }
      child.kill("SIGKILL")
      const { code } = await child.outcome
      if (code !== "SIGKILL") late++
      damages.push(...crash.damage())
      const { completed = 0 } = crash.counts(runId)
      // Some are kept for the last kills, and for the resume that no kill follows.
      const wanted = (jobs - completed) / (kills - kill + kills / 10)
      const done = completed - before
      before = completed
      window = Math.min(5_000, Math.max(20, window * Math.min(1.5, Math.max(0.5, wanted / Math.max(1, done)))))
      if ((kill + 1) % 20 === 0) note(`${kill + 1} kills, ${completed} of ${jobs} done`)
    }
    const last = await crash.begin({ runId }, (age) => ages.push(age)).outcome
    damages.push(...crash.damage())
    if (last.code !== 0) throw new Error(`the last resume ended with ${last.code}`)
    return { ...audit(crash, [runId], note), kills: kills - late, damages, ages, workers, runId }
  } finally {
    crash.close()
  }
}
