/** MCP over a pair of streams: one JSON-RPC message a line, bounded in every direction. */
import { Buffer } from "node:buffer"
import type { Readable, Writable } from "node:stream"
import * as JsonText from "@contextfs/memory/JsonText"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/sdk/types.js"

/** Largest message; a memory of 64 KiB in the worst escaping is a tenth of it. */
const maxLineBytes = 4 * 1024 * 1024
/** Objects and lists within each other; a memory's data may have half of it. */
const maxDepth = 64
/** Requests at work at a time; the rest waits in the stream. */
const maxPending = 64
/** From the end of the input to the end of the answers. */
const leaveMillis = 1_000

const newline = 0x0a

export class LineTransport implements Transport {
  onclose: (() => void) | undefined
  onerror: ((error: Error) => void) | undefined
  onmessage: (<T extends JSONRPCMessage>(message: T) => void) | undefined
  private readonly pending = new Set<RequestId>()
  private parts: Array<Buffer> = []
  private size = 0
  private clogged = false
  private leaving: NodeJS.Timeout | undefined
  private closed = false
  private done: (() => void) | undefined

  constructor(
    private readonly input: Readable,
    private readonly output: Writable,
    /** Undefined: the value is no message. */
    private readonly parse: (value: unknown) => JSONRPCMessage | undefined
  ) {}

  async start(): Promise<void> {
    const closed = () => this.finish()
    this.input.on("data", (chunk: Buffer) => this.take(chunk))
    this.input.on("end", () => this.inputEnded())
    for (const stream of [this.input, this.output]) stream.on("error", closed).on("close", closed)
    this.output.on("drain", () => {
      this.clogged = false
      this.flow()
    })
    this.input.resume()
    if (this.input.destroyed || this.output.destroyed) this.finish()
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!("method" in message) && message.id !== undefined) this.pending.delete(message.id)
    this.write(message)
    this.settle()
  }

  async close(): Promise<void> {
    this.destroy()
  }

  destroy(): void {
    this.input.destroy()
    this.output.destroy()
    this.finish()
  }

  /** Calls back once, when the connection has ended. */
  whenClosed(done: () => void): void {
    if (this.closed) done()
    else this.done = done
  }

  private take(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      this.parts.push(chunk.subarray(from, at))
      const line = Buffer.concat(this.parts).toString("utf8")
      this.parts = []
      this.size = 0
      from = at + 1
      this.line(line)
      if (this.closed) return
    }
    if (from === chunk.length) return
    // A copy, so that a short rest does not keep the whole chunk alive.
    this.parts.push(Buffer.from(chunk.subarray(from)))
    this.size += chunk.length - from
    if (this.size <= maxLineBytes) return
    this.refuse(null, -32600, `a message is longer than ${maxLineBytes} bytes`)
    this.destroy()
  }

  private line(line: string): void {
    if (line.trim() === "") return
    if (JsonText.isDeeper(line, maxDepth)) {
      this.refuse(null, -32600, `a message nests more than ${maxDepth} levels deep`)
      return
    }
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      this.refuse(null, -32700, "not JSON")
      return
    }
    const message = this.parse(value)
    if (message === undefined) {
      this.refuse(idOf(value), -32600, "not a JSON-RPC message")
      return
    }
    if ("method" in message && "id" in message) this.pending.add(message.id)
    // The SDK leaves a cancelled request unanswered.
    if ("method" in message && message.method === "notifications/cancelled") this.forget(message.params?.["requestId"])
    this.onmessage?.(message)
    this.flow()
  }

  private forget(id: unknown): void {
    if (typeof id === "string" || typeof id === "number") this.pending.delete(id)
  }

  private refuse(id: RequestId | null, code: number, message: string): void {
    this.write({ jsonrpc: "2.0", id, error: { code, message } })
  }

  private write(message: object): void {
    if (this.closed || this.output.writableEnded) return
    if (this.output.write(`${JSON.stringify(message)}\n`)) return
    this.clogged = true
    this.flow()
  }

  private flow(): void {
    const wait = this.clogged || this.pending.size >= maxPending
    if (wait && !this.input.isPaused()) this.input.pause()
    if (!wait && this.input.isPaused()) this.input.resume()
  }

  private inputEnded(): void {
    this.leaving = setTimeout(() => this.destroy(), leaveMillis)
    this.settle()
  }

  /** After the input's end nothing is owed any more once every request is answered. */
  private settle(): void {
    if (this.leaving !== undefined && this.pending.size === 0) this.output.end()
    else this.flow()
  }

  private finish(): void {
    if (this.closed) return
    this.closed = true
    clearTimeout(this.leaving)
    this.parts = []
    this.onclose?.()
    this.done?.()
  }
}

const idOf = (value: unknown): RequestId | null => {
  if (typeof value !== "object" || value === null || !("id" in value)) return null
  return typeof value.id === "string" || typeof value.id === "number" ? value.id : null
}
