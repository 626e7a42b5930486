/**
 * The files of attempts: `<data folder>/runs/<run>/<job>/<attempt>`. They are raw while an agent writes them, and
 * replaced by their redacted form once the outcome is stored. Until then a mark in `<data folder>/raw` names them, so
 * that the next start finishes what a crash has left.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import type { Redactor } from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Job, JobId, RunId } from "../Job.js"

/** One attempt of a job. */
const Attempt = Schema.Struct({ runId: RunId, jobId: JobId, attempt: Schema.Int.pipe(Schema.positive()) })
export type Attempt = typeof Attempt.Type

const decode = Schema.decodeUnknownOption(Attempt)

const rawFolder = "raw"
/** Given to the program, and of no use after it. */
const inputs: ReadonlySet<string> = new Set(["job.sh", "prompt"])
/** Half a file, left by a crash. */
const isHalf = (name: string): boolean => name.endsWith(".redacted") || name.endsWith(".clipped")

export const of = ({ attempts, jobId, runId }: Pick<Job, "attempts" | "jobId" | "runId">): Attempt => ({
  runId,
  jobId,
  attempt: attempts
})

export const folderOf = (dataDir: string, { attempt, jobId, runId }: Attempt): string =>
  path.join(dataDir, "runs", runId, jobId, `${attempt}`)

const markOf = (dataDir: string, { attempt, jobId, runId }: Attempt): string =>
  path.join(dataDir, rawFolder, `${runId}.${jobId}.${attempt}`)

/** Whether the files of the job's current attempt are still raw. */
export const isRaw = (dataDir: string, job: Pick<Job, "attempts" | "jobId" | "runId">): boolean =>
  fs.existsSync(markOf(dataDir, of(job)))

/** Makes the folder of an attempt that begins, marked as raw. Throws what the file system says. */
export const make = (dataDir: string, attempt: Attempt): string => {
  PrivateFiles.folder(dataDir, rawFolder)
  PrivateFiles.write(markOf(dataDir, attempt), "")
  return PrivateFiles.folder(dataDir, "runs", attempt.runId, attempt.jobId, `${attempt.attempt}`)
}

/**
 * Removes what the attempt was given, replaces each of its files by its redacted form, and narrows what the agent may have
 * opened to others. May be done again, and goes on
 * where another left off; what could not be redacted stays marked.
 */
export const redact = (dataDir: string, attempt: Attempt, redactor: Redactor): Effect.Effect<void, Error> =>
  Effect.gen(function* () {
    const folder = folderOf(dataDir, attempt)
    const entries = yield* attemptTo(() =>
      fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true }) : []
    )
    for (const entry of entries) {
      const file = path.join(folder, entry.name)
      // Folders are views of the user's own settings, made for the program; links are nothing of ours.
      if (!entry.isFile() || inputs.has(entry.name) || isHalf(entry.name)) {
        yield* attemptTo(() => fs.rmSync(file, { recursive: true, force: true }))
      } else {
        yield* attemptTo(() => narrow(file))
        yield* redactor.file(file)
      }
    }
    if (entries.length > 0) {
      const { attempt: number, jobId, runId } = attempt
      yield* Effect.ignore(attemptTo(() => PrivateFiles.folder(dataDir, "runs", runId, jobId, `${number}`)))
    }
    yield* attemptTo(() => fs.rmSync(markOf(dataDir, attempt), { force: true }))
  })

const narrow = (file: string): void => {
  const descriptor = PrivateFiles.open(file)
  if (descriptor === undefined) return
  try {
    // One with another name may be the user's own.
    if (fs.fstatSync(descriptor).nlink === 1) fs.fchmodSync(descriptor, 0o600)
  } finally {
    fs.closeSync(descriptor)
  }
}

const attemptTo = <A>(run: () => A): Effect.Effect<A, Error> =>
  Effect.try({ try: run, catch: (cause) => (cause instanceof Error ? cause : new Error(`${cause}`)) })

/** The attempts whose files are still raw: those at work, and those that a crash has left. */
export const raw = (dataDir: string): ReadonlyArray<Attempt> => {
  let names: ReadonlyArray<string>
  try {
    names = fs.readdirSync(path.join(dataDir, rawFolder))
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const [runId, jobId, attempt, ...more] = name.split(".")
    const found = decode({ runId, jobId, attempt: Number(attempt) })
    return found._tag === "Some" && more.length === 0 ? [found.value] : []
  })
}
