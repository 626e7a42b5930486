/**
 * The bare loop: the same command line in the same containment, its output to files, the same journal rows. It spawns
 * from this small process, 16 at a time, and runs the statements on the driver itself; nothing is watched, recalled,
 * judged or cleaned up.
 */
import { execFileSync, spawn } from "node:child_process"
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import Database from "better-sqlite3"
import { serve } from "../lib/program.mjs"
import { replayer } from "../lib/record.mjs"

const options = JSON.parse(process.argv[2])
const { data, directory, env, workers, jobs } = options

/** The run that was recorded; each run here has a name of its own in its place. */
const runId = "recordedrun"
const recorder = fileURLToPath(new URL("record.mjs", import.meta.url))
const recorded = execFileSync(process.execPath, [recorder, JSON.stringify({ ...options, runId })], {
  encoding: "utf8",
  maxBuffer: 2 ** 28
})
const {
  level,
  command: [program, ...args]
} = JSON.parse(recorded)

const fifo = path.join(data, "lifeline")
openSync(fifo, constants.O_RDWR)
const lifeline = openSync(fifo, constants.O_RDONLY)
const db = new Database(path.join(data, "orchestrator.db"))
db.exec("DELETE FROM attempts; DELETE FROM jobs; DELETE FROM runs")
const journal = replayer(db)

const launch = (folder) =>
  new Promise((resolve, reject) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(folder, "prompt"), prompt, { mode: 0o600 })
    const stdin = openSync(path.join(folder, "prompt"), "r")
    const stdout = openSync(path.join(folder, "stdout"), "a", 0o600)
    const stderr = openSync(path.join(folder, "stderr"), "a", 0o600)
    const child = spawn(program, args, {
      cwd: directory,
      env: { ...env, CONTEXTFS_PERMISSION: "exec", CONTEXTFS_MARKER: "0".repeat(48) },
      // Not detached: a group leader would make `setsid` fork and end at once.
      stdio: [stdin, stdout, stderr, ...(level === "G" ? [] : [lifeline])]
    })
    for (const fd of [stdin, stdout, stderr]) closeSync(fd)
    child.once("error", reject)
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))))
  })

const prompt = "x".repeat(2048)
let run = 0
let plan

await serve({
  prepare: () => {
    run++
    plan = JSON.parse(recorded.replaceAll(runId, `bench-${run}`))
    return null
  },
  run: async () => {
    journal(plan.begin)
    let next = 0
    const lane = async () => {
      while (next < jobs) {
        const number = ++next
        const { claim, identify, settle } = plan.steps[number - 1]
        const folder = path.join(data, "runs", `bench-${run}`, `${number}`, "1")
        journal(claim)
        const exited = launch(folder)
        journal(identify)
        await exited
        const said = readFileSync(path.join(folder, "stdout"), "utf8")
        if (said !== "done\n") throw new Error(`job ${number} said ${JSON.stringify(said)}`)
        journal(settle)
      }
    }
    await Promise.all(Array.from({ length: workers }, lane))
    journal(plan.end)
    return { jobs, level, rss: process.memoryUsage().rss }
  }
})
