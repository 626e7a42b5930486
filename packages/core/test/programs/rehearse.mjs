/** Rehearses the agents with the built library until it is killed; says of every event its kind and its agent. */
import { runAgents } from "../../dist/index.js"

const [dataDir, directory, agents] = process.argv.slice(2)
process.chdir(directory)
await runAgents(JSON.parse(agents), {
  dataDir,
  tool: "mock",
  onEvent: (event) => console.log(event.kind, event.agentId ?? "")
})
