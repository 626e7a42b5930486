/** Runs one agent with the built library until it is killed; says `up` when the agent has spoken. */
import { runAgents } from "../../dist/index.js"

const [dataDir, directory, tool, containment] = process.argv.slice(2)
await runAgents(
  { tools: { s: JSON.parse(tool) }, containment, agents: [{ role: "custom", directory, task: "go", tool: "s" }] },
  {
    dataDir,
    onEvent: (event) => {
      if (event.kind === "agentEvent") console.log("up")
    }
  }
)
