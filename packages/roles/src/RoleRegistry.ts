/** The roles there are, by name: those built in, and those that the user and the project have written. */
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { builtIn } from "./builtIn.js"
import type { Surroundings } from "./folders.js"
import { readRoles } from "./internal/roleFiles.js"
import type { Permission, Role } from "./Role.js"
import { type RoleFileError, RoleNotFound } from "./RoleError.js"

export { builtIn } from "./builtIn.js"
export { RoleFileError, RoleNotFound } from "./RoleError.js"

/**
 * Where a role comes from: with ContextFS or from code; the data folder, which is the user's; a project's `.contextfs`,
 * which came with a repository and is believed only as far as the user trusts that file. `file` is its real path.
 */
export type Origin =
  | { readonly kind: "builtIn" }
  | { readonly kind: "user"; readonly file: string }
  | {
      readonly kind: "project"
      readonly file: string
      /** The user trusts exactly this content. */
      readonly trusted: boolean
      /** It takes the name of another role. */
      readonly replaces: boolean
    }

export interface KnownRole extends Role {
  readonly origin: Origin
}

export interface RoleRegistryService {
  readonly get: (name: string) => Effect.Effect<KnownRole, RoleNotFound>
  readonly list: Effect.Effect<ReadonlyArray<KnownRole>>
}

export class RoleRegistry extends Context.Tag("@contextfs/roles/RoleRegistry")<RoleRegistry, RoleRegistryService>() {}

/** A registry of these roles; of two with one name the later one counts, in the place of the earlier. */
export const make = (roles: ReadonlyArray<Role | KnownRole>): RoleRegistryService => {
  const byName = new Map(
    roles.map((role): [string, KnownRole] => [
      role.name,
      "origin" in role ? role : { ...role, origin: { kind: "builtIn" } }
    ])
  )
  return {
    get: (name) => {
      const role = byName.get(name)
      return role === undefined
        ? Effect.fail(new RoleNotFound({ name, known: [...byName.keys()] }))
        : Effect.succeed(role)
    },
    list: Effect.succeed([...byName.values()])
  }
}

/** The roles built in. */
export const layer: Layer.Layer<RoleRegistry> = Layer.succeed(RoleRegistry, make(builtIn))

/**
 * The roles built in, those in `roles/*.md` of the data folder, then those in `.contextfs/roles/*.md` of the project: the
 * nearest folder upwards of `directory` with a `.contextfs`, not above the repository's root, and not the home folder.
 * Fails with every problem of every file.
 */
export const loadFiles = Effect.fn("RoleRegistry.loadFiles")(function* (
  around: Surroundings
): Effect.fn.Return<RoleRegistryService, RoleFileError | StorageError> {
  return make([...builtIn, ...(yield* readRoles(around, builtIn))])
})

export const layerFiles = (around: Surroundings): Layer.Layer<RoleRegistry, RoleFileError | StorageError> =>
  Layer.effect(RoleRegistry, loadFiles(around))

/**
 * Why no agent may run in this role with this permission, or undefined. A role file of a project that is not trusted may
 * neither take another role's place nor choose a tool or model, and never gets more than `read`.
 */
export const refusal = (
  role: KnownRole,
  permission: Permission
): { readonly message: string; readonly file: string } | undefined => {
  const { origin } = role
  if (origin.kind !== "project" || origin.trusted) return undefined
  const wants = [
    ...(origin.replaces ? ["replaces the role of that name"] : []),
    ...(role.permission === "read" ? [] : [`asks for permission ${role.permission}`]),
    ...(role.tool === undefined ? [] : [`names the tool ${role.tool}`]),
    ...(role.model === undefined ? [] : [`names the model ${role.model}`]),
    ...(permission === "read" || permission === role.permission ? [] : [`would get permission ${permission}`])
  ]
  return wants.length === 0
    ? undefined
    : { message: `role ${role.name} of ${origin.file} is not trusted and ${wants.join(", ")}`, file: origin.file }
}
