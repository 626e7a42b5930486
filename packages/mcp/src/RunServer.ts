/**
 * The memory server of one orchestrating process: a socket that agents' bridges connect to. Who speaks is known by the
 * token a bridge was started with, so nothing an agent says can make it another agent.
 */
import type { Identity } from "@contextfs/memory/Memory"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { MemoryCall } from "@contextfs/roles/Protocol"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as internal from "./internal/runServer.js"
import type { ServerError } from "./McpError.js"
import type { McpTool } from "./McpTool.js"

export type { MemoryCall } from "@contextfs/roles/Protocol"
export { ServerError } from "./McpError.js"

/** One agent, for as long as the scope it was admitted in. */
export interface Admission {
  /** 256 random bits. */
  readonly token: string
  /** What the agent's bridge, and `contextfs` commands in its shell, need in their environment. */
  readonly env: { readonly CONTEXTFS_SOCKET: string; readonly CONTEXTFS_TOKEN: string }
  /** The calls so far, oldest first; of each tool at most the first 300. */
  readonly calls: Effect.Effect<ReadonlyArray<MemoryCall>>
  /** Whether anything ever connected with the token. */
  readonly connected: Effect.Effect<boolean>
}

export interface RunServerService {
  readonly socketPath: string
  /** When the scope closes the token is dead and its connections are ended. `tools`: those that this agent alone gets. */
  readonly admit: (
    identity: Identity,
    options?: { readonly tools?: ReadonlyArray<McpTool> }
  ) => Effect.Effect<Admission, never, Scope.Scope>
  /** Connections that showed a good token: open now, and ever. */
  readonly connections: Effect.Effect<{ readonly open: number; readonly total: number }>
}

export class RunServer extends Context.Tag("@contextfs/mcp/RunServer")<RunServer, RunServerService>() {}

export interface Options<R> {
  /** A folder of this user with mode 0700 and a path so short that the socket's has at most 107 bytes. */
  readonly directory: string
  /** Beside the memory tools. */
  readonly tools?: ReadonlyArray<McpTool<R>>
}

/** Listens until the scope closes. */
export const make: <R = never>(
  options: Options<R>
) => Effect.Effect<RunServerService, ServerError, Scope.Scope | MemoryStore | R> = internal.make
