/**
 * A journal that holds no secret. What a job was given and is secret (in its task, its variables, its tool's settings)
 * lies in a file of its own until the job has ended, because a resumed run needs it; the journal keeps placeholders.
 */
import * as fs from "node:fs"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Job, type JobId, JobSpec, type RunId } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import * as attemptFiles from "./attemptFiles.js"

export interface Options {
  readonly dataDir: string
  /** The user's environment. */
  readonly env: Redaction.Environment
}

const Given = Schema.parseJson(
  Schema.Struct({ task: JobSpec.fields.task, env: JobSpec.fields.env, settings: JobSpec.fields.settings })
)
const decode = Schema.decodeUnknown(Given)
const encode = Schema.encodeSync(Given)

const storage = <A>(file: string, run: () => A): Effect.Effect<A, StorageError> =>
  Effect.try({
    try: run,
    catch: (cause) =>
      cause instanceof StorageError
        ? cause
        : new StorageError({ message: `${file}: ${cause instanceof Error ? cause.message : cause}` })
  })

export const make = (journal: JobQueueService, { dataDir, env }: Options): JobQueueService => {
  const common = Redaction.make(env)

  /** The specification without secrets; what they were is written to the job's file first. */
  const hide = (runId: RunId, jobId: JobId, spec: JobSpec): Effect.Effect<JobSpec, StorageError> =>
    Effect.gen(function* () {
      const given = { task: spec.task, env: spec.env, settings: spec.settings }
      const own = { ...spec.settings.env, ...spec.env }
      const redactor = Object.keys(own).length === 0 ? common : Redaction.make(env, own)
      const clean = yield* redactor.value(given)
      if (clean === given) return spec
      const file = attemptFiles.givenFile(dataDir, { runId, jobId })
      yield* storage(file, () => {
        PrivateFiles.folder(dataDir, "runs", runId, jobId)
        PrivateFiles.write(file, encode(given))
      })
      return { ...spec, ...clean }
    })

  const reveal = <J extends Job>(job: J): Effect.Effect<J, StorageError> =>
    Effect.gen(function* () {
      const { env, settings, task } = job.spec
      if (Redaction.count(JSON.stringify([task, env, settings])) === 0) return job
      const file = attemptFiles.givenFile(dataDir, job)
      const text = yield* storage(file, () => read(file))
      // The job has ended, and its secrets are gone.
      if (text === undefined) return job
      const given = yield* decode(text).pipe(
        Effect.mapError(() => new StorageError({ message: `${file}: not what was written`, hint: "run the job anew" }))
      )
      return { ...job, spec: { ...job.spec, ...given } }
    })

  return {
    ...journal,
    add: (runId, jobs) =>
      Effect.forEach(jobs, (job) => Effect.map(hide(runId, job.jobId, job.spec), (spec) => ({ ...job, spec }))).pipe(
        Effect.flatMap((clean) => journal.add(runId, clean))
      ),
    claim: (...of) =>
      Effect.flatMap(
        journal.claim(...of),
        Option.match({ onNone: () => Effect.succeedNone, onSome: (job) => Effect.asSome(reveal(job)) })
      ),
    job: (id) => Effect.flatMap(journal.job(id), reveal),
    jobs: (id) => Effect.flatMap(journal.jobs(id), (jobs) => Effect.forEach(jobs, reveal)),
    settle: (result, options) =>
      Effect.tap(journal.settle(result, options), () =>
        // Where files are still raw, they are redacted by what the job was given, which goes after them.
        options?.resumable === true || attemptFiles.isRaw(dataDir, result)
          ? Effect.void
          : attemptFiles.forget(dataDir, result)
      )
  }
}

const read = (file: string): string | undefined => {
  const descriptor = PrivateFiles.open(file)
  if (descriptor === undefined) return undefined
  try {
    return fs.readFileSync(descriptor, "utf8")
  } finally {
    fs.closeSync(descriptor)
  }
}
