import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { callTool } from "../src/Bridge.js"
import * as McpTool from "../src/McpTool.js"
import * as RunServer from "../src/RunServer.js"
import { callOf, connect, folder, initialize, line, tester } from "./harness.js"

const test = <E>(name: string, body: () => Effect.Effect<void, E, MemoryStore.MemoryStore | Scope.Scope>) =>
  it.live(name, () => body().pipe(Effect.scoped, Effect.provide(Layer.fresh(MemoryStore.layerMemory))))

const serve = Effect.flatMap(folder, (directory) => RunServer.make({ directory }))

/** Everything a socket says after these bytes, until the server ends it. */
const say = (socketPath: string, bytes: string, more: { readonly half?: boolean } = {}) =>
  Effect.promise(
    () =>
      new Promise<string>((resolve) => {
        const socket = net.connect(socketPath)
        let said = ""
        socket.setEncoding("utf8").on("data", (chunk: string) => {
          said += chunk
        })
        socket.on("error", () => undefined).on("close", () => resolve(said))
        if (more.half === false) socket.write(bytes)
        else socket.end(bytes)
      })
  )

const save = { name: "contextfs_save", arguments: { content: "Found by the tester", type: "fact" } }

describe("an admitted agent", () => {
  test("saves under its own name through the real bridge, and the call is on record", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { env, calls } = yield* server.admit(tester)
      const client = yield* connect(env)
      const result = yield* Effect.promise(() => client.callTool(save))
      expect(result.isError).toBeUndefined()
      yield* Effect.promise(() => client.callTool({ name: "contextfs_search", arguments: { query: "tester" } }))
      yield* Effect.promise(() => client.callTool({ name: "contextfs_recall", arguments: { id: "nothing" } }))
      const store = yield* MemoryStore.MemoryStore
      const [memory] = yield* store.list({ project: "shop", runId: "run1", jobId: "run1-1", role: "test" })
      expect(memory).toMatchObject({ ...tester, content: "Found by the tester" })
      expect(yield* calls).toEqual([
        { tool: "contextfs_save", at: expect.any(Number), ok: true, type: "fact", memoryIds: [memory?.id] },
        { tool: "contextfs_search", at: expect.any(Number), ok: true, query: "tester", memoryIds: [memory?.id] },
        { tool: "contextfs_recall", at: expect.any(Number), ok: false, memoryIds: [] }
      ])
      expect(client.getServerVersion()?.name).toBe("contextfs")
      expect(client.getInstructions()).toContain("contextfs_search")
      expect(yield* server.connections).toEqual({ open: 1, total: 1 })
    }))

  test("loses token and connection with its scope; others keep theirs", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(server.admit(tester), scope)
      const second = yield* server.admit({ ...tester, agentId: "second" })
      const [one, two] = yield* Effect.all([connect(first.env), connect(second.env)])
      const closed = new Promise<void>((resolve) => {
        one.onclose = resolve
      })
      yield* Effect.promise(() => one.callTool(save))
      yield* Scope.close(scope, Exit.void)
      yield* Effect.promise(() => closed)
      const late = yield* Effect.either(
        callTool({ socket: server.socketPath, token: first.token, name: "contextfs_list", args: {} })
      )
      expect(late).toMatchObject({ _tag: "Left", left: { _tag: "ServerError" } })
      const still = yield* Effect.promise(() => two.callTool({ name: "contextfs_list", arguments: {} }))
      expect(still.isError).toBeUndefined()
    }))

  test("has the tools that it was admitted with, and no other agent has", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const own = McpTool.make({
        name: "whoami",
        title: "Who am I",
        description: "Says it",
        input: Schema.Struct({}),
        output: Schema.Struct({ agent: Schema.String }),
        hints: { readOnly: true, destructive: false, idempotent: true },
        handler: (_, { agentId = "" }) => Effect.succeed({ agent: agentId }),
        text: ({ agent }) => agent
      })
      const [one, two] = yield* Effect.all([
        server.admit(tester, { tools: [own] }),
        server.admit({ ...tester, agentId: "second" })
      ])
      const [first, second] = yield* Effect.all([connect(one.env), connect(two.env)])
      const names = (client: typeof first) =>
        Effect.map(
          Effect.promise(() => client.listTools()),
          ({ tools }) => tools.map(({ name }) => name)
        )
      expect(yield* names(first)).toEqual([...(yield* names(second)), "whoami"])
      const answer = yield* Effect.promise(() => first.callTool({ name: "whoami", arguments: {} }))
      expect(answer.structuredContent).toEqual({ agent: "tester" })
      const refused = yield* Effect.either(Effect.tryPromise(() => second.callTool({ name: "whoami", arguments: {} })))
      expect(refused).toMatchObject({ _tag: "Left" })
    }))

  test("loses its connection at the end even where it was admitted by what may not be cut, and a call at work with it", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const began = yield* Deferred.make<void>()
      const cut = yield* Deferred.make<void>()
      const waiting = McpTool.make({
        name: "wait",
        title: "Wait",
        description: "For ever",
        input: Schema.Struct({}),
        output: Schema.Struct({}),
        hints: { readOnly: true, destructive: false, idempotent: true },
        handler: () =>
          Effect.zipRight(Deferred.succeed(began, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Deferred.succeed(cut, undefined))
          ),
        text: () => ""
      })
      yield* Effect.gen(function* () {
        const { token } = yield* server.admit(tester, { tools: [waiting] })
        const to = { socket: server.socketPath, token }
        yield* Effect.forkDaemon(Effect.interruptible(Effect.either(callTool({ ...to, name: "wait", args: {} }))))
        yield* Deferred.await(began)
      }).pipe(Effect.scoped, Effect.uninterruptible)
      yield* Deferred.await(cut)
    }))

  test("never speaks as another: 16 bridges at once, each memory with its own author", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const agents = Array.from({ length: 16 }, (_, index) => `agent-${index}`)
      yield* Effect.forEach(
        agents,
        (agentId) =>
          Effect.gen(function* () {
            const { env } = yield* server.admit({ ...tester, agentId, jobId: `job-${agentId}` })
            const client = yield* connect(env)
            for (let index = 0; index < 5; index++) {
              const result = yield* Effect.promise(() =>
                client.callTool({ name: "contextfs_save", arguments: { content: `${agentId} says ${index}` } })
              )
              expect(result.isError).toBeUndefined()
            }
          }),
        { concurrency: "unbounded" }
      )
      const store = yield* MemoryStore.MemoryStore
      const memories = yield* store.list({ project: "shop", limit: 1000 })
      expect(memories).toHaveLength(80)
      for (const memory of memories) {
        expect(memory.content.startsWith(`${memory.agentId} says`)).toBe(true)
        expect(memory.jobId).toBe(`job-${memory.agentId}`)
      }
      expect((yield* server.connections).total).toBe(16)
    }))

  test("makes one call without a conversation, and gets a tool's failure as a failure", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { token, calls } = yield* server.admit(tester)
      const to = { socket: server.socketPath, token }
      const saved = yield* callTool({ ...to, name: "contextfs_save", args: { content: "From the shell" } })
      expect(saved.structured).toMatchObject({ outcome: "created", memory: { role: "test", trust: "agent" } })
      const refused = yield* Effect.either(callTool({ ...to, name: "contextfs_recall", args: { id: "nothing" } }))
      expect(refused).toMatchObject({ _tag: "Left", left: { _tag: "ToolError" } })
      expect(yield* calls).toHaveLength(2)
    }))

  test("fills its record of calls to a bound, each tool for itself", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { env, calls } = yield* server.admit(tester)
      const flood = Array.from({ length: 400 }, (_, index) => line(callOf(index + 2, "contextfs_list", {})))
      const said = yield* say(
        server.socketPath,
        `${env.CONTEXTFS_TOKEN}\n${line(initialize)}${flood.join("")}${line(callOf(1_000, "contextfs_search", { query: "y".repeat(9_000) }))}`
      )
      expect(said.trim().split("\n")).toHaveLength(402)
      const record = yield* calls
      expect(record.filter(({ tool }) => tool === "contextfs_list")).toHaveLength(300)
      expect(record.at(-1)).toMatchObject({ tool: "contextfs_search", query: "y".repeat(200) })
    }))
})

