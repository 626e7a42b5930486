import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { describe, expect, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import { callOf, folder, frames, initialize, line, node, tester, timed } from "./harness.js"

const manifest: { readonly version: string } = JSON.parse(
  fs.readFileSync(new URL("../package.json", import.meta.url), "utf8")
)
const program = fileURLToPath(new URL("./stdioProgram.mjs", import.meta.url))

describe("a user's own session", () => {
  it.live("saves as the user, and finds it again in the next session", () =>
    Effect.gen(function* () {
      const database = path.join(yield* folder, "memory.db")
      const session = (name: string, args: Record<string, unknown>) =>
        Effect.promise(async () => {
          const client = new Client({ name: "test", version: "1.0.0" })
          await client.connect(new StdioClientTransport({ command: process.execPath, args: [program, database] }))
          expect(client.getServerVersion()).toMatchObject({ name: "contextfs", version: manifest.version })
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

  it.live("sees what agents saved and failed at, and who they can be; not what the user saved", () =>
    Effect.gen(function* () {
      const database = path.join(yield* folder, "memory.db")
      yield* Effect.gen(function* () {
        const store = yield* MemoryStore.MemoryStore
        const coder = { ...tester, project: "default", role: "code" }
        yield* store.save({ content: "Ids are ULIDs", type: "decision" }, coder)
        yield* store.save({ content: "The build broke", type: "error" }, { ...coder, role: "test" })
        yield* store.save({ content: "Elsewhere" }, { ...coder, project: "other" })
        const { agentId: _, jobId: __, role: ___, runId: ____, ...user } = coder
        yield* store.save({ content: "I prefer tabs" }, { ...user, trust: "user" })
      }).pipe(Effect.provide(MemoryStore.layerSqlite({ path: database })))
      yield* Effect.promise(async () => {
        const client = new Client({ name: "test", version: "1.0.0" })
        await client.connect(new StdioClientTransport({ command: process.execPath, args: [program, database] }))
        const excerpts = async (name: string, args: Record<string, unknown> = {}) =>
          (await client.callTool({ name: `contextfs_orchestrator_${name}`, arguments: args })).structuredContent
        const of = (...texts: ReadonlyArray<string>) => ({ memories: texts.map((excerpt) => ({ excerpt })) })
        expect(await excerpts("findings")).toMatchObject(of("The build broke", "Ids are ULIDs"))
        expect(await excerpts("findings", { role: "code" })).toMatchObject(of("Ids are ULIDs"))
        expect(await excerpts("findings", { limit: 1 })).toMatchObject(of("The build broke"))
        expect(await excerpts("errors")).toMatchObject(of("The build broke"))
        expect(await excerpts("roles")).toMatchObject({
          roles: expect.arrayContaining([expect.objectContaining({ name: "review", permission: "read" })])
        })
        expect(
          await client.callTool({ name: "contextfs_orchestrator_errors", arguments: { project: "other" } })
        ).toMatchObject({ isError: true })
        // Nobody has said how a run of its own is started.
        const { tools } = await client.listTools()
        expect(tools.map(({ name }) => name).filter((name) => /_(run|spawn)$/.test(name))).toEqual([])
        await client.close()
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
