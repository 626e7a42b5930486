/**
 * The bridge an agent starts as its MCP server: forwards messages between stdin/stdout and the socket of the run's memory
 * server. Plain node, `node:` modules only: it has to start as fast as node does. Environment: `CONTEXTFS_SOCKET`,
 * `CONTEXTFS_TOKEN`. Every byte on stdout is part of a whole message; troubles are one line on stderr.
 */
import { Socket } from "node:net"

/** From the end of stdin, or a signal, to our end. */
const leaveMillis = 1_000
/** Largest message, as in the server. */
const maxLineBytes = 4 * 1024 * 1024
/** How long a client that has not asked yet may take to hear of a failure. */
const failMillis = 1_000

const { stdin, stdout } = process
const socketPath = process.env["CONTEXTFS_SOCKET"] ?? ""
const token = process.env["CONTEXTFS_TOKEN"] ?? ""

/** Requests forwarded and not answered, as JSON text of their ids. */
const pending = new Set<string>()
let failure: string | undefined
let leaving = false

/** Cuts a stream into whole lines, as bytes with their newline; the rest waits. */
const lines = (each: (line: Buffer) => void) => {
  let parts: Array<Buffer> = []
  let size = 0
  return (chunk: Buffer): void => {
    let from = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at + 1))
      each(parts.length === 1 ? chunk.subarray(from, at + 1) : Buffer.concat(parts))
      parts = []
      size = 0
      from = at + 1
    }
    if (from === chunk.length) return
    parts.push(chunk.subarray(from))
    size += chunk.length - from
    if (size > maxLineBytes) fail(`a message is longer than ${maxLineBytes} bytes`)
  }
}

/** The id of a request or of an answer, as JSON text; undefined for anything else. */
const idIn = (line: Buffer, request: boolean): string | undefined => {
  try {
    const message: unknown = JSON.parse(line.toString("utf8"))
    if (typeof message !== "object" || message === null || !("id" in message)) return undefined
    return "method" in message === request && message.id !== null ? JSON.stringify(message.id) : undefined
  } catch {
    return undefined
  }
}

const refuse = (id: string): void => {
  const message = JSON.stringify(`the shared memory is not available: ${failure}`)
  stdout.write(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32000,"message":${message}}}\n`)
}

/** Ends as soon as what was written is out; a reader that does not read is not waited for. */
const exit = (code: number): void => {
  stdout.write("", () => process.exit(code))
  setTimeout(() => process.exit(code), failMillis)
}

/** Tells whoever waits for an answer, and ends; a client that has asked nothing yet is given a moment to ask. */
const fail = (reason: string): void => {
  if (failure !== undefined) return
  if (leaving && pending.size === 0) {
    exit(0)
    return
  }
  failure = reason
  process.stderr.write(`contextfs: the shared memory is not available: ${reason}\n`)
  for (const id of pending) refuse(id)
  if (pending.size > 0 || leaving) exit(1)
  else setTimeout(() => exit(1), failMillis)
}

const leave = (): void => {
  if (leaving) return
  leaving = true
  if (failure !== undefined) exit(1)
  else {
    socket.end()
    setTimeout(() => process.exit(0), leaveMillis)
  }
}

const socket = new Socket({ allowHalfOpen: true })

const toServer = lines((line) => {
  const id = idIn(line, true)
  if (id !== undefined) pending.add(id)
  if (failure !== undefined) {
    if (id === undefined) return
    refuse(id)
    exit(1)
    return
  }
  if (!socket.write(line)) stdin.pause()
})
const toClient = lines((line) => {
  const id = idIn(line, false)
  if (id !== undefined) pending.delete(id)
  if (!stdout.write(line)) socket.pause()
})

socket.on("data", toClient)
socket.on("drain", () => stdin.resume())
stdout.on("drain", () => socket.resume())
socket.on("error", (cause: NodeJS.ErrnoException) => {
  // Ended by the server while we wrote; `close` follows and says so.
  if (cause.code !== "EPIPE" && cause.code !== "ECONNRESET") fail(cause.message)
})
socket.on("close", () => fail("its server ended the connection (the attempt this token belongs to is over)"))
socket.on("end", () => socket.end())
stdin.on("data", toServer)
stdin.on("end", leave)
stdin.on("error", leave)
// The client is gone, and with it whoever could read an answer.
stdout.on("error", () => process.exit(0))
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, leave)

// A dead parent is noticed even where something else holds our stdin open.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) leave()
}, 500).unref()

if (socketPath === "" || token === "") fail("CONTEXTFS_SOCKET or CONTEXTFS_TOKEN is not set")
else {
  socket.connect({ path: socketPath })
  socket.write(`${token}\n`)
}
