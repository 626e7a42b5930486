/** T7 for MCP: hostile frames to the bridge, and through it to the server; then both must still answer. */
import { spawn } from "node:child_process"
import { bridgePath } from "@contextfs/mcp/Bridge"
import * as RunServer from "@contextfs/mcp/RunServer"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import { bin, makeHome } from "../security/command.mjs"
import { evil, mutate, random } from "../security/random.mjs"

export const id = "P17"
export const promise = "MCP stdout is pure, and the server is unkillable by input."

const valid = [
  '{"jsonrpc":"2.0","id":7,"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"contextfs_save","arguments":{"content":"a","type":"fact","tags":["t"],"structured_data":{"a":1}}}}',
  '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"contextfs_search","arguments":{"query":"a","limit":5}}}',
  '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"contextfs_recall","arguments":{"id":"abcdef"}}}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}',
  '{"jsonrpc":"2.0","id":7,"result":{}}',
  '{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}',
  '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  '{"jsonrpc":"2.0","id":10,"method":"initialize","params":{}}'
]

const frame = (source) =>
  source.pick([
    () => mutate(source, source.pick(valid)),
    () => source.pick(valid),
    () => evil(source),
    () =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"contextfs_save","arguments":{"content":"x","structured_data":${'{"a":'.repeat(1 + source.below(3_000))}1}}}`,
    () =>
      `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"contextfs_save","arguments":{"content":${JSON.stringify(evil(source))},"__proto__":{"x":1},"structured_data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}}}`
  ])()

/** A client that writes what it likes; every line that comes back must be a message. */
const client = (args, env) => {
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "ignore"] })
  const state = { lines: 0, impure: 0, exited: false }
  const waiting = new Set()
  let rest = ""
  child.stdin.on("error", () => undefined)
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      state.lines++
      let message
      try {
        message = JSON.parse(line)
      } catch {
        message = undefined
      }
      if (message?.jsonrpc !== "2.0") state.impure++
      for (const look of waiting) look(message)
    }
  })
  const ended = new Promise((resolve) =>
    child.once("close", () => {
      state.exited = true
      resolve()
    })
  )
  const write = (text) => new Promise((resolve) => child.stdin.write(`${text}\n`, () => resolve()))
  const answer = (message) =>
    Promise.race([
      new Promise((resolve) => {
        const look = (got) => {
          if (got?.id !== message.id || got.error !== undefined) return
          waiting.delete(look)
          resolve(true)
        }
        waiting.add(look)
        void write(JSON.stringify({ jsonrpc: "2.0", ...message }))
      }),
      ended.then(() => false),
      new Promise((resolve) => setTimeout(resolve, 30_000, false).unref())
    ])
  const leave = async () => {
    const died = state.exited
    child.stdin.end()
    const late = setTimeout(() => child.kill("SIGKILL"), 5_000)
    await ended
    clearTimeout(late)
    return died
  }
  return { state, write, answer, leave }
}

const hello = {
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "x", version: "1" } }
}

export const run = async ({ scale = 1, seed = 1, note = () => undefined } = {}) => {
  const source = random(seed)
  const frames = Math.round(10_000 * scale)
  const home = makeHome()
  const total = { lines: 0, impure: 0, exits: 0, silent: 0 }
  const attack = async (what, args, env, count) => {
    const one = client(args, env)
    if (!(await one.answer({ id: "hello", ...hello }))) note(`${what} did not start`)
    for (let sent = 0; sent < count && !one.state.exited; sent++) await one.write(frame(source).replaceAll("\n", " "))
    if (!(await one.answer({ id: "last", method: "tools/list" }))) {
      total.silent++
      note(`${what} gave no answer after ${count} frames`)
    }
    if (await one.leave()) total.exits++
    total.lines += one.state.lines
    total.impure += one.state.impure
    if (one.state.impure > 0) note(`${what}: ${one.state.impure} lines that are no message`)
  }
  const program = Effect.gen(function* () {
    const server = yield* RunServer.make({ directory: home.temporary })
    const { env } = yield* server.admit({
      project: "p",
      namespace: "n",
      trust: "agent",
      sourceTool: "agent-code",
      role: "code"
    })
    for (let part = 0; part < 4; part++)
      yield* Effect.promise(() =>
        attack(`bridge ${part}`, [bridgePath], { ...home.env, ...env }, Math.round(frames / 5))
      )
    yield* Effect.promise(() => attack("contextfs mcp", [bin, "mcp"], home.env, Math.round(frames / 5)))
  })
  await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(MemoryStore.layerMemory)))
  const polluted = {}.polluted !== undefined
  if (polluted) note("Object.prototype was changed")
  home.close()
  return {
    figure: `${frames} hostile frames, ${total.lines} lines back: ${total.impure} non-frames, ${total.exits} exits, ${total.silent} without an answer after it`,
    floor: "0 non-frames, 0 exits",
    ok: total.impure === 0 && total.exits === 0 && total.silent === 0 && !polluted && total.lines > frames / 10
  }
}
