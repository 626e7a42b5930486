/** Size and ends of the files that agents write to. */
import * as fs from "node:fs"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"

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

const read = (fd: number, start: number, length: number, encoding: "latin1" | "utf8"): string => {
  const buffer = Buffer.alloc(length)
  return buffer.toString(encoding, 0, fs.readSync(fd, buffer, 0, length, start))
}

/** The last `bytes` of a file as text, as it is; empty where there is none. */
export const last = (file: string, bytes: number): string => {
  const fd = PrivateFiles.open(file)
  if (fd === undefined) return ""
  try {
    const { size } = fs.fstatSync(fd)
    const length = Math.min(bytes, size)
    return read(fd, size - length, length, "utf8")
  } finally {
    fs.closeSync(fd)
  }
}

/** The same without secrets, also where one lies across its beginning. */
export const tail = (file: string, bytes: number, redactor: Redaction.Redactor): string =>
  redactor.text(last(file, bytes + Redaction.longestSecret)).slice(-bytes)

const copy = (from: number, to: number, start: number, end: number): void => {
  const buffer = Buffer.allocUnsafe(256 * 1024)
  for (let at = start; at < end; ) {
    const read = fs.readSync(from, buffer, 0, Math.min(buffer.length, end - at), at)
    if (read === 0) return
    fs.writeSync(to, buffer, 0, read)
    at += read
  }
}

/**
 * Keeps head and tail of a file that is larger than `cap` bytes, and says in between how much is left out. The file is
 * still raw; of a secret that lies across a cut nothing is kept, because its parts would be known to nobody.
 */
export const clip = (file: string, cap: number, redactor: Redaction.Redactor): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => PrivateFiles.open(file)),
    (from) =>
      Effect.gen(function* () {
        if (from === undefined) return
        const { size } = fs.fstatSync(from)
        if (size <= cap) return
        const half = Math.floor(cap / 2)
        const margin = Redaction.longestSecret
        /** What lies around a place, and the same without secrets. */
        const around = (place: number) =>
          Effect.gen(function* () {
            const begin = Math.max(0, place - margin)
            const end = Math.min(size, place + margin)
            const raw = read(from, begin, end - begin, "latin1")
            const safe = yield* redactor.part(raw)
            return { begin, end, safe: safe === raw ? undefined : safe }
          })
        const head = yield* around(half)
        const rest = yield* around(size - half)
        const clipped = `${file}.clipped`
        fs.rmSync(clipped, { force: true })
        const to = PrivateFiles.create(clipped)
        try {
          copy(from, to, 0, head.safe === undefined ? half : head.begin)
          if (head.safe !== undefined) fs.writeSync(to, head.safe.slice(0, -margin), null, "latin1")
          fs.writeSync(to, `\n[contextfs: ${size - 2 * half} bytes left out]\n`)
          if (rest.safe !== undefined) fs.writeSync(to, rest.safe.slice(margin), null, "latin1")
          copy(from, to, rest.safe === undefined ? size - half : rest.end, size)
        } finally {
          fs.closeSync(to)
        }
        fs.renameSync(clipped, file)
      }),
    (from) => Effect.sync(() => from === undefined || fs.closeSync(from))
  )
