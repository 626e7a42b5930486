/** Clients that send what no client would: bounded, told in words, and nobody else is touched. */
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Redaction from "@contextfs/memory/Redaction"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { memoryTools } from "../src/MemoryTools.js"
import * as RunServer from "../src/RunServer.js"
import { bridge, callOf, connect, folder, frames, initialize, line, tester } from "./harness.js"

const call = (name: string, args: unknown) =>
  Effect.gen(function* () {
    const tool = memoryTools.find((tool) => tool.name === name)
    return yield* tool === undefined ? Effect.dieMessage(`no tool ${name}`) : tool.call(args, tester)
  })

const memory = Layer.fresh(MemoryStore.layerMemory)

describe("an agent that saves secrets", () => {
  const key = `sk-ant-api03-${"a1B2".repeat(10)}`
  const clean = Layer.effect(
    MemoryStore.MemoryStore,
    Effect.map(MemoryStore.MemoryStore, (store) =>
      Redaction.store(store, Redaction.make({ A_TOKEN: "canary-0123456789" }))
    )
  ).pipe(Layer.provide(memory))

  it.effect("is told how many were replaced, by save, evolve and update, and not of those that were there before", () =>
    Effect.gen(function* () {
      const saved = yield* call("contextfs_save", { content: `a ${key} b canary-0123456789`, tags: ["x"] })
      expect(saved).toMatchObject({ ok: true, structured: { redacted: 2 } })
      expect(saved.text).toMatch(/ 2 secrets were replaced by placeholders: never save secrets\.$/)
      const id = saved.record.memoryIds?.[0] ?? ""
      const again = yield* call("contextfs_update", { id, tags: ["y"] })
      expect(again.text).toBe(`Updated ${id}.`)
      const evolved = yield* call("contextfs_evolve", { memory_id: id, new_content: `now ${key}` })
      expect(evolved.text).toMatch(/ 1 secret was replaced/)
      const listed = yield* call("contextfs_list", {})
      expect(JSON.stringify(listed)).toContain("[redacted: ")
      expect(JSON.stringify(listed)).not.toContain(key)
    }).pipe(Effect.provide(clean))
  )
})

describe("a memory's data", () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

  it.effect.each([
    ["too deep", nested(40), /nests more than 32 levels deep/],
    [
      "too wide",
      Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`k${index}`, 1])),
      /more than 1000 keys/
    ],
    ["an object's own machinery", JSON.parse('{"__proto__":{"polluted":1}}'), /key "__proto__" is not allowed/],
    ["the same further in", JSON.parse('{"a":[{"constructor":{"prototype":{}}}]}'), /key "constructor"/]
  ])("that is or has %s is refused in words, and changes no object", ([_, structured_data, message]) =>
    Effect.gen(function* () {
      const answer = yield* call("contextfs_save", { content: "x", structured_data })
      expect(answer.ok).toBe(false)
      expect(answer.text).toMatch(message)
      expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
    }).pipe(Effect.provide(memory))
  )
})

const served = <E>(
  use: (
    env: Readonly<Record<string, string>>
  ) => Effect.Effect<void, E, Effect.Effect.Context<typeof folder> | MemoryStore.MemoryStore>
) =>
  Effect.gen(function* () {
    const server = yield* RunServer.make({ directory: yield* folder })
    const { env } = yield* server.admit(tester)
    yield* use({ PATH: process.env["PATH"] ?? "", ...env })
  }).pipe(Effect.scoped, Effect.provide(memory))

describe("a client", () => {
  it.live("that nests its messages without end is refused, and goes on", () =>
    served((env) =>
      Effect.gen(function* () {
        const running = yield* bridge(env)
        running.child.stdin.write(line(initialize))
        const deep = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}\n`
        running.child.stdin.write(deep)
        running.child.stdin.write(line(callOf(3, "contextfs_list", {})))
        yield* Effect.promise(() => running.seen('"id":3'))
        running.child.stdin.end()
        const { stdout } = yield* Effect.promise(() => running.ended)
        const [, refused] = frames(stdout)
        expect(refused).toMatchObject({ id: null, error: { code: -32600 } })
      })
    )
  )

  it.live("that calls without end is told to wait, by all its connections", () =>
    served((env) =>
      Effect.gen(function* () {
        const running = yield* bridge(env)
        running.child.stdin.write(line(initialize))
        for (let id = 2; id <= 601; id++) {
          running.child.stdin.write(line(callOf(id, "contextfs_get_type_schema", { memory_type: "fact" })))
        }
        yield* Effect.promise(() => running.seen('"id":601'))
        const other = yield* connect(env)
        const answer = yield* Effect.promise(() => other.callTool({ name: "contextfs_list", arguments: {} }))
        expect(answer).toMatchObject({
          isError: true,
          content: [{ text: expect.stringMatching(/^more calls a minute/) }]
        })
      })
    )
  )

  it.live("that asks for more than anybody reads is told to ask for less", () =>
    served((env) =>
      Effect.gen(function* () {
        const store = yield* MemoryStore.MemoryStore
        const tags = Array.from({ length: 60 }, (_, index) => `${index}`.padStart(199, "t"))
        for (let count = 0; count < 100; count++) yield* store.save({ content: `note ${count}`, tags }, tester)
        const client = yield* connect(env)
        const list = (limit: number) =>
          Effect.promise(() => client.callTool({ name: "contextfs_list", arguments: { limit } }))
        expect(yield* list(100)).toMatchObject({
          isError: true,
          content: [{ text: expect.stringMatching(/ask for fewer/) }]
        })
        expect((yield* list(10)).isError).toBeUndefined()
      })
    )
  )
})
