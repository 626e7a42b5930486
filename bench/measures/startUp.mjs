/** Start-up of the command against bare node, interleaved, wall and CPU. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { makeGroup, noGroup } from "../lib/cpu.mjs"
import { line, note } from "../lib/report.mjs"
import { pairs } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"

const rounds = 21
const cli = new URL("../../packages/cli/", import.meta.url)
const bin = fileURLToPath(new URL(JSON.parse(readFileSync(new URL("package.json", cli), "utf8")).bin.contextfs, cli))

export const run = async () => {
  if (!existsSync(bin)) throw new Error("the command is not built")
  const work = makeWork()
  const group = makeGroup()
  if (group === null) note(noGroup)
  const once = (args) => () => {
    const [command, ...rest] = [...(group?.enter ?? []), process.execPath, ...args]
    const before = group?.used() ?? 0
    const began = performance.now()
    const { status, stderr } = spawnSync(command, rest, { env: work.env, cwd: work.sub("project"), encoding: "utf8" })
    const wall = performance.now() - began
    if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
    return { wall, cpu: (group?.used() ?? 0) - before }
  }
  const node = once(["-e", "0"])
  for (const [name, args, atMost] of [
    ["version", ["--version"], 1.25],
    ["roles", ["orchestrator", "roles"], 1.7]
  ]) {
    // The warm-up rounds also fill the cache of compiled code.
    const taken = await pairs(rounds, 2, once([bin, ...args]), node)
    for (const kind of group === null ? ["wall"] : ["wall", "cpu"]) {
      line(`start_${name}_${kind}`, taken.ratio(kind), "x", { atMost })
      line(`start_${name}_${kind}_minima`, taken.ratioOfMinima(kind), "x")
    }
  }
  await group?.close()
  work.close()
}
