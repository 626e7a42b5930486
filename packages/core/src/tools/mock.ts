/** An agent without a model that follows the memory protocol over real MCP: for rehearsals, examples and tests. */
import { fileURLToPath } from "node:url"
import * as eventLines from "../internal/eventLines.js"
import { refusal } from "../internal/invocation.js"
import type { ToolAdapter } from "../ToolAdapter.js"

/** The program as built: beside this module's folder, from source in `dist`, in a bundle beside the bundle. */
const programPath = (here: string): string =>
  fileURLToPath(
    new URL(
      here.endsWith("/src/tools/mock.ts")
        ? "../../dist/mockAgent.js"
        : here.endsWith("/tools/mock.js")
          ? "../mockAgent.js"
          : "./mockAgent.js",
      here
    )
  )

/** What a task can tell it: see `mockAgent.ts`. */
export const mock: ToolAdapter = {
  name: "mock",
  description: "A rehearsal without a model: searches, recalls and saves as the role asks",
  program: null,
  command: [process.execPath, programPath(import.meta.url)],
  output: "events",
  exitAbove128: "signal",
  passEnv: () => [],
  capabilities: { permissions: ["read", "edit", "exec", "full"], memory: true, resume: true, model: true, cost: true },
  invocation: (request) =>
    refusal(mock, request) ?? {
      args: [
        ...(request.memory === undefined ? [] : ["--mcp-config", `${request.folder}/mcp.json`]),
        ...(request.model === undefined ? [] : ["--model", request.model]),
        ...(request.resume === undefined ? [] : ["--resume", request.resume])
      ],
      env: {},
      stdin: request.prompt,
      files:
        request.memory === undefined
          ? {}
          : {
              "mcp.json": JSON.stringify({
                mcpServers: { [request.memory.server]: { command: request.memory.command, args: request.memory.args } }
              })
            }
    },
  decoder: eventLines.decoder
}