describe("a stranger", () => {
  test("is closed without a word: wrong token, none, a long one, a token with a tail", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { token } = yield* server.admit(tester)
      for (const bytes of [
        `${"a".repeat(43)}\n${line(initialize)}`,
        "\n",
        "",
        "x".repeat(100_000),
        `${token}x\n`,
        `${token.slice(1)}\n`
      ]) {
        expect(yield* say(server.socketPath, bytes, { half: bytes === "" })).toBe("")
      }
      expect(yield* server.connections).toEqual({ open: 0, total: 0 })
    }))
})

describe("hostile input", () => {
  test("is answered with errors, and the good request after it with its result", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { token } = yield* server.admit(tester)
      const junk = [
        "not json",
        "[]",
        "null",
        "42",
        '{"jsonrpc":"2.0","id":7}',
        '{"id":8,"method":"ping"}',
        "\u0000\uffff{",
        "",
        "  "
      ]
      const said = yield* say(
        server.socketPath,
        `${token}\n${junk.join("\n")}\n${line(initialize)}${line({ jsonrpc: "2.0", id: 9, method: "no/such" })}${line(callOf(10, "contextfs_nothing", {}))}${line(callOf(11, "contextfs_list", {}))}`
      )
      const answers = said
        .trim()
        .split("\n")
        .map((text) => JSON.parse(text))
      expect(answers.filter(({ id, error }) => id === null && error !== undefined).length).toBeGreaterThanOrEqual(5)
      expect(answers.find(({ id }) => id === 9)).toMatchObject({ error: { code: -32601 } })
      expect(answers.find(({ id }) => id === 10)).toMatchObject({ error: { code: -32602 } })
      expect(answers.find(({ id }) => id === 11)).toMatchObject({ result: { structuredContent: { memories: [] } } })
    }))

  test("of a message without an end closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* serve
      const { token } = yield* server.admit(tester)
      yield* say(server.socketPath, `${token}\n${"x".repeat(5 * 1024 * 1024)}`, { half: false })
      expect((yield* server.connections).open).toBe(0)
    }))
})

