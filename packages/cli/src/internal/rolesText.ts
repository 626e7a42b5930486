/** The listing of roles; apart, because the front answers it without loading anything else. */
import type { Role } from "@contextfs/roles/Role"

export const rolesText = (roles: ReadonlyArray<Role>): string => {
  const widest = Math.max(...roles.map((role) => role.name.length))
  return roles.map((role) => `${role.name.padEnd(widest)} - ${role.description}\n`).join("")
}
