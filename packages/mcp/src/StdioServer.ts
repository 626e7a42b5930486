/** The memory server of a user's own session: the same server, in this process, over stdin and stdout. */
import type { Readable, Writable } from "node:stream"
import type { Identity } from "@contextfs/memory/Memory"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import type * as Effect from "effect/Effect"
import * as internal from "./internal/stdioServer.js"
import type { McpTool } from "./McpTool.js"

export interface Options {
  /** Who speaks: trust `user`, the tool that started the server, and where. */
  readonly identity: Identity
  /** Beside those of the memory and of the views. */
  readonly tools?: ReadonlyArray<McpTool>
  /** Default this process's own. */
  readonly stdin?: Readable
  readonly stdout?: Writable
}

/** Serves until stdin ends, the parent dies or the reader is gone; ends within 2 s of it. Interruption ends it too. */
export const run: (options: Options) => Effect.Effect<void, never, MemoryStore | RoleRegistry> = internal.run
