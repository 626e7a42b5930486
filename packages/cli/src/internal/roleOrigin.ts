/** Where roles come from, in words. */
import type { Origin } from "@contextfs/roles/RoleRegistry"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import { shortPath } from "./shortPath.js"

/** `built in`; `yours: ~/.contextfs/roles/x.md`; `this project's, not trusted: .contextfs/roles/x.md`. */
export const originText = (origin: Origin, session: Session): string => {
  if (origin.kind === "builtIn") return "built in"
  const file = clean(shortPath(origin.file, session))
  if (origin.kind === "user") return `yours: ${file}`
  return `this project's, ${origin.trusted ? "trusted" : "not trusted"}: ${file}`
}
