// The stdio server as a program of its own, from what was built: node stdioProgram.mjs DATABASE
import * as StdioServer from "@contextfs/mcp/StdioServer"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"

const identity = { project: "default", namespace: "global", trust: "user", sourceTool: "claude-code" }
await Effect.runPromise(
  StdioServer.run({ identity }).pipe(
    Effect.provide(RoleRegistry.layer),
    Effect.provide(MemoryStore.layerSqlite({ path: process.argv[2] }))
  )
)
