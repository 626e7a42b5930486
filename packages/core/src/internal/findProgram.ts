/** Where a program is on this machine. */
import * as fs from "node:fs"
import * as path from "node:path"

export type Found = { readonly file: string } | { readonly missing: string }

const check = (file: string): Found => {
  try {
    if (!fs.statSync(file).isFile()) return { missing: `${file} is not a file` }
  } catch (cause) {
    const denied = cause instanceof Error && "code" in cause && cause.code === "EACCES"
    return { missing: `${file} ${denied ? "is not readable" : "does not exist"}` }
  }
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return { file }
  } catch {
    return { missing: `${file} is not executable` }
  }
}

/** The program by its absolute path; a name with a slash is taken from `directory`, any other from PATH. */
export const findProgram = (name: string, searchPath: string, directory: string): Found => {
  if (name.includes("/")) return check(path.resolve(directory, name))
  let near: Found | undefined
  /** Folders of which nobody can tell what is in them. */
  const closed = new Set<string>()
  for (const folder of searchPath.split(path.delimiter)) {
    if (folder === "") continue
    const found = check(path.resolve(folder, name))
    if ("file" in found) return found
    if (found.missing.endsWith("not executable")) near ??= found
    if (found.missing.endsWith("not readable")) closed.add(folder)
  }
  const but = closed.size === 0 ? "" : ` (not readable: ${[...closed].join(", ")})`
  return near ?? { missing: `${name} is not on PATH${but}` }
}
