import { runAgents } from "@contextfs/core"
import parrot from "./parrotTool.js"

const agents = [{ role: "custom", directory: ".", task: "Say hello.", permission: "read" }]
for (const { status, result, error } of await runAgents(agents, { tool: "parrot", tools: [parrot] })) {
  console.log(status, result?.includes("Say hello."), error)
}
