// A memory server of a few lines for the mock agent's tests: keeps what is saved in the file that argv names.
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { createInterface } from "node:readline"

const file = process.argv[2]
const all = () =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : []
const answer = (id, result) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`)
const structured = (value) => ({ content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value })

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  if (method === "initialize") {
    return answer(id, {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: "m", version: "1" }
    })
  }
  const { name, arguments: input } = params
  if (name === "contextfs_save") {
    const memory = { id: Math.random().toString(36).slice(2).padEnd(12, "0").slice(0, 12), ...input }
    appendFileSync(file, `${JSON.stringify(memory)}\n`)
    return answer(id, structured({ id: memory.id }))
  }
  if (name === "contextfs_search") {
    return answer(id, structured({ memories: all().filter((memory) => memory.content.includes(input.query)) }))
  }
  if (name === "contextfs_recall") return answer(id, structured(all().find((memory) => memory.id === input.id) ?? {}))
  answer(id, { content: [{ type: "text", text: "unknown tool" }], isError: true })
})
