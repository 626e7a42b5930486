/** A tool as data and one function: Effect Schemas say what goes in and out, and JSON Schemas for clients are made from them. */
import type { Identity } from "@contextfs/memory/Memory"
import type { MemoryCall } from "@contextfs/roles/Protocol"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as internal from "./internal/mcpTool.js"
import type { ToolError } from "./McpError.js"

/** For inputs: parameters with descriptions; the project, which may be named and not chosen. */
export { optional, project, sameProject, withDefault } from "./internal/toolInput.js"
export { ToolError } from "./McpError.js"

export interface Hints {
  /** Changes nothing. */
  readonly readOnly: boolean
  /** May take something away. */
  readonly destructive: boolean
  /** The same call again changes nothing more. */
  readonly idempotent: boolean
}

/** What the record of a call says beside its name and outcome. */
export type CallRecord = Partial<Pick<MemoryCall, "type" | "query" | "memoryIds">>

export interface Definition<I, IE, O, OE extends JsonObject, R> {
  readonly name: string
  readonly title: string
  readonly description: string
  /** A struct; unknown parameters are refused. */
  readonly input: Schema.Schema<I, IE>
  /** A struct. */
  readonly output: Schema.Schema<O, OE>
  readonly hints: Hints
  /** `caller` is who was admitted; nothing in the input can change it. */
  readonly handler: (input: I, caller: Identity) => Effect.Effect<O, ToolError, R>
  /** The answer for people and for clients that show no structured content. */
  readonly text: (output: O) => string
  /** `output` is absent where the call failed. */
  readonly record?: (input: I, output: O | undefined) => CallRecord
}

export type JsonObject = { readonly [key: string]: unknown }

/** A tool as `tools/list` shows it. */
export interface Listing {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: JsonObject
  readonly outputSchema: JsonObject
  readonly annotations: {
    readonly title: string
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
}

export type Answer =
  | { readonly ok: true; readonly text: string; readonly structured: JsonObject; readonly record: CallRecord }
  | { readonly ok: false; readonly text: string; readonly record: CallRecord }

export interface McpTool<R = never> {
  readonly name: string
  readonly listing: () => Listing
  /** Arguments that do not fit, expected errors and defects all become an answer that is not `ok`. */
  readonly call: (args: unknown, caller: Identity) => Effect.Effect<Answer, never, R>
}

export const make: <I, IE, O, OE extends JsonObject, R>(definition: Definition<I, IE, O, OE, R>) => McpTool<R> =
  internal.make
