import { execFile, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import Driver from "better-sqlite3"
import { random } from "../lib/random.mjs"
import { Census, makePlace, started } from "../lib/scripted.mjs"

const bin = fileURLToPath(new URL("../../../packages/cli/dist/bin.cjs", import.meta.url))
const terminal = fileURLToPath(new URL("../programs/inTerminal.py", import.meta.url))
const grace = 1

export const id = "P18"
export const promise = "Ctrl-C always works"
export const run = async ({ note, scale, seed }) => {
  const each = Math.ceil(100 * scale)
  if (spawnSync("python3", ["--version"]).status !== 0)
    return { figure: "not measured: no python3 for a terminal", floor: "", ok: false }
  const { next } = random(seed)
  let slowest = 0
  const faults = []
  const turns = Array.from({ length: each * 3 }, (_, turn) => {
    // From the moment at which there is a journal until its agents are all at work.
    const first = next() * 2
    const after = Array.from({ length: 1 + (turn % 3) }, (_, index) => first + index * next() * 0.5)
    return { turn, after: after.toSorted((one, other) => one - other) }
  })
  const take = async ({ after, turn }) => {
    const place = makePlace()
    try {
      const census = place.sub("census")
      const stubborn = await place.tool([
        { do: "ignore", signals: ["SIGTERM"] },
        { do: "escape", kind: "stubborn", census },
        started,
        { do: "delay", ms: 600_000 }
      ])
      const quick = await place.tool([
        started,
        { do: "delay", ms: 300 },
        { do: "print", line: { type: "result", ok: true, text: "ok" } }
      ])
      const file = path.join(place.sub("project"), "agents.json")
      const agents = [...place.agents("stubborn", 2), ...place.agents("quick", 6)]
      writeFileSync(file, JSON.stringify({ workers: 4, grace, retries: 0, tools: { stubborn, quick }, agents }))
      const options = {
        command: [process.execPath, bin, "orchestrator", "run", file],
        directory: place.sub("project"),
        env: { ...place.env, CONTEXTFS_DATA_DIR: place.dataDir, TERM: "xterm" },
        file: path.join(place.dataDir, "orchestrator.db"),
        after
      }
      const { stdout } = await promisify(execFile)("python3", [terminal, JSON.stringify(options)])
      const { code, restored, seconds, shown } = JSON.parse(stdout)
      slowest = Math.max(slowest, seconds ?? 0)
      const left = [
        ...(await Census.survivors({ folder: census })),
        ...(await Census.survivors({ env: `CONTEXTFS_DATA_DIR=${place.dataDir}` }))
      ]
      const db = new Driver(path.join(place.dataDir, "orchestrator.db"), { readonly: true })
      const runs = db.prepare("SELECT status FROM runs").pluck().all()
      const open = db
        .prepare("SELECT count(*) FROM jobs WHERE status = 'running' OR (status = 'cancelled' AND resumable = 0)")
        .pluck()
        .get()
      db.close()
      const wrong = [
        code === 130 ? "" : `exit ${code}`,
        seconds === null || seconds > grace + 2 ? `${seconds} s` : "",
        restored ? "" : "terminal not restored",
        left.length === 0 ? "" : `${left.length} survivors`,
        runs.length === 0 || runs.join() === "interrupted" ? "" : `run ${runs.join()}`,
        open === 0 ? "" : `${open} jobs not resumable`,
        runs.length === 0 || shown.includes("orchestrator resume ") ? "" : "no resume command"
      ].filter((text) => text !== "")
      if (wrong.length > 0) {
        faults.push(wrong)
        note(`turn ${turn}, signals after ${after.map((each) => each.toFixed(2)).join(", ")} s: ${wrong.join(", ")}`)
      }
    } finally {
      place.close()
    }
  }
  // Two at once, for most of a turn is waiting.
  const waiting = turns.values()
  const lane = async () => {
    for (const turn of waiting) await take(turn)
  }
  await Promise.all([lane(), lane()])
  return {
    figure: `${each * 3 - faults.length} of ${each * 3}: exit 130, nobody left, resumable, terminal restored; slowest ${slowest.toFixed(2)} s`,
    floor: `all, grace ${grace} s + 2 s`,
    ok: faults.length === 0
  }
}
