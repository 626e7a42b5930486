/** CPU per job of a program that runs jobs when it is asked to, its agents and all they start included. */
import { makeGroup, noGroup } from "./cpu.mjs"
import { start } from "./program.mjs"
import { Skipped } from "./report.mjs"

export const startMeasured = (name, options) => {
  const group = makeGroup()
  if (group === null) throw new Skipped(noGroup)
  const program = start({ name, options, prefix: group.enter })
  return {
    take: async () => {
      await program.ask("prepare")
      const before = group.used()
      const began = performance.now()
      const said = await program.ask("run")
      return { ...said, cpu: (group.used() - before) / said.jobs, wall: (performance.now() - began) / said.jobs }
    },
    stop: async () => {
      await program.stop()
      await group.close()
    }
  }
}
