/** The official SDK's server, one light instance per connection, over our own transport. */
import type { Readable, Writable } from "node:stream"
import type { MemoryCall } from "@contextfs/roles/Protocol"
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js"
import type { jsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/types.js"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { McpServer, Options, Session } from "../McpServer.js"
import { version } from "../Version.js"
import { LineTransport } from "./lineTransport.js"

/** Of one agent over all its connections. */
export const maxCallsPerMinute = 600
const maxAnswerBytes = 1024 * 1024

const told = (text: string): CallToolResult => ({ content: [{ type: "text", text }], isError: true })

// The SDK would build one JSON Schema compiler a connection; only elicitation needs it, which we do not use.
const noValidator: jsonSchemaValidator = {
  getValidator: () => {
    throw new Error("this server asks nothing of its clients")
  }
}

export const make = <R>(options: Options<R>): Effect.Effect<McpServer, never, R> =>
  Effect.gen(function* () {
    // Whoever makes the server may be in the middle of what must not be cut; a call may be.
    const runtime = yield* Effect.interruptible(Effect.runtime<R>())
    const tools = new Map(options.tools.map((tool) => [tool.name, tool]))
    // Loaded once, when somebody comes: a run without memory never pays for it. Not cut, for the others wait for it too.
    const sdk = yield* Effect.cached(
      Effect.uninterruptible(
        Effect.promise(async () => {
          const [{ Server }, types] = await Promise.all([
            import("@modelcontextprotocol/sdk/server/index.js"),
            import("@modelcontextprotocol/sdk/types.js")
          ])
          return {
            Server,
            types,
            ours: version(),
            tools: [...tools.values()].map((tool) => types.ToolSchema.parse(tool.listing()))
          }
        })
      )
    )

    const call = (name: string, args: unknown, session: Session): Effect.Effect<CallToolResult | null, never, R> =>
      Effect.gen(function* () {
        const tool = tools.get(name)
        if (tool === undefined) return null
        const at = yield* Clock.currentTimeMillis
        if (session.mayCall?.(at) === false)
          return told(`more calls a minute than ${maxCallsPerMinute}: wait, then go on`)
        const answer = yield* tool.call(args, session.caller)
        const record: MemoryCall = {
          tool: name,
          at,
          ok: answer.ok,
          ...answer.record,
          memoryIds: answer.record.memoryIds ?? []
        }
        session.onCall?.(record)
        if (!answer.ok) return told(answer.text)
        const content = [{ type: "text" as const, text: answer.text }]
        if (Buffer.byteLength(answer.text) + Buffer.byteLength(JSON.stringify(answer.structured)) > maxAnswerBytes) {
          return told(`the answer is larger than ${maxAnswerBytes} bytes: ask for fewer at once (limit)`)
        }
        return { content, structuredContent: answer.structured }
      })

    const connect = (input: Readable, output: Writable, session: Session): Effect.Effect<LineTransport> =>
      Effect.gen(function* () {
        const { Server, types, ours, tools: listing } = yield* sdk
        const transport = new LineTransport(input, output, (value) => types.JSONRPCMessageSchema.safeParse(value).data)
        const server = new Server(
          { name: "contextfs", title: "ContextFS", version: ours },
          { capabilities: { tools: {} }, instructions: options.instructions, jsonSchemaValidator: noValidator }
        )
        server.setRequestHandler(types.ListToolsRequestSchema, () => ({ tools: listing }))
        server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, { signal }) => {
          const result = await Runtime.runPromise(runtime)(call(params.name, params.arguments, session), { signal })
          if (result !== null) return result
          throw new types.McpError(
            types.ErrorCode.InvalidParams,
            `unknown tool ${JSON.stringify(params.name.slice(0, 100))}`
          )
        })
        yield* Effect.promise(() => server.connect(transport))
        return transport
      })

    return {
      ready: Effect.asVoid(sdk),
      serve: (input, output, session) =>
        connect(input, output, session).pipe(
          Effect.flatMap((transport) =>
            Effect.async<void>((resume) => transport.whenClosed(() => resume(Effect.void)))
          ),
          Effect.ensuring(
            Effect.sync(() => {
              input.destroy()
              output.destroy()
            })
          )
        )
    }
  })
