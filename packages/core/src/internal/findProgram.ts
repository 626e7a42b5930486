/** Where a program is on this machine. */
import * as fs from "node:fs"
import * as path from "node:path"

export type Found = { readonly file: string } | { readonly missing: string }

const check = (file: string): Found => {
  try {
    if (!fs.statSync(file).isFile()) return { missing: `${file} is not a file` }
    fs.accessSync(file, fs.constants.X_OK)
    return { file }
  } catch (cause) {
    const denied = cause instanceof Error && "code" in cause && cause.code === "EACCES"
    return { missing: denied ? `${file} is not executable` : `${file} does not exist` }
  }
}

/** The program by its absolute path; a name with a slash is taken from `directory`, any other from PATH. */
export const findProgram = (name: string, searchPath: string, directory: string): Found => {
  if (name.includes("/")) return check(path.resolve(directory, name))
  let near: Found | undefined
  for (const folder of searchPath.split(path.delimiter)) {
    if (folder === "") continue
    const found = check(path.resolve(folder, name))
    if ("file" in found) return found
    if (found.missing.endsWith("not executable")) near ??= found
  }
  return near ?? { missing: `${name} is not on PATH` }
}
