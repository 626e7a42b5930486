/** Runs one flooding agent with the built library and says how much memory that took at most, beyond a quiet run. */
import { runAgents } from "../../dist/index.js"

const [dataDir, directory, tool] = process.argv.slice(2)
const run = (tools) =>
  runAgents({ tools, retries: 0, agents: [{ role: "custom", directory, task: "go", tool: "s" }] }, { dataDir })

const quiet = { s: { command: ["true"] } }
await run(quiet)
globalThis.gc()
const before = process.memoryUsage().rss
let most = before
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage().rss)
}, 5)
const [result] = await run({ s: JSON.parse(tool) })
clearInterval(watch)
console.log(JSON.stringify({ reason: result.reason, folder: result.evidence.folder, growth: most - before }))
