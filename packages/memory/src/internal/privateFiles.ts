import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { StorageError } from "../MemoryError.js"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

const refuse = (folder: string, what: string, hint: string) => new StorageError({ message: `${folder}: ${what}`, hint })
const elsewhere = "set CONTEXTFS_DATA_DIR to a folder of your own"

/** Level by level, because under some umasks one could not be entered before its mode is set. */
export const makeFolder = (folder: string): void => {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    if (codeOf(cause) === "EEXIST") return
    const above = path.dirname(folder)
    // What is there and takes no folder, such as /proc, never will.
    if (codeOf(cause) !== "ENOENT" || fs.lstatSync(above, { throwIfNoEntry: false }) !== undefined) throw cause
    makeFolder(above)
    makeFolder(folder)
    return
  }
  fs.chmodSync(folder, 0o700)
}

const codeOf = (cause: unknown): unknown => (cause instanceof Error && "code" in cause ? cause.code : undefined)

const judge = (folder: string, stat: fs.Stats): void => {
  if (!stat.isDirectory()) throw refuse(folder, "this is no folder", elsewhere)
  if (process.getuid !== undefined && stat.uid !== process.getuid()) {
    throw refuse(folder, "this folder belongs to another user; nothing was written", elsewhere)
  }
  if ((stat.mode & 0o1000) !== 0) throw refuse(folder, "this folder is everybody's; nothing was written", elsewhere)
}

const narrow = (folder: string, stat: fs.Stats): void => {
  judge(folder, stat)
  if ((stat.mode & 0o077) !== 0) fs.chmodSync(folder, stat.mode & 0o700)
}

const unusable =
  (folder: string, what: string) =>
  (cause: unknown): StorageError =>
    cause instanceof StorageError
      ? cause
      : refuse(
          folder,
          `the data folder cannot be ${what}: ${cause instanceof Error ? cause.message : cause}`,
          "check its permissions, or set CONTEXTFS_DATA_DIR to another folder"
        )

export const dataFolder = (folder: string): Effect.Effect<void, StorageError> =>
  Effect.try({
    try: () => {
      makeFolder(folder)
      narrow(folder, fs.statSync(folder))
    },
    catch: unusable(folder, "made")
  })

const lowestThatIs = (folder: string): string =>
  fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined ? lowestThatIs(path.dirname(folder)) : folder

export const tryDataFolder = (folder: string): Effect.Effect<fs.Stats | undefined, StorageError> =>
  Effect.suspend(() => {
    let stat: fs.Stats | undefined
    return Effect.try({
      try: () => {
        stat = fs.statSync(folder, { throwIfNoEntry: false })
        if (stat !== undefined) judge(folder, stat)
        // Only making one tells: permissions say nothing of a disk that is full or read-only, or of /proc.
        fs.rmdirSync(fs.mkdtempSync(path.join(stat === undefined ? lowestThatIs(folder) : folder, ".contextfs-")))
        return stat
      },
      catch: (cause) => unusable(folder, stat === undefined ? "made" : "written")(cause)
    })
  })

export const holds = (folder: string, name: string): Effect.Effect<boolean, StorageError> =>
  Effect.try({
    try: () => {
      const stat = fs.statSync(folder, { throwIfNoEntry: false })
      if (stat?.isDirectory() === false) throw refuse(folder, "this is no folder", elsewhere)
      return stat !== undefined && fs.statSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined
    },
    catch: unusable(folder, "read")
  })

export const folder = (root: string, ...names: ReadonlyArray<string>): string =>
  names.reduce((above, name) => {
    if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
      throw refuse(above, `${JSON.stringify(name)} is no name of a folder in here`, "give an id as it was told")
    }
    const at = path.join(above, name)
    makeFolder(at)
    const stat = fs.lstatSync(at)
    if (stat.isSymbolicLink()) throw refuse(at, "a link stands where a folder of ours belongs", "remove the link")
    narrow(at, stat)
    return at
  }, root)

export const temporaryFolder = (prefix: string): string => {
  const made = fs.mkdtempSync(prefix)
  fs.chmodSync(made, 0o700)
  return made
}

export const create = (file: string): number => {
  const descriptor = fs.openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  fs.fchmodSync(descriptor, 0o600)
  return descriptor
}

export const write = (file: string, content: string | Uint8Array): void => {
  const descriptor = create(file)
  try {
    fs.writeFileSync(descriptor, content)
  } finally {
    fs.closeSync(descriptor)
  }
}

export const open = (file: string): number | undefined => {
  let descriptor: number
  try {
    // Without O_NONBLOCK a FIFO would hold us until somebody writes.
    descriptor = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (cause) {
    if (["ENOENT", "ELOOP", "ENXIO", "ENOTDIR"].includes(`${codeOf(cause)}`)) return undefined
    throw cause
  }
  if (fs.fstatSync(descriptor).isFile()) return descriptor
  fs.closeSync(descriptor)
  return undefined
}
