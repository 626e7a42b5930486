/** The program that agents start as their MCP server, and a single call for those who need no conversation. */
import { fileURLToPath } from "node:url"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/callTool.js"
import type { ServerError, ToolError } from "./McpError.js"
import type { JsonObject } from "./McpTool.js"

/** The bridge as built: plain node runs it, with `CONTEXTFS_SOCKET` and `CONTEXTFS_TOKEN` in the environment. */
export const bridgePath: string = fileURLToPath(
  new URL(
    import.meta.url.endsWith("/src/Bridge.ts") ? "../dist/program/bridge.js" : "./program/bridge.js",
    import.meta.url
  )
)

export { ServerError, ToolError } from "./McpError.js"

export interface CallOptions {
  /** `CONTEXTFS_SOCKET`. */
  readonly socket: string
  /** `CONTEXTFS_TOKEN`. */
  readonly token: string
  readonly name: string
  readonly args: JsonObject
}

export interface ToolResult {
  readonly text: string
  /** In the shape of the tool's output schema. */
  readonly structured: JsonObject
}

/** Calls one tool of the run's memory server, as the agent whose token this is. */
export const callTool: (options: CallOptions) => Effect.Effect<ToolResult, ServerError | ToolError> = internal.callTool
