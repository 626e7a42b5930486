/** Two repositories, one feature: agents share what they learn through the project's memory. */
import { runAgents } from "@contextfs/core"

const results = await runAgents(
  [
    { role: "code", directory: "../backend", task: "Add /api/users endpoint" },
    { role: "code", directory: "../frontend", task: "Add user list component that calls /api/users" }
  ],
  { project: "user-feature" }
)

for (const { agentId, directory, status } of results) console.log(`${agentId} in ${directory}: ${status}`)
