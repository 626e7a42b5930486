/** `npm run bench [-- MEASURE…]`: prints `name value unit` lines; see README.md. */
import { readFileSync } from "node:fs"
import os from "node:os"
import { endAll } from "./lib/program.mjs"
import { note, Skipped } from "./lib/report.mjs"

const measures = ["startUp", "bridge", "cpuPerJob", "largeHeap", "memoryPerAgent", "jobQueue", "memoryStore"]

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !measures.includes(name))
if (unknown.length > 0) {
  console.error(`error[Usage]: unknown measure ${unknown.join(", ")} – known: ${measures.join(", ")}`)
  process.exit(2)
}

const load = () => readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ")
note(
  `${os.type()} ${os.release()}, ${os.cpus().length} x ${os.cpus()[0]?.model}, node ${process.version}, uid ${process.getuid()}`
)

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
]) {
  process.once(signal, () => {
    endAll()
    process.exit(code)
  })
}

let broken = 0
for (const name of chosen.length > 0 ? chosen : measures) {
  note(`--- ${name}${os.platform() === "linux" ? ` (load ${load()})` : ""}`)
  try {
    const { run } = await import(`./measures/${name}.mjs`)
    await run()
  } catch (error) {
    endAll()
    if (error instanceof Skipped) {
      note(`${name} skipped: ${error.message}`)
    } else {
      broken++
      note(`${name} could not be measured: ${error instanceof Error ? error.stack : error}`)
    }
  }
}
process.exitCode = broken > 0 ? 1 : 0
