/** What the memory tools have in common: parameters, scope, and errors in words for an agent. */
import { type Identity, MemoryType } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import type { ParseIssue } from "effect/ParseResult"
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
/** One message, however deep the reason: the description of a parameter would stand in the place of what was expected. */
const expects = (expected: string) => ({
  message: ({ actual }: ParseIssue) => ({
    message: `Expected ${expected}, actual ${JSON.stringify(actual)}`,
    override: true
  })
})
export const limitTo = (most: number) =>
  Schema.Number.pipe(Schema.int(), Schema.between(1, most)).annotations(expects(`a whole number from 1 to ${most}`))
export const weight = Schema.Number.pipe(Schema.between(0, 1)).annotations(expects("a number from 0 to 1"))

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

export const asToolError = (error: StoreError): ToolError => {
  const hint =
    error._tag === "MemoryNotFound" ? "contextfs_search and contextfs_list give the ids of this project" : error.hint
  return new ToolError({ message: hint === undefined ? error.message : `${error.message} (${hint})` })
}

/** As much of a query as the record of calls keeps. */
export const queryRecord = (query: string): string => clip(query, 200)
