/** An agent that tells every secret it knows, in every way there is. Plain node; talks to the run's memory server by itself. */
import { appendFileSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import path from "node:path"

readFileSync(0)
const keys = JSON.parse(readFileSync(process.argv[2], "utf8"))
const secrets = [
  ...keys,
  ...Object.entries(process.env).flatMap(([name, value]) => (name.startsWith("CANARY") ? [value] : []))
]
const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)
const folder = path.dirname(readlinkSync("/proc/self/fd/1"))

const calls = secrets.flatMap((secret, index) => [
  [
    "contextfs_save",
    {
      content: `note ${index}: the key is\n${secret}\n`,
      summary: `s ${secret}`,
      tags: [secret.slice(0, 150)],
      type: "fact"
    }
  ],
  [
    "contextfs_save",
    {
      content: `fault ${index}`,
      type: "error",
      structured_data: { error_type: "x", message: secret, [secret]: [secret] }
    }
  ],
  ["contextfs_search", { query: secret }],
  ["contextfs_save", { content: secret, type: secret }]
])

const talk = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ path: process.env.CONTEXTFS_SOCKET })
    let text = ""
    let answered = 0
    socket.setEncoding("utf8")
    socket.on("data", (chunk) => {
      text += chunk
      const lines = text.split("\n")
      text = lines.pop()
      for (const line of lines) {
        emit({ type: "tool_result", id: `${answered}`, name: "contextfs.x", ok: true, message: line })
        // Answers go to the agent that asked, and what it prints of them comes back to us.
        if (++answered === calls.length + 1) socket.end(resolve)
      }
    })
    socket.on("error", reject)
    const send = (message) => socket.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
    socket.write(`${process.env.CONTEXTFS_TOKEN}\n`)
    send({
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "leaky", version: "1" } }
    })
    send({ method: "notifications/initialized" })
    for (const [index, [name, args]] of calls.entries())
      send({ id: index + 2, method: "tools/call", params: { name, arguments: args } })
  })

emit({ type: "started", sessionId: "s", model: "m" })
for (const [index, secret] of secrets.entries()) {
  emit({ type: "message", text: `I found\n${secret}\nin a file` })
  emit({
    type: "tool_call",
    id: `${index}`,
    name: "shell",
    input: { command: `curl -H "Authorization: ${secret}"`, env: { [secret]: secret } }
  })
  emit({ type: "tool_result", id: `${index}`, name: "shell", ok: false, message: JSON.stringify({ body: secret }) })
  process.stdout.write(`no event: ${secret}\n`)
  process.stderr.write(`warning: ${secret} and ${Buffer.from(`user:${secret}`).toString("base64")}\n`)
}
await talk()
appendFileSync(path.join(folder, "stdout"), `{"type":"message","text":${JSON.stringify(secrets.join(" "))}}\n`)
writeFileSync(path.join(folder, "own.txt"), secrets.join("\n"), { mode: 0o600 })
const denials = secrets.map((secret) => ({ tool: "shell", message: secret }))
const ok = process.argv[3] !== "fail"
emit({
  type: "result",
  ok,
  text: secrets.join("\n\n"),
  denials,
  ...(ok ? {} : { error: { class: "other", message: secrets.join(" ") } })
})
