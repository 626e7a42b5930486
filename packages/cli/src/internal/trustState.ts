/** Whether a trusted file is still what it was. */
import * as Trust from "@contextfs/roles/Trust"
import * as Either from "effect/Either"

export const stateOf = (entry: Trust.TrustedFile): "trusted" | "changed" | "gone" => {
  const content = Trust.readFile(entry.file, Trust.maxBytes)
  if (Either.isLeft(content)) return "gone"
  return Trust.isTrusted([entry], content.right) ? "trusted" : "changed"
}
