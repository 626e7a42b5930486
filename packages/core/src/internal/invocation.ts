/** What several adapters need in order to build an invocation. */
import type { InvocationRequest, Refusal, ToolAdapter } from "../ToolAdapter.js"

/** Why a request cannot be honoured whatever the program; undefined where it can. */
export const refusal = (
  adapter: Pick<ToolAdapter, "name" | "capabilities">,
  request: InvocationRequest
): Refusal | undefined => {
  if (!adapter.capabilities.permissions.includes(request.permission)) {
    return {
      refused: `${adapter.name} cannot honour permission "${request.permission}"; it has ${adapter.capabilities.permissions.join(", ")}`
    }
  }
  if (request.permission === "full" && request.root) return { refused: `permission "full" is refused as root` }
  if (request.model !== undefined && !adapter.capabilities.model) {
    return { refused: `${adapter.name} takes no model` }
  }
  if (request.resume !== undefined && !adapter.capabilities.resume) {
    return { refused: `${adapter.name} cannot continue a session` }
  }
  return badWord("model", request.model) ?? badWord("session", request.resume)
}

/** A value that becomes an argument must not be taken for an option. */
const badWord = (what: string, value: string | undefined): Refusal | undefined =>
  value !== undefined && (value === "" || value.startsWith("-") || /[\u0000-\u001f\u007f]/.test(value))
    ? { refused: `the ${what} ${JSON.stringify(value)} is not a name` }
    : undefined

/** `mcp__server__tool` → `server.tool`; undefined for anything else. */
export const mcpName = (name: string): string | undefined => {
  const match = /^mcp__(.+?)__(.+)$/.exec(name)
  return match?.[1] === undefined || match[2] === undefined ? undefined : `${match[1]}.${match[2]}`
}
