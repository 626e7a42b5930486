/** The listing of roles; apart, because the front answers it without loading anything else. */
import type { Role } from "@contextfs/roles/Role"

/** `note`: what is said of a role beside its description; already clean. */
export const rolesText = <A extends Role>(roles: ReadonlyArray<A>, note: (role: A) => string = () => ""): string => {
  const widest = Math.max(...roles.map((role) => role.name.length))
  return roles.map((role) => `${role.name.padEnd(widest)} - ${role.description}${note(role)}\n`).join("")
}
