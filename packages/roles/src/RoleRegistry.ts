/** The roles there are, by name. Those built in are listed in `builtIn.ts`. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { builtIn } from "./builtIn.js"
import type { Role } from "./Role.js"

export { builtIn } from "./builtIn.js"

/** No role has this name; `known` are the names there are. */
export class RoleNotFound extends Data.TaggedError("RoleNotFound")<{
  readonly name: string
  readonly known: ReadonlyArray<string>
}> {
  override get message(): string {
    return `unknown role ${JSON.stringify(this.name)}: one of ${this.known.join(", ")}`
  }
}

export interface RoleRegistryService {
  readonly get: (name: string) => Effect.Effect<Role, RoleNotFound>
  readonly list: Effect.Effect<ReadonlyArray<Role>>
}

export class RoleRegistry extends Context.Tag("@contextfs/roles/RoleRegistry")<RoleRegistry, RoleRegistryService>() {}

/** A registry of these roles; of two with one name the later one counts, in the place of the earlier. */
export const make = (roles: ReadonlyArray<Role>): RoleRegistryService => {
  const byName = new Map(roles.map((role) => [role.name, role]))
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
