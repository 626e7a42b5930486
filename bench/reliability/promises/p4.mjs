import { audit, makeCrash } from "../lib/crash.mjs"

export const id = "P4"
export const promise = "finished is never redone: killed after the agent's last word and before the commit"

const rounds = 10

/** In each round ten agents say their last word and stay; the orchestrator dies when it would commit the first. */
export const run = async ({ scale, note }) => {
  const jobs = Math.round((100 * scale) / rounds)
  const sum = { harvested: 0, rerun: 0 }
  for (let round = 0; round < rounds; round++) {
    const crash = makeCrash({ jobs, workers: jobs, rest: "sleep 600", containment: round % 2 === 0 ? "auto" : "group" })
    try {
      const child = crash.begin({ input: crash.input, site: "before-commit", passage: 1 })
      // Each of them has said its last word, and no drain timer has run out for it: the site is passed by nobody else.
      while (crash.lines("ends").length < jobs) {
        const early = await Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, 20))])
        if (early === "SIGKILL") break
        if (early !== undefined) throw new Error(`the run ended by itself with ${early}`)
      }
      child.kill("SIGKILL")
      await child.ended
      const spoken = crash.lines("ends").length
      const [{ id: runId }] = crash.runs()
      const { code } = await crash.begin({ runId }).outcome
      if (code !== 0) throw new Error(`resume ended with ${code}`)
      const { lost, reruns, startedAfterDone } = audit(crash, [runId], note)
      sum.harvested += spoken - startedAfterDone - lost
      sum.rerun += startedAfterDone
      if (spoken < jobs) note(`${jobs - spoken} of ${jobs} had not said their last word; ${reruns} ran again`)
    } finally {
      crash.close()
    }
  }
  return {
    figure: `${sum.harvested} of ${jobs * rounds} harvested, ${sum.rerun} re-run`,
    floor: "all, 0 re-run",
    ok: sum.harvested === jobs * rounds && sum.rerun === 0
  }
}
