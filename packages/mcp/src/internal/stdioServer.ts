import { Writable } from "node:stream"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as McpServer from "../McpServer.js"
import { instructions, memoryTools } from "../MemoryTools.js"
import type { Options } from "../StdioServer.js"
import { viewTools } from "../ViewTools.js"

export const run = (options: Options): Effect.Effect<void, never, MemoryStore | RoleRegistry> =>
  Effect.gen(function* () {
    const stdin = options.stdin ?? process.stdin
    const mcp = yield* McpServer.make({ tools: [...memoryTools, ...viewTools, ...(options.tools ?? [])], instructions })
    yield* mcp
      .serve(stdin, toStdout(options.stdout ?? process.stdout), { caller: options.identity })
      .pipe(Effect.raceFirst(parentDied))
  })

/** The process's own stdout cannot be ended; a failed write ends this one. */
const toStdout = (stdout: Writable): Writable => {
  const output = new Writable({
    write: (chunk, _, done) => {
      stdout.write(chunk, done)
    }
  })
  stdout.once("error", (cause) => output.destroy(cause))
  return output
}

/** Noticed even where something else holds our stdin open. */
const parentDied: Effect.Effect<void> = Effect.suspend(() => {
  const parent = process.ppid
  return Effect.sync(() => process.ppid !== parent).pipe(
    Effect.repeat({ until: (died) => died, schedule: Schedule.spaced("500 millis") }),
    Effect.asVoid
  )
})
