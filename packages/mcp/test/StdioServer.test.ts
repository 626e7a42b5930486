import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import { callOf, folder, frames, initialize, line, node, timed } from "./harness.js"

const program = fileURLToPath(new URL("./stdioProgram.mjs", import.meta.url))

describe("a user's own session", () => {
  it.live("saves as the user, and finds it again in the next session", () =>
    Effect.gen(function* () {
      const database = path.join(yield* folder, "memory.db")
      const session = (name: string, args: Record<string, unknown>) =>
        Effect.promise(async () => {
          const client = new Client({ name: "test", version: "1.0.0" })
          await client.connect(new StdioClientTransport({ command: process.execPath, args: [program, database] }))
          const result = await client.callTool({ name, arguments: args })
          await client.close()
          return result
        })
      expect(yield* session("contextfs_save", { content: "I prefer tabs", type: "user" })).toMatchObject({
        structuredContent: { memory: { trust: "user", source_tool: "claude-code", tags: [] } }
      })
      expect(yield* session("contextfs_search", { query: "tabs" })).toMatchObject({
        structuredContent: { hits: [{ excerpt: "I prefer tabs" }] }
      })
    }).pipe(Effect.scoped)
  )

  it.live("ends within 2 s of stdin's end with what was asked answered, and with nothing else on stdout", () =>
    Effect.gen(function* () {
      const running = yield* node([program, path.join(yield* folder, "memory.db")], {})
      running.child.stdin.write(`noise\n${line(initialize)}`)
      yield* Effect.promise(() => running.seen('"id":1'))
      running.child.stdin.end(line(callOf(2, "contextfs_save", { content: "Last" })))
      const [ended, took] = yield* Effect.promise(() => timed(running.ended))
      expect(took).toBeLessThan(2_000)
      expect(ended).toMatchObject({ code: 0, stderr: "" })
      expect(frames(ended.stdout)).toMatchObject([
        { error: { code: -32700 } },
        { id: 1 },
        { id: 2, result: { content: [{}] } }
      ])
    }).pipe(Effect.scoped)
  )

  it.live("ends within 2 s where its reader is gone", () =>
    Effect.gen(function* () {
      const running = yield* node([program, path.join(yield* folder, "memory.db")], {})
      running.child.stdin.write(line(initialize))
      yield* Effect.promise(() => running.seen('"id":1'))
      running.child.stdout.destroy()
      running.child.stdin.write(line(callOf(2, "contextfs_list", {})))
      const [{ code }, took] = yield* Effect.promise(() => timed(running.ended))
      expect(took).toBeLessThan(2_000)
      expect(code).toBe(0)
    }).pipe(Effect.scoped)
  )
})
