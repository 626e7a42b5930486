/** Paths as people say them. */
import * as path from "node:path"
import type { Session } from "../Session.js"

/** Relative where it lies below the working directory, with `~` below the home folder, else as it is. */
export const shortPath = (file: string, { cwd, home }: Pick<Session, "cwd" | "home">): string => {
  const below = (folder: string) => folder !== "/" && file.startsWith(`${folder}${path.sep}`)
  if (below(cwd)) return path.relative(cwd, file)
  return below(home) ? path.join("~", path.relative(home, file)) : file
}
