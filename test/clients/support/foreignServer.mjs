/**
 * An MCP server of the user's own, with one tool: `poke`. JSON-RPC over stdio, one message a line. Its argument: how many
 * milliseconds it takes to answer the first message.
 */
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"

const tool = { name: "poke", description: "Pokes something.", inputSchema: { type: "object", properties: {} } }

const answer = ({ method, params }) => {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "foreign", version: "1.0.0" }
      }
    case "tools/list":
      return { tools: [tool] }
    case "tools/call":
      return { content: [{ type: "text", text: "poked" }] }
    default:
      return {}
  }
}

await sleep(Number(process.argv[2] ?? 0))
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (message.id === undefined) continue
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result: answer(message) })}\n`)
}
