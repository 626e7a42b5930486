/** MCP for any number of connections: the official SDK behind a thin adapter, loaded when the first client comes. */
import type { Readable, Writable } from "node:stream"
import type { Identity } from "@contextfs/memory/Memory"
import type { MemoryCall } from "@contextfs/roles/Protocol"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/mcpServer.js"
import type { McpTool } from "./McpTool.js"

export interface Options<R> {
  readonly tools: ReadonlyArray<McpTool<R>>
  /** What clients tell their model about the server. */
  readonly instructions: string
}

/** Who speaks on a connection. */
export interface Session {
  readonly caller: Identity
  /** Called after each call of a known tool. */
  readonly onCall?: (call: MemoryCall) => void
  /** Asked before each call with the time in milliseconds; false: the caller is told to wait, and nothing is done. */
  readonly mayCall?: (now: number) => boolean
}

export interface McpServer {
  /** Loads what connections need, so that the first one does not wait for it. */
  readonly ready: Effect.Effect<void>
  /**
   * Speaks MCP, one message a line, until the connection has ended; interruption ends it. After the end of the input,
   * requests at work are answered for up to 1 s. Every byte written is part of a message.
   */
  readonly serve: (input: Readable, output: Writable, session: Session) => Effect.Effect<void>
}

/** Tools run with the services given here. */
export const make: <R>(options: Options<R>) => Effect.Effect<McpServer, never, R> = internal.make
