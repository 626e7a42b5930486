/** `npm run bench:reliability [-- --quick] [--seed N] [PROMISE…]`: one line for each promise; see ../README.md. */
import { execFileSync } from "node:child_process"
import { randomInt } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import os from "node:os"
import { parseArgs } from "node:util"
import { note } from "../lib/report.mjs"
import { endAll } from "./lib/children.mjs"

const usage = (message) => {
  console.error(`error[Usage]: ${message}`)
  process.exit(2)
}

const known = readdirSync(new URL("promises", import.meta.url))
  .flatMap((file) => (file.endsWith(".mjs") ? [file.slice(0, -4)] : []))
  .sort((one, other) => one.localeCompare(other, "en", { numeric: true }))

const read = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { quick: { type: "boolean", default: false }, seed: { type: "string" } }
    })
  } catch (error) {
    return usage(error.message)
  }
}
const { positionals, values } = read()
const chosen = known.filter((name) => positionals.some((each) => each.toLowerCase() === name.toLowerCase()))
const unknown = positionals.filter((name) => !known.some((each) => each.toLowerCase() === name.toLowerCase()))
if (unknown.length > 0) usage(`unknown promise ${unknown.join(", ")} – known: ${known.join(", ")}`)
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
if (!Number.isSafeInteger(seed) || seed < 0) usage(`--seed is not a number: ${values.seed}`)
/** Part of the full counts. */
const scale = values.quick ? 0.1 : 1

const load = () => readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ")
const commit = () => {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
  } catch {
    return "unknown"
  }
}

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
]) {
  process.once(signal, () => {
    endAll()
    process.exit(code)
  })
}

note(
  `${os.type()} ${os.release()}, ${os.cpus().length} x ${os.cpus()[0]?.model}, node ${process.version}, uid ${process.getuid()}`
)
note(`commit ${commit().trim()}, seed ${seed}, counts x ${scale}`)
let missed = 0
for (const name of chosen.length > 0 ? chosen : known) {
  const { id, promise, run } = await import(`./promises/${name}.mjs`)
  note(`${id}: ${promise} (load ${load()})`)
  const began = performance.now()
  try {
    const { figure, floor, ok } = await run({ scale, seed, note })
    if (!ok) missed++
    console.log(`${id} ${figure} floor ${floor} ${ok ? "met" : "missed"}`)
  } catch (error) {
    missed++
    endAll()
    console.log(`${id} could not be measured: ${error instanceof Error ? error.stack : error}`)
  }
  note(`${((performance.now() - began) / 1000).toFixed(0)} s, load ${load()}`)
}
process.exitCode = missed > 0 ? 1 : 0
