import { connect, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { CallOptions, ToolResult } from "../Bridge.js"
import { ServerError, ToolError } from "../McpError.js"

const protocolVersion = "2025-06-18"
const callId = 2

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** The answer to our call; anything else on the wire does not decode to it. */
const Response = Schema.parseJson(
  Schema.Struct({
    id: Schema.Literal(callId),
    error: optional(Schema.Struct({ message: Schema.String })),
    result: optional(
      Schema.Struct({
        isError: optional(Schema.Boolean),
        content: Schema.Array(Schema.Struct({ text: optional(Schema.String) })),
        structuredContent: optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
      })
    )
  })
)
const decode = Schema.decodeUnknownOption(Response)

export const callTool = (options: CallOptions): Effect.Effect<ToolResult, ServerError | ToolError> =>
  Effect.acquireUseRelease(
    Effect.sync(() => connect({ path: options.socket })),
    (socket) => Effect.flatMap(exchange(socket, options), read),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(
    Effect.timeoutFail({
      duration: "30 seconds",
      onTimeout: () => unavailable("it gave no answer within 30 seconds")
    })
  )

const unavailable = (why: string): ServerError =>
  new ServerError({
    message: `the run's shared memory is not available: ${why}`,
    hint: "CONTEXTFS_SOCKET and CONTEXTFS_TOKEN are of an attempt that is over, or wrong"
  })

/** Sends everything at once and waits for the line that answers the call. */
const exchange = (
  socket: Socket,
  { token, name, args }: CallOptions
): Effect.Effect<typeof Response.Type, ServerError> =>
  Effect.async((resume) => {
    let text = ""
    socket.setEncoding("utf8")
    socket.on("data", (chunk: string) => {
      const lines = (text + chunk).split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) {
        const answer = decode(line)
        if (Option.isSome(answer)) resume(Effect.succeed(answer.value))
      }
    })
    socket.on("error", (cause) => resume(Effect.fail(unavailable(cause.message))))
    socket.on("close", () => resume(Effect.fail(unavailable("the connection was ended"))))
    const messages = [
      {
        id: 1,
        method: "initialize",
        params: { protocolVersion, capabilities: {}, clientInfo: { name: "contextfs-call", version: "1.0.0" } }
      },
      { method: "notifications/initialized" },
      { id: callId, method: "tools/call", params: { name, arguments: args } }
    ]
    socket.write(
      `${token}\n${messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("")}`
    )
  })

const read = ({ error, result }: typeof Response.Type): Effect.Effect<ToolResult, ToolError> => {
  const text = result?.content.map((part) => part.text ?? "").join("\n") ?? ""
  return error !== undefined || result === undefined || result.isError === true
    ? new ToolError({ message: error?.message ?? text })
    : Effect.succeed({ text, structured: result.structuredContent ?? {} })
}
