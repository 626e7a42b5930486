/** Run agents and get their results, in the order of the agents. */
import { runAgents } from "@contextfs/core"

const results = await runAgents(
  [
    { role: "test", directory: "./tests", task: "Write tests" },
    { role: "code", directory: "./src", task: "Implement feature" }
  ],
  { numWorkers: 3, timeout: 120 }
)

for (const r of results) {
  console.log(`${r.role}: ${r.status} (${r.duration.toFixed(1)}s)`)
  if (r.result) console.log(r.result)
}
