/** The windows that random kills seldom hit: the orchestrator kills itself there, and the run is gone on with. */
import { audit, makeCrash } from "../lib/crash.mjs"
import { random } from "../lib/random.mjs"

export const id = "fail-points"
export const promise = "P1 and P3 at every crash site"

/** In the order of a job's life. The last two are of the start after a crash, which crashes as well. */
const sites = [
  "claimed",
  "before-spawn",
  "after-spawn",
  "before-identity",
  "terminal-seen",
  "before-commit",
  "after-commit",
  "before-retry",
  "after-takeover"
]
const workers = 3
const jobs = 8
/** Three runs that share a machine take hardly longer than one. */
const abreast = 3

export const run = async ({ scale, seed, note }) => {
  const times = Math.max(1, Math.round(20 * scale))
  const { int } = random(seed)
  const sum = { lost: 0, doubleCommits: 0, reruns: 0, unexplained: 0, startedAfterDone: 0, twice: 0 }
  const once = async (site, passage) => {
    const crash = makeCrash({ jobs, workers, memoryEvery: 2 })
    try {
      const inner = site === "before-retry" || site === "after-takeover"
      const first = await crash.begin({ input: crash.input, site: inner ? "after-spawn" : site, passage }).outcome
      if (first.code !== "SIGKILL") throw new Error(`${site} ${passage} was not passed: ${JSON.stringify(first)}`)
      let mine = 1
      const [{ id: runId }] = crash.runs()
      if (inner) {
        // Of what was cut short, the first is put back; there may be none.
        const { code } = await crash.begin({ runId, site, passage: 1 }).outcome
        if (code === "SIGKILL") mine++
      }
      const last = await crash.begin({ runId }).outcome
      if (last.code !== 0) throw new Error(`after ${site} ${passage} the run could not be gone on with: ${last.code}`)
      const found = audit(crash, [runId], note)
      const damaged = crash.damage()
      if (found.jobs !== jobs) throw new Error(`${site}: ${found.jobs} jobs`)
      if (damaged.length > 0) throw new Error(damaged.join())
      if (found.reruns > workers * mine) note(`${site}: ${found.reruns} re-runs`)
      for (const key of Object.keys(sum)) sum[key] += found[key]
      return mine
    } finally {
      crash.close()
    }
  }
  let total = 0
  for (const site of sites) {
    const passages = Array.from({ length: times }, () => int(1, jobs - workers))
    for (let at = 0; at < passages.length; at += abreast) {
      const mine = await Promise.all(passages.slice(at, at + abreast).map((passage) => once(site, passage)))
      total += mine.reduce((one, other) => one + other, 0)
    }
  }
  const { doubleCommits, lost, reruns, startedAfterDone, twice, unexplained } = sum
  return {
    figure: `${lost} lost, ${doubleCommits} double commits, ${startedAfterDone} started after they had finished, ${twice} attempts started twice, ${unexplained} attempts without a reason, ${reruns} re-runs over ${total} kills at ${sites.length} sites`,
    floor: `0 and at most ${workers * total} re-runs`,
    ok: lost + doubleCommits + startedAfterDone + twice + unexplained === 0 && reruns <= workers * total
  }
}
