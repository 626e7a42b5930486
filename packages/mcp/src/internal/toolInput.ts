/** What the memory tools have in common: parameters, scope, and errors in words for an agent. */
import { type Identity, MemoryType } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ToolError } from "../McpError.js"
import type { Hints } from "../McpTool.js"
import { clip } from "./memoryView.js"

export const reading: Hints = { readOnly: true, destructive: false, idempotent: true }

/** A parameter with its description; absent is absent. */
export const optional = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optionalWith(schema.annotations({ description }), { exact: true })

export const withDefault = <A, I>(schema: Schema.Schema<A, I>, value: A & (A | undefined), description: string) =>
  Schema.optionalWith(schema.annotations({ description, default: value }), { exact: true, default: () => value })

export const text = (description: string) => Schema.String.annotations({ description })

export const Tags = Schema.Array(Schema.String)
export const idDescription = "Id of the memory, or its first six or more characters"
export const typeDescription = "Type of memory"
export const limitTo = (most: number) => Schema.Number.pipe(Schema.int(), Schema.between(1, most))

/** Kept from the original tools; the project of a session is given, so another one is refused. */
export const project = optional(Schema.String, "The session's own project; another one is refused")
export const memoryType = optional(MemoryType, typeDescription)

/** A differing project must not be silently read or written under the session's own. */
export const sameProject = (asked: string | undefined, caller: Identity): Effect.Effect<void, ToolError> =>
  asked === undefined || asked === caller.project
    ? Effect.void
    : new ToolError({
        message: `this session belongs to project ${JSON.stringify(caller.project)}; project ${JSON.stringify(clip(asked, 100))} is not open to it: leave the argument out`
      })

type StoreError = { readonly _tag: string; readonly message: string } & Partial<Pick<StorageError, "hint">>

export const asToolError = (error: StoreError): ToolError =>
  new ToolError({ message: error.hint === undefined ? error.message : `${error.message} (${error.hint})` })

/** As much of a query as the record of calls keeps. */
export const queryRecord = (query: string): string => clip(query, 200)
