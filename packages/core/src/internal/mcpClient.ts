/** As much of an MCP client over stdio as the mock agent needs; no dependency, so that it starts like bare node. */
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import * as json from "./json.js"

const protocolVersion = "2025-06-18"

export interface ToolAnswer {
  readonly ok: boolean
  readonly text: string
  readonly structured: json.JsonObject
  /** Ids of memories in the answer, in its order. */
  readonly ids: ReadonlyArray<string>
}

interface Waiting {
  readonly resolve: (result: json.JsonObject) => void
  readonly reject: (cause: Error) => void
}

export class McpClient {
  private readonly waiting = new Map<number, Waiting>()
  private child: ChildProcess | undefined
  private next = 1

  constructor(
    readonly server: string,
    private readonly command: string,
    private readonly args: ReadonlyArray<string>
  ) {}

  /** The first server of a file as agent programs know it: `{"mcpServers":{NAME:{"command","args"}}}`. */
  static fromFile(file: string): McpClient {
    const servers = json.object(json.object(json.parseObject(readFileSync(file, "utf8")))["mcpServers"])
    for (const [name, entry] of Object.entries(servers)) {
      const command = json.string(json.object(entry)["command"])
      const args = json.object(entry)["args"]
      if (command === undefined || !Array.isArray(args)) continue
      return new McpClient(
        name,
        command,
        args.flatMap((arg: unknown) => json.string(arg) ?? [])
      )
    }
    throw new Error(`no MCP server in ${file}`)
  }

  async connect(): Promise<void> {
    const child = spawn(this.command, this.args, { stdio: ["pipe", "pipe", "inherit"] })
    this.child = child
    child.on("error", (cause) => this.fail(cause))
    child.on("exit", (code) => this.fail(new Error(`the memory server ended with exit code ${code}`)))
    child.stdin.on("error", (cause) => this.fail(cause))
    createInterface({ input: child.stdout }).on("line", (line) => this.answer(line))
    await this.request("initialize", {
      protocolVersion,
      capabilities: {},
      clientInfo: { name: "contextfs-mock", version: "1" }
    })
    this.send({ jsonrpc: "2.0", method: "notifications/initialized" })
  }

  async callTool(name: string, input: json.JsonObject): Promise<ToolAnswer> {
    const result = await this.request("tools/call", { name, arguments: input })
    const text = json.contentText(result["content"]) ?? ""
    const structured = result["structuredContent"]
    return {
      ok: result["isError"] !== true,
      text,
      structured: json.object(structured),
      ids: structured === undefined ? idsIn(text) : idsOf(structured)
    }
  }

  close(): void {
    this.child?.removeAllListeners("exit")
    this.child?.stdin?.end()
  }

  private request(method: string, params: json.JsonObject): Promise<json.JsonObject> {
    const id = this.next++
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.send({ jsonrpc: "2.0", id, method, params })
    })
  }

  private send(message: json.JsonObject): void {
    this.child?.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  private answer(line: string): void {
    const message = json.parseObject(line)
    const id = json.number(message?.["id"])
    const waiting = id === undefined ? undefined : this.waiting.get(id)
    if (message === undefined || id === undefined || waiting === undefined) return
    this.waiting.delete(id)
    const error = message["error"]
    if (error === undefined) waiting.resolve(json.object(message["result"]))
    else waiting.reject(new Error(json.string(json.object(error)["message"]) ?? "the memory server refused"))
  }

  private fail(cause: Error): void {
    for (const waiting of this.waiting.values()) waiting.reject(cause)
    this.waiting.clear()
  }
}

const isId = (value: unknown): value is string => typeof value === "string" && /^[a-z0-9]{12}$/.test(value)

/** Every `id` in a structured answer. */
const idsOf = (value: unknown): ReadonlyArray<string> => {
  if (Array.isArray(value)) return value.flatMap(idsOf)
  if (!json.isObject(value)) return []
  return [...(isId(value["id"]) ? [value["id"]] : []), ...Object.values(value).flatMap(idsOf)]
}

const idsIn = (text: string): ReadonlyArray<string> => text.match(/\b(?=[a-z0-9]*\d)[a-z0-9]{12}\b/g) ?? []
