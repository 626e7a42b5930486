/** Runs a configuration with the built library until it is killed; says `up` whenever an agent has spoken. */
import { runAgents } from "../../dist/index.js"

const [dataDir, directory, input] = process.argv.slice(2)
const { agents, ...settings } = JSON.parse(input)
await runAgents(
  { ...settings, agents: agents.map((agent) => ({ ...agent, directory })) },
  {
    dataDir,
    onEvent: (event) => {
      if (event.kind === "agentEvent") console.log("up")
    }
  }
)
