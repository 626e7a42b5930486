/**
 * A role as a Markdown file: front matter that says what it may and what it shares, then the prompt.
 *
 * ```md
 * ---
 * description: Writes database migrations
 * permission: edit            # default read
 * searches: prior migrations  # a text, or a list
 * saves: [migrations as code] # "what as type", or {what, type}
 * ---
 * You write migrations that can be rolled back.
 * ```
 */
import type * as Effect from "effect/Effect"
import * as internal from "./internal/roleFile.js"
import type { Role } from "./Role.js"
import type { RoleFileError } from "./RoleError.js"

/** A role file may have so many bytes, and its front matter so many. */
export const { maxBytes, maxFrontBytes } = internal

/** The role in a text, or every problem of it. `file`: absolute; its name without `.md` is the role's, unless the text says otherwise. */
export const decode: (text: string, file: string) => Effect.Effect<Role, RoleFileError> = internal.decode
