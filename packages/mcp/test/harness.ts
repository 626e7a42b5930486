import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Identity } from "@contextfs/memory/Memory"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import { bridgePath } from "../src/Bridge.js"

export const tester: Identity = {
  project: "shop",
  namespace: "repo-aaaaaaaaaaaa",
  trust: "agent",
  sourceTool: "agent-test",
  role: "test",
  agentId: "tester",
  runId: "run1",
  jobId: "run1-1"
}

/** A folder of this test alone, mode 0700. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "cfs-mcp-"))),
  (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
)

type Env = Readonly<Record<string, string>>

/** A real SDK client over the real bridge program. */
export const connect = (env: Env) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "test", version: "1.0.0" })
      await client.connect(
        new StdioClientTransport({ command: process.execPath, args: [bridgePath], env: { ...env }, stderr: "ignore" })
      )
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves with the first text on stdout that holds this. */
  readonly seen: (text: string) => Promise<string>
  readonly ended: Promise<Ended>
}

/** A node program with everything it prints; ended by its pid with the scope. */
export const node = (args: ReadonlyArray<string>, env: Env) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const child = spawn(process.execPath, args, { env: { ...env }, stdio: "pipe" })
      let stdout = ""
      let stderr = ""
      const waiting = new Set<() => void>()
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        stdout += chunk
        for (const look of waiting) look()
      })
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        stderr += chunk
      })
      child.stdin.on("error", () => undefined)
      const ended = new Promise<Ended>((resolve) =>
        child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
      )
      const seen = (text: string) =>
        new Promise<string>((resolve) => {
          const look = () => {
            if (!stdout.includes(text)) return
            waiting.delete(look)
            resolve(stdout)
          }
          waiting.add(look)
          look()
        })
      return { child, seen, ended }
    }),
    ({ child, ended }) =>
      Effect.promise(async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
        await ended
      })
  )

export const bridge = (env: Env) => node([bridgePath], env)

export const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } }
}

export const callOf = (id: number, name: string, args: Readonly<Record<string, unknown>>) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args }
})

export const line = (message: unknown): string => `${JSON.stringify(message)}\n`

/** Every line of a stdout, which must be JSON-RPC whole. */
export const frames = (
  stdout: string
): ReadonlyArray<{ readonly id?: unknown; readonly error?: { readonly code: number } }> => {
  const lines = stdout.split("\n")
  if (lines.pop() !== "") throw new Error(`stdout ends in the middle of a line: ${stdout.slice(-200)}`)
  return lines.map((text) => {
    const frame = JSON.parse(text)
    if (frame.jsonrpc !== "2.0") throw new Error(`not a frame: ${text}`)
    return frame
  })
}

/** Milliseconds that something took. */
export const timed = async <A>(promise: Promise<A>): Promise<readonly [A, number]> => {
  const start = performance.now()
  const value = await promise
  return [value, performance.now() - start]
}
