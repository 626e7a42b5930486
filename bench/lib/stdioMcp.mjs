/** The shortest conversation an agent has with a memory server over stdio: from the spawn to the first save answered. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"

const hello = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bench", version: "1" }
}

/** Milliseconds from spawning `node ARGS` to the answers. */
export const firstSave = async ({ args, env, tool, input }) => {
  const began = performance.now()
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "ignore"] })
  const ended = new Promise((resolve) => child.once("close", resolve))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  const answer = async (id) => {
    for (;;) {
      const { done, value } = await lines.next()
      if (done) throw new Error(`${args[0]} ended before it answered`)
      const message = JSON.parse(value)
      if (message.id !== id) continue
      if (message.error !== undefined || message.result.isError) throw new Error(`${args[0]}: ${value}`)
      return message.result
    }
  }
  try {
    send({ id: 1, method: "initialize", params: hello })
    await answer(1)
    send({ method: "notifications/initialized" })
    send({ id: 2, method: "tools/call", params: { name: tool, arguments: input } })
    await answer(2)
    return { wall: performance.now() - began }
  } finally {
    child.stdin.end()
    const late = setTimeout(() => child.kill("SIGKILL"), 5_000)
    await ended
    clearTimeout(late)
  }
}
