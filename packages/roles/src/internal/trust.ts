import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** Name of the store in the data folder. */
export const fileName = "trust.json"

/** Locked while the store is changed; it holds nothing. */
const lockName = "trust.lock"

export const TrustedFile = Schema.Struct({
  /** The real path. */
  file: Schema.String,
  /** Hex. */
  sha256: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
  /** ISO 8601. */
  since: Schema.String
})
export type TrustedFile = typeof TrustedFile.Type

/** A regular file as it was read, by which it can be trusted. */
export interface Content {
  /** The real path. */
  readonly file: string
  readonly bytes: Uint8Array
  readonly sha256: string
}

const maxStoreBytes = 4 * 1024 * 1024

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? `${cause.code}` : cause instanceof Error ? cause.message : `${cause}`

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it cannot be read",
  ELOOP: "its links lead nowhere"
}

export const readFile = (name: string, maxBytes: number): Either.Either<Content, string> => {
  try {
    const file = fs.realpathSync(name)
    // Opening a pipe would wait for its other end.
    const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW)
    try {
      const stat = fs.fstatSync(descriptor)
      if (!stat.isFile()) return Either.left("it is no regular file")
      if (stat.size > maxBytes) return Either.left(`it is larger than ${maxBytes / 1024} KiB`)
      const bytes = fs.readFileSync(descriptor)
      return Either.right({ file, bytes, sha256: createHash("sha256").update(bytes).digest("hex") })
    } finally {
      fs.closeSync(descriptor)
    }
  } catch (cause) {
    const code = codeOf(cause)
    return Either.left(reasons[code] ?? code)
  }
}

const decode = Schema.decodeUnknownEither(Schema.parseJson(Schema.Struct({ files: Schema.Array(TrustedFile) })))

/** Undefined where nothing is there; else why it cannot be told. */
const statOf = (file: string): fs.Stats | string | undefined => {
  try {
    return fs.statSync(file)
  } catch (cause) {
    const code = codeOf(cause)
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : code
  }
}

export const list = (dataDir: string): Effect.Effect<ReadonlyArray<TrustedFile>, StorageError> =>
  Effect.suspend(() => {
    const store = path.join(dataDir, fileName)
    const fail = (what: string, hint: string) => new StorageError({ message: `${store} ${what}`, hint })
    const stat = statOf(store)
    if (stat === undefined) return Effect.succeed([])
    if (typeof stat === "string")
      return fail(`cannot be looked at: ${stat}`, "check the data folder and its permissions")
    const owner = process.getuid?.() ?? stat.uid
    if ((stat.mode & 0o022) !== 0 || (stat.uid !== owner && stat.uid !== 0)) {
      return fail("can be written by others, so what it says cannot be relied on", "look at it, then chmod 600 it")
    }
    const content = readFile(store, maxStoreBytes)
    if (Either.isLeft(content)) return fail(`cannot be used: ${content.left}`, "check the data folder")
    const decoded = decode(Buffer.from(content.right.bytes).toString("utf8"))
    return Either.isLeft(decoded)
      ? fail("is no list of trusted files", "correct it, or delete it and trust your files again")
      : Effect.succeed(decoded.right.files)
  })

/** By rename, so that the store is always whole. */
const write = (dataDir: string, files: ReadonlyArray<TrustedFile>): Effect.Effect<void, StorageError> =>
  Effect.try({
    try: () => {
      PrivateFiles.makeFolder(dataDir)
      const store = path.join(dataDir, fileName)
      const draft = `${store}.${process.pid}`
      fs.rmSync(draft, { force: true })
      const descriptor = fs.openSync(draft, "wx", 0o600)
      try {
        fs.writeFileSync(descriptor, `${JSON.stringify({ files }, null, 2)}\n`)
        fs.fsyncSync(descriptor)
      } finally {
        fs.closeSync(descriptor)
      }
      fs.renameSync(draft, store)
    },
    catch: (cause) =>
      new StorageError({
        message: `${path.join(dataDir, fileName)} cannot be written: ${codeOf(cause)}`,
        hint: "check the data folder and its permissions"
      })
  })

/** One change at a time, whoever makes them. The lock is SQLite's: a process that dies leaves none behind. */
export const change = (
  dataDir: string,
  next: (before: ReadonlyArray<TrustedFile>) => ReadonlyArray<TrustedFile>
): Effect.Effect<void, StorageError> =>
  Effect.gen(function* () {
    const Sqlite = yield* Effect.promise(() => import("@contextfs/memory/Sqlite"))
    const lock = path.join(dataDir, lockName)
    const { writeTransaction } = yield* Sqlite.make({ path: lock, migrations: [] })
    yield* writeTransaction(Effect.flatMap(list(dataDir), (before) => write(dataDir, next(before)))).pipe(
      Effect.catchTag("SqlError", (error) => Effect.fail(Sqlite.storageError(lock)(error)))
    )
  }).pipe(Effect.scoped)
