/** Who an agent is: what it may do, what it shares through memory, and the words that tell it so. */
import { MemoryType } from "@contextfs/memory/Memory"
import * as Schema from "effect/Schema"

/**
 * `read`: look, read-only git included. `edit`: change files in the directory. `exec`: edit, and run commands.
 * `full`: the tool's own bypass. The memory tools are allowed in each.
 */
export const Permission = Schema.Literal("read", "edit", "exec", "full")
export type Permission = typeof Permission.Type

/** The line of a prompt after which everything, to its end, is the task. */
export const taskHeading = "# Task"

/** Something to be saved, and the type to save it under: `test failures` as `error`. */
export const Save = Schema.Struct({ what: Schema.NonEmptyString, type: MemoryType })
export type Save = typeof Save.Type

/** A role as data: the prompt and the record of what an agent did with its memory are both made from it. */
export const Role = Schema.Struct({
  /** Letters, digits and hyphens; memories of the role are tagged `<name>-agent`. */
  name: Schema.String.pipe(Schema.pattern(/^[a-z][a-z0-9-]{0,39}$/)),
  /** One line. */
  description: Schema.String.pipe(Schema.pattern(/^[^\r\n]+$/)),
  /** Where neither the configuration nor the command line says otherwise. */
  permission: Permission,
  /** Tool to run it with, where nothing else names one. */
  tool: Schema.optionalWith(Schema.String, { exact: true }),
  model: Schema.optionalWith(Schema.String, { exact: true }),
  /** What the agent searches for before it starts. */
  searches: Schema.Array(Schema.NonEmptyString),
  /** What the agent saves as it works. */
  saves: Schema.Array(Save),
  /** What the agent links to each other. */
  links: Schema.Array(Schema.NonEmptyString),
  /** The type under which the result of a completed job is saved. */
  outcome: MemoryType,
  /** Who you are and how you work, in the second person; without a line that is the heading of the task. */
  prompt: Schema.NonEmptyString.pipe(
    Schema.filter((text) => !text.split(/\r?\n/).includes(taskHeading) || `a line of a role is not "${taskHeading}"`)
  )
})
export type Role = typeof Role.Type

/** The tag that every memory of a role carries. */
export const tagOf = (name: string): string => `${name}-agent`
