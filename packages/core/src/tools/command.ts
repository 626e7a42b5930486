/** Any program, by configuration: `tools.NAME = { "command": [...] }`. */
import * as eventLines from "../internal/eventLines.js"
import { refusal } from "../internal/invocation.js"
import type { Decoder, ToolAdapter } from "../ToolAdapter.js"

const textDecoder = (): Decoder => {
  let first = true
  return {
    line: (line) => {
      const text = first ? line : `\n${line}`
      first = false
      return [{ kind: "message", text, delta: true }]
    },
    noise: () => 0
  }
}

/**
 * The prompt is on stdin; the answer is what it prints. Its exit code decides, or with `output: "events"` the terminal
 * event of our own event lines. What it may do is in `CONTEXTFS_PERMISSION` for it to honour: we cannot look inside. The
 * shared memory is in reach by the variables in its environment, with which `contextfs memory …` acts as the agent.
 */
export const command = (name: string, output: ToolAdapter["output"] = "text"): ToolAdapter => {
  const adapter: ToolAdapter = {
    name,
    description: "A program of yours",
    program: null,
    output,
    exitAbove128: "signal",
    passEnv: () => [],
    capabilities: {
      permissions: ["read", "edit", "exec", "full"],
      memory: false,
      resume: false,
      model: true,
      cost: false
    },
    invocation: (request) =>
      refusal(adapter, request) ?? {
        args: [],
        env: {
          CONTEXTFS_PERMISSION: request.permission,
          ...(request.model === undefined ? {} : { CONTEXTFS_MODEL: request.model })
        },
        stdin: request.prompt
      },
    decoder: output === "events" ? eventLines.decoder : textDecoder
  }
  return adapter
}
