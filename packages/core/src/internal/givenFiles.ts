/**
 * What jobs were given and is secret: `<data folder>/runs/<run>/<job>/given.json`, while the job has not ended. The file is
 * there before the journal knows the job, never after it has forgotten it: until the job is stored, an empty file in
 * `<data folder>/given` names it and the process that is about to, so that the next start removes what one that died in
 * between has left, and never what another one is just writing.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { JobId, RunId } from "../Job.js"

export interface Of {
  readonly runId: RunId
  readonly jobId: JobId
}

/** A job that was to be stored, and by whom. */
const Unstored = Schema.Struct({
  runId: RunId,
  jobId: JobId,
  owner: Schema.compose(
    Schema.StringFromBase64Url,
    Schema.parseJson(
      Schema.Struct({
        pid: Schema.Number,
        startTime: Schema.NullOr(Schema.String),
        bootId: Schema.NullOr(Schema.String)
      })
    )
  )
})
export type Unstored = typeof Unstored.Type
const decode = Schema.decodeUnknownOption(Unstored)
const encode = Schema.encodeSync(Unstored)

const markFolder = "given"

export const file = (dataDir: string, { jobId, runId }: Of): string =>
  path.join(dataDir, "runs", runId, jobId, "given.json")

const markOf = (dataDir: string, { jobId, owner, runId }: Unstored): string => {
  const { bootId, pid, startTime } = owner
  const name = encode({ runId, jobId, owner: { pid, startTime, bootId } })
  return path.join(dataDir, markFolder, `${name.runId}.${name.jobId}.${name.owner}`)
}

/** Writes the file of a job that is not stored yet; nothing is left where it throws what the file system says. */
export const write = (dataDir: string, job: Unstored, content: string): void => {
  const folder = PrivateFiles.folder(dataDir, markFolder)
  const mark = path.join(folder, path.basename(markOf(dataDir, job)))
  PrivateFiles.write(mark, "")
  let made = false
  try {
    PrivateFiles.folder(dataDir, "runs", job.runId, job.jobId)
    const descriptor = PrivateFiles.create(file(dataDir, job))
    made = true
    try {
      fs.writeFileSync(descriptor, content)
    } finally {
      fs.closeSync(descriptor)
    }
  } catch (cause) {
    // One that was there before is not ours.
    if (made) withdraw(dataDir, job)
    else removed(mark)
    throw cause
  }
}

const removed = (name: string): void => {
  try {
    fs.rmSync(name, { force: true })
  } catch {
    // It is tried again at the next start.
  }
}

const emptied = (folder: string): void => {
  try {
    fs.rmdirSync(folder)
  } catch {
    // Other files are in it.
  }
}

/** The journal knows the job. */
export const stored = (dataDir: string, job: Unstored): void => removed(markOf(dataDir, job))

/** The journal will not know the job: its file goes, and the folders that were made for it. */
export const withdraw = (dataDir: string, job: Unstored): void => {
  const given = file(dataDir, job)
  removed(given)
  if (fs.existsSync(given)) return
  emptied(path.dirname(given))
  emptied(path.dirname(path.dirname(given)))
  removed(markOf(dataDir, job))
}

/** The job needs it no more. */
export const forget = (dataDir: string, job: Of): Effect.Effect<void> => Effect.sync(() => removed(file(dataDir, job)))

/** The jobs that were to be stored, by processes at work and by those that died before they could say whether they were. */
export const unstored = (dataDir: string): ReadonlyArray<Unstored> => {
  let names: ReadonlyArray<string>
  try {
    names = fs.readdirSync(path.join(dataDir, markFolder))
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const [runId, jobId, owner, ...more] = name.split(".")
    const found = decode({ runId, jobId, owner })
    return found._tag === "Some" && more.length === 0 ? [found.value] : []
  })
}
