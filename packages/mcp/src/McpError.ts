import * as Schema from "effect/Schema"

/** A tool could not do what was asked; the message is for the agent: what went wrong, and what to do. */
export class ToolError extends Schema.TaggedError<ToolError>("@contextfs/mcp/ToolError")("ToolError", {
  message: Schema.String
}) {}

/** The memory server cannot listen, or cannot be reached: the message says what and where, `hint` what to do. */
export class ServerError extends Schema.TaggedError<ServerError>("@contextfs/mcp/ServerError")("ServerError", {
  message: Schema.String,
  hint: Schema.optionalWith(Schema.String, { exact: true })
}) {}
