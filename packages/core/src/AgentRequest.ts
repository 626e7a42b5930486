/** One agent as another agent, or a user's session, asks for it over MCP. */
import { optional } from "@contextfs/mcp/McpTool"
import * as Schema from "effect/Schema"
import { AgentId, Permission } from "./Job.js"

export const AgentRequest = Schema.Struct({
  role: Schema.String.annotations({ description: "Who it is: one of contextfs_orchestrator_roles" }),
  directory: Schema.String.annotations({
    description: "Where it works; relative to your own directory, and within it"
  }),
  task: Schema.NonEmptyString.annotations({
    description: "What it has to do, whole: it knows nothing of your conversation, only the shared memory"
  }),
  id: optional(AgentId, "Its name in the run; default its role and a number"),
  tool: optional(Schema.String, "The agent program; default your own"),
  model: optional(Schema.String, "The model, as its program names it"),
  permission: optional(
    Permission,
    "What it may do: look, edit in its directory, run commands too, or anything; default its role's, as far as you may give it"
  ),
  timeout: optional(Schema.Number.pipe(Schema.between(1, 30 * 86_400)), "Seconds after which it is ended")
})
export type AgentRequest = typeof AgentRequest.Type
