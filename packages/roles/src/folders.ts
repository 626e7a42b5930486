/** Where role files are. By itself, so that who only asks whether there are any loads nothing else. */
import * as fs from "node:fs"
import * as path from "node:path"

export interface Surroundings {
  /** Folder of the shared memory. */
  readonly dataDir: string
  /** Where the user stands, absolute; without it there is no project. */
  readonly directory?: string | undefined
  /** The user's home folder. */
  readonly home?: string | undefined
}

const real = (file: string): string => {
  try {
    return fs.realpathSync(file)
  } catch {
    return path.resolve(file)
  }
}

/** Whether anybody may put things there, as into a folder for temporary files. */
const isShared = (folder: string): boolean => {
  const stat = fs.statSync(folder, { throwIfNoEntry: false })
  return stat !== undefined && (stat.mode & 0o002) !== 0
}

/**
 * What a search upwards may look at: up to the repository's root, else up to but not into the home folder, else here
 * alone; never into a folder that is everybody's.
 */
const reachable = (directory: string, home: string | undefined): ReadonlyArray<string> => {
  const upwards = [directory]
  for (let at = path.dirname(directory); at !== upwards.at(-1) && !isShared(at); at = path.dirname(at)) upwards.push(at)
  const below = upwards.slice(0, home === undefined || !upwards.includes(home) ? undefined : upwards.indexOf(home))
  const root = below.findIndex((at) => fs.existsSync(path.join(at, ".git")))
  if (root !== -1) return below.slice(0, root + 1)
  return below.length < upwards.length ? below : below.slice(0, 1)
}

/** The nearest `.contextfs` of a project around `directory`; the data folder is none. */
export const projectFolder = ({ dataDir, directory, home }: Surroundings): string | undefined => {
  if (directory === undefined) return undefined
  return reachable(real(directory), home === undefined || home === "" ? undefined : real(home))
    .map((at) => path.join(at, ".contextfs"))
    .find((folder) => fs.existsSync(folder) && real(folder) !== real(dataDir))
}

const namesIn = (folder: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}

/** The role files of a data folder or of a project's `.contextfs`, by absolute path and sorted. */
export const roleFiles = (folder: string): ReadonlyArray<string> => {
  const roles = path.join(folder, "roles")
  return namesIn(roles)
    .filter((name) => name.endsWith(".md") && !name.startsWith(".") && name !== "README.md")
    .sort()
    .map((name) => path.join(roles, name))
}

/** Whether there is any role file for someone who stands there. */
export const hasRoleFiles = (around: Surroundings): boolean => {
  const project = projectFolder(around)
  return roleFiles(around.dataDir).length > 0 || (project !== undefined && roleFiles(project).length > 0)
}
