/** Size and ends of the files that agents write to. */
import * as fs from "node:fs"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"

/**
 * What stands at a path below an attempt's folder; undefined where nothing does. An agent may have removed any folder
 * above it, or put something else in its place.
 */
export const look = (file: string): fs.Stats | undefined => {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Takes it away where it is there. */
export const remove = (file: string): void => {
  try {
    fs.rmSync(file, { recursive: true, force: true })
  } catch {
    // Then it is not there, or no longer ours to take.
  }
}

/** Bytes of a file; 0 where there is none. */
export const size = (file: string): number => {
  const stat = look(file)
  return stat?.isFile() === true ? stat.size : 0
}

/** Said of output that was read while it was written, and of which less is left. */
export const gone = (file: string, read: number): ReadonlyArray<string> =>
  size(file) >= read
    ? []
    : [`the output of this attempt is gone: ${file} was removed, replaced or emptied while it was written`]

/** The last `bytes` of a file as text; empty where there is none. */
export const tail = (file: string, bytes: number): string => {
  const fd = PrivateFiles.open(file)
  if (fd === undefined) return ""
  try {
    const { size } = fs.fstatSync(fd)
    const buffer = Buffer.alloc(Math.min(bytes, size))
    const read = fs.readSync(fd, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString("utf8", 0, read)
  } finally {
    fs.closeSync(fd)
  }
}

const copy = (from: number, to: number, start: number, length: number): void => {
  const buffer = Buffer.allocUnsafe(256 * 1024)
  for (let done = 0; done < length; ) {
    const read = fs.readSync(from, buffer, 0, Math.min(buffer.length, length - done), start + done)
    if (read === 0) return
    fs.writeSync(to, buffer, 0, read)
    done += read
  }
}

/** Keeps head and tail of a file that is larger than `cap` bytes, and says in between how much is left out. */
export const clip = (file: string, cap: number): void => {
  const from = PrivateFiles.open(file)
  if (from === undefined) return
  try {
    const { size } = fs.fstatSync(from)
    if (size <= cap) return
    const half = Math.floor(cap / 2)
    const clipped = `${file}.clipped`
    fs.rmSync(clipped, { force: true })
    const to = PrivateFiles.create(clipped)
    try {
      copy(from, to, 0, half)
      fs.writeSync(to, `\n[contextfs: ${size - 2 * half} bytes left out]\n`)
      copy(from, to, size - half, half)
    } finally {
      fs.closeSync(to)
    }
    fs.renameSync(clipped, file)
  } finally {
    fs.closeSync(from)
  }
}