it.live(
  "a call at work is interrupted when the client cancels it, and the defect of a tool is an error, not an end",
  () =>
    Effect.gen(function* () {
      const directory = yield* folder
      let interrupted: () => void = () => undefined
      let begun: () => void = () => undefined
      const seen = new Promise<void>((resolve) => {
        interrupted = resolve
      })
      const working = new Promise<void>((resolve) => {
        begun = resolve
      })
      const tool = (name: string, handler: Effect.Effect<{ readonly ok: boolean }>) =>
        McpTool.make({
          name,
          title: name,
          description: name,
          input: Schema.Struct({}),
          output: Schema.Struct({ ok: Schema.Boolean }),
          hints: { readOnly: true, destructive: false, idempotent: true },
          handler: () => handler,
          text: () => "done"
        })
      const server = yield* RunServer.make({
        directory,
        tools: [
          tool(
            "wait",
            Effect.sync(() => begun()).pipe(
              Effect.zipRight(Effect.never),
              Effect.onInterrupt(() => Effect.sync(() => interrupted()))
            )
          ),
          tool("bug", Effect.dieMessage("a bug of ours"))
        ]
      })
      const { env } = yield* server.admit(tester)
      const client = yield* connect(env)
      const abort = new AbortController()
      const call = client
        .callTool({ name: "wait", arguments: {} }, undefined, { signal: abort.signal })
        .catch(() => "cancelled")
      yield* Effect.promise(() => working)
      abort.abort()
      expect(yield* Effect.promise(() => call)).toBe("cancelled")
      yield* Effect.promise(() => seen)
      const bug = yield* Effect.promise(() => client.callTool({ name: "bug", arguments: {} }))
      expect(bug).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("a bug of ours") }] })
    }).pipe(Effect.scoped, Effect.provide(MemoryStore.layerMemory))
)

describe("the place of the socket", () => {
  const at = (name: string, mode: number) =>
    Effect.gen(function* () {
      const directory = path.join(yield* folder, name)
      fs.mkdirSync(directory, { recursive: true })
      fs.chmodSync(directory, mode)
      return yield* RunServer.make({ directory })
    })

  test("is refused where its path is longer than the kernel takes, and taken at the limit", () =>
    Effect.gen(function* () {
      const limit = process.platform === "darwin" ? 103 : 107
      const base = yield* folder
      const room = limit - Buffer.byteLength(path.join(base, "d", "m00000000.sock"))
      const refused = yield* Effect.either(at("d".repeat(room + 2), 0o700))
      expect(refused).toMatchObject({ _tag: "Left", left: { message: expect.stringContaining(`${limit + 1} bytes`) } })
      const taken = yield* at("d".repeat(room + 1), 0o700)
      expect(Buffer.byteLength(taken.socketPath)).toBe(limit)
      expect(fs.statSync(taken.socketPath).mode & 0o777).toBe(0o600)
    }))

  test("is refused where others may enter, and where it is not there", () =>
    Effect.gen(function* () {
      expect(yield* Effect.either(at("open", 0o755))).toMatchObject({
        left: { message: expect.stringContaining("open to others") }
      })
      const none = yield* Effect.either(RunServer.make({ directory: path.join(yield* folder, "none") }))
      expect(none).toMatchObject({ left: { message: expect.stringContaining("is not a folder") } })
    }))

  test("is left clean", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      yield* Effect.scoped(Effect.flatMap(RunServer.make({ directory }), (server) => server.admit(tester)))
      expect(fs.readdirSync(directory)).toEqual([])
    }))
})
