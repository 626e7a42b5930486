import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { MemoryCall } from "@contextfs/roles/Protocol"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { ServerError } from "../McpError.js"
import * as McpServer from "../McpServer.js"
import type { McpTool } from "../McpTool.js"
import { instructions, memoryTools } from "../MemoryTools.js"
import type { Options, RunServerService } from "../RunServer.js"
import { maxCallsPerMinute } from "./mcpServer.js"

/** Node cuts longer socket paths silently: the kernel's limit less the final NUL. */
const maxSocketPathBytes = process.platform === "darwin" ? 103 : 107
const maxTokenLineBytes = 256
/** For the token line. */
const helloMillis = 5_000
const maxCallsOfATool = 300

export const make = <R = never>(
  options: Options<R>
): Effect.Effect<RunServerService, ServerError, Scope.Scope | MemoryStore | R> =>
  Effect.gen(function* () {
    const socketPath = path.join(options.directory, `m${randomBytes(4).toString("hex")}.sock`)
    yield* checkPlace(options.directory, socketPath)
    const tools: ReadonlyArray<McpTool<MemoryStore | R>> = [...memoryTools, ...(options.tools ?? [])]
    const mcp = yield* McpServer.make({ tools, instructions })
    const scope = yield* Effect.scope
    const context = yield* Effect.context<MemoryStore | R>()

    // What serves an admitted agent, by the digest of its token: how long a look-up takes says nothing about any token.
    const guests = new Map<string, (socket: net.Socket) => void>()
    const sockets = new Set<net.Socket>()
    let open = 0
    let total = 0

    const welcome = (socket: net.Socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy())
      socket.once("close", () => sockets.delete(socket))
      readToken(socket, (token) => {
        const guest = guests.get(digest(token))
        if (guest === undefined) {
          socket.destroy()
          return
        }
        open += 1
        total += 1
        socket.once("close", () => {
          open -= 1
        })
        guest(socket)
      })
    }

    yield* Effect.acquireRelease(listen(socketPath, welcome), (server) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
    )

    const admit: RunServerService["admit"] = (identity, { tools: own = [] } = {}) =>
      Effect.gen(function* () {
        const server =
          own.length === 0
            ? mcp
            : yield* Effect.provide(McpServer.make({ tools: [...tools, ...own], instructions }), context)
        // While the agent starts: its first question then finds the server loaded.
        yield* Effect.forkIn(server.ready, scope)
        const token = randomBytes(32).toString("base64url")
        const key = digest(token)
        const calls: Array<MemoryCall> = []
        let connected = false
        const mayCall = perMinute(maxCallsPerMinute)
        const onCall = (call: MemoryCall) => {
          const before = calls.filter(({ tool }) => tool === call.tool).length
          if (before < maxCallsOfATool) calls.push({ ...call, memoryIds: call.memoryIds.slice(0, 20) })
        }
        // Of the caller's scope: when it closes, its connections are ended.
        const run = yield* FiberSet.makeRuntime<never>()
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            guests.set(key, (socket) => {
              connected = true
              run(Effect.interruptible(server.serve(socket, socket, { caller: identity, onCall, mayCall })))
            })
          }),
          () => Effect.sync(() => guests.delete(key))
        )
        return {
          token,
          env: { CONTEXTFS_SOCKET: socketPath, CONTEXTFS_TOKEN: token },
          calls: Effect.sync(() => [...calls]),
          connected: Effect.sync(() => connected)
        }
      })

    return { socketPath, admit, connections: Effect.sync(() => ({ open, total })) }
  })

/** True for at most `most` questions in each minute. */
const perMinute = (most: number): ((now: number) => boolean) => {
  let minute = Number.NEGATIVE_INFINITY
  let count = 0
  return (now) => {
    if (now - minute >= 60_000 || now < minute) {
      minute = now
      count = 0
    }
    return ++count <= most
  }
}

const digest = (token: string | Buffer): string => createHash("sha256").update(token).digest("hex")

const checkPlace = (directory: string, socketPath: string): Effect.Effect<void, ServerError> =>
  Effect.suspend(() => {
    const bytes = Buffer.byteLength(socketPath)
    if (bytes > maxSocketPathBytes) {
      return new ServerError({
        message: `the socket ${socketPath} would have a path of ${bytes} bytes; the system allows ${maxSocketPathBytes}`,
        hint: "give a folder with a shorter path"
      })
    }
    const stat = fs.statSync(directory, { throwIfNoEntry: false })
    if (stat === undefined || !stat.isDirectory()) return new ServerError({ message: `${directory} is not a folder` })
    if ((stat.mode & 0o077) !== 0 || stat.uid !== process.getuid?.()) {
      return new ServerError({
        message: `${directory} is open to others, and the memory server's socket must not be`,
        hint: "give a folder of your own with mode 0700"
      })
    }
    return Effect.void
  })

const listen = (socketPath: string, welcome: (socket: net.Socket) => void): Effect.Effect<net.Server, ServerError> =>
  Effect.async<net.Server, ServerError>((resume) => {
    // Half-open, so that requests at work are answered after the client has said its last.
    const server = net.createServer({ allowHalfOpen: true }, welcome)
    const failed = (cause: Error) =>
      resume(
        Effect.fail(new ServerError({ message: `the memory server cannot listen on ${socketPath}: ${cause.message}` }))
      )
    server.once("error", failed)
    server.listen(socketPath, () => {
      server.off("error", failed)
      fs.chmodSync(socketPath, 0o600)
      resume(Effect.succeed(server))
    })
  })

/** Reads the first line and leaves the rest in the socket, paused; ends the socket where none comes in time. */
const readToken = (socket: net.Socket, found: (token: Buffer) => void): void => {
  let head = Buffer.alloc(0)
  const giveUp = () => socket.destroy()
  const late = setTimeout(giveUp, helloMillis)
  const read = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf("\n")
    if (end === -1) {
      if (head.length > maxTokenLineBytes) giveUp()
      return
    }
    clearTimeout(late)
    socket.off("data", read).off("end", giveUp).pause()
    if (end + 1 < head.length) socket.unshift(head.subarray(end + 1))
    found(head.subarray(0, end))
  }
  socket
    .on("data", read)
    .on("end", giveUp)
    .once("close", () => clearTimeout(late))
}
