/** CPU per job with 500 MiB resident in the orchestrating process, against its own cost with an empty heap. */
import { startMeasured } from "../lib/cost.mjs"
import { line, note } from "../lib/report.mjs"
import { pairs } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"

const rounds = 5

export const run = async () => {
  for (const containment of ["auto", "group"]) {
    const work = makeWork()
    const options = {
      jobs: 160,
      workers: 16,
      containment,
      memory: false,
      env: work.env,
      directory: work.sub("project")
    }
    const large = startMeasured("ours", { ...options, data: work.sub("large"), ballastMiB: 500 })
    const empty = startMeasured("ours", { ...options, data: work.sub("empty"), ballastMiB: 0 })
    const taken = await pairs(rounds, 1, large.take, empty.take)
    await large.stop()
    await empty.stop()
    work.close()
    const mib = (bytes) => Math.round(bytes / 2 ** 20)
    note(`resident: ${mib(taken.ours("rss"))} MiB and ${mib(taken.theirs("rss"))} MiB`)
    line(`cpu_per_job_500MiB_${containment}`, taken.ratio("cpu"), "x", { atMost: 3 })
  }
}
