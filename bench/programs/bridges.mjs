/** The memory connections of many agents, held by one process: each says who it is, begins a session, lists the tools. */
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import path from "node:path"
import { createInterface } from "node:readline"
import { serve } from "../lib/program.mjs"

const { tokens } = JSON.parse(process.argv[2])

const open = async (file) => {
  const [socketPath, token] = readFileSync(path.join(tokens, file), "utf8").trim().split(" ")
  const socket = connect(socketPath)
  await once(socket, "connect")
  const lines = createInterface({ input: socket })
  const send = (message) => socket.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  const ask = async (id, method, params) => {
    send({ id, method, params })
    const [line] = await once(lines, "line")
    const { result } = JSON.parse(line)
    if (result === undefined) throw new Error(line)
    return result
  }
  socket.write(`${token}\n`)
  await ask(1, "initialize", {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1" }
  })
  send({ method: "notifications/initialized" })
  const { tools } = await ask(2, "tools/list", {})
  if (tools.length === 0) throw new Error("no tools")
  return socket
}

const sockets = []
await serve({
  open: async () => {
    for (const file of readdirSync(tokens)) sockets.push(await open(file))
    return sockets.length
  },
  close: () => {
    for (const socket of sockets) socket.destroy()
    return null
  }
})
