/** CPU per job at 16 workers, the whole path, against a bare loop over the same command line and journal rows. */
import { startMeasured } from "../lib/cost.mjs"
import { line, note } from "../lib/report.mjs"
import { pairs } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"

const rounds = 7
const common = { jobs: 160, workers: 16 }

const compare = async (containment, memory) => {
  const work = makeWork()
  const options = { ...common, containment, memory, env: work.env, directory: work.sub("project") }
  const ours = startMeasured("ours", { ...options, data: work.sub("ours") })
  const bare = startMeasured("bare", { ...options, data: work.sub("bare") })
  const first = await ours.take()
  const bareFirst = await bare.take()
  const taken = await pairs(rounds, 0, ours.take, bare.take)
  await ours.stop()
  await bare.stop()
  work.close()

  const name = `cpu_per_job_${containment}${memory ? "_with_memory" : ""}`
  note(
    `${name}: level ${first.level}; ours ${taken.ours("cpu").toFixed(1)} ms CPU a job, bare ${taken.theirs("cpu").toFixed(1)} ms; ` +
      `first run of the process: ${first.cpu.toFixed(1)} and ${bareFirst.cpu.toFixed(1)} ms`
  )
  line(name, taken.ratio("cpu"), "x", memory ? undefined : { atMost: 2 })
  line(name.replace("cpu", "wall"), taken.ratio("wall"), "x")
}

export const run = async () => {
  note("no-op program through the `command` tool, 16 workers, runs of 160 jobs, directory in no repository")
  await compare("auto", false)
  await compare("auto", true)
  await compare("group", false)
  await compare("group", true)
}
