/** What an agent is doing, in a line of words. Nothing it prints gets through unclean. */
import type { AgentEvent } from "@contextfs/core/ToolAdapter"
import { clean, firstLine } from "./clean.js"
import { seconds } from "./format.js"
import { cut } from "./layout.js"

/** Empty for what is not worth a line. */
export const activity = (event: AgentEvent): string => {
  switch (event.kind) {
    case "started": {
      const facts = [
        ...(event.model === undefined ? [] : [`model ${clean(event.model)}`]),
        ...(event.sessionId === undefined ? [] : [`session ${clean(event.sessionId)}`]),
        ...(event.failedServers ?? []).map((server) => `MCP server ${clean(server)} did not start`)
      ]
      return facts.join(", ")
    }
    case "message":
      return firstLine(event.text)
    case "toolCall":
      return `→ ${clean(event.name).replace(/^contextfs\.(?=contextfs_)/, "")}${inputOf(event.input)}`
    case "toolResult": {
      if (event.ok) return ""
      const what = event.denied === true ? "denied" : "failed"
      const name = event.name === undefined ? "tool call" : clean(event.name)
      return `✗ ${name} ${what}${event.message === undefined ? "" : `: ${firstLine(event.message)}`}`
    }
    case "limit": {
      const { attempt, message, retryInMs } = event.limit
      const again = retryInMs === undefined ? "" : `, again in ${seconds(retryInMs / 1000)}`
      return `! ${firstLine(message)}${attempt === undefined ? "" : ` (retry ${attempt}${again})`}`
    }
    case "usage":
    case "finished":
      return ""
  }
}

/** The first texts of a call's input: `{"type":"fact","content":"It works"}` as ` fact It works`. */
const inputOf = (input: unknown): string => {
  if (input === undefined || input === null) return ""
  const texts = (typeof input === "object" ? Object.values(input) : [`${input}`])
    .filter((value) => typeof value === "string")
    .map((text) => firstLine(text))
    .filter((text) => text !== "")
  return texts.length === 0 ? "" : ` ${cut(texts.slice(0, 2).join(" "), 120)}`
}
