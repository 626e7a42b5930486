/**
 * For whoever has agents at work, the user's own session or an agent in the orchestrator role: what the agents saved, what
 * they failed at, and which roles there are. Names and parameters as in the original system.
 */
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as internal from "./internal/viewTools.js"
import type { McpTool } from "./McpTool.js"

export const viewTools: ReadonlyArray<McpTool<MemoryStore | RoleRegistry>> = [
  internal.findings,
  internal.errors,
  internal.roles
]
