/** One run with the built library, told as JSON, and how much memory it took at most beyond a quiet one. Needs --expose-gc. */
import { runAgents } from "@contextfs/core"

const { agents, dataDir, directory, env, seconds, ...input } = JSON.parse(process.argv[2])
const quiet = { s: { command: ["true"] } }
const agent = { role: "custom", directory, task: "go", tool: "s" }
const run = (tools, many, signal) =>
  runAgents(
    { retries: 0, ...input, tools, agents: Array.from({ length: many }, () => agent) },
    { dataDir, env, signal }
  )
await run(quiet, 4)
globalThis.gc()
const before = process.memoryUsage().rss
let most = before
const watch = setInterval(() => {
  most = Math.max(most, process.memoryUsage().rss)
}, 5)
const signal = seconds === undefined ? undefined : AbortSignal.timeout(seconds * 1000)
const results = await run(input.tools, agents, signal).catch((error) => {
  // Only the end of its time is expected.
  if (signal?.aborted !== true) throw error
  return []
})
clearInterval(watch)
console.log(JSON.stringify({ growth: most - before, reason: results[0]?.reason, folder: results[0]?.evidence?.folder }))
