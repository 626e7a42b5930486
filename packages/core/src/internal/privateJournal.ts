/**
 * A journal that holds no secret. What a job was given and is secret (in its task, its variables, its tool's settings)
 * lies in a file of its own until the job has ended, because a resumed run needs it; the journal keeps placeholders.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type JobId, JobSpec, type RunId } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"

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
  const fileOf = (runId: RunId, jobId: JobId) => path.join(dataDir, "runs", runId, jobId, "given.json")

  /** The specification without secrets; what they were is written to the job's file first. */
  const hide = (runId: RunId, jobId: JobId, spec: JobSpec): Effect.Effect<JobSpec, StorageError> =>
    Effect.gen(function* () {
      const given = { task: spec.task, env: spec.env, settings: spec.settings }
      const own = { ...spec.settings.env, ...spec.env }
      const redactor = Object.keys(own).length === 0 ? common : Redaction.make(env, own)
      const clean = yield* redactor.value(given)
      if (clean === given) return spec
      yield* storage(fileOf(runId, jobId), () => {
        PrivateFiles.folder(dataDir, "runs", runId, jobId)
        PrivateFiles.write(fileOf(runId, jobId), encode(given))
      })
      return { ...spec, ...clean }
    })

  const reveal = (runId: RunId, jobId: JobId, spec: JobSpec): Effect.Effect<JobSpec, StorageError> =>
    Effect.gen(function* () {
      const file = fileOf(runId, jobId)
      const text = yield* storage(file, () => {
        const descriptor = PrivateFiles.open(file)
        if (descriptor === undefined) return undefined
        try {
          return fs.readFileSync(descriptor, "utf8")
        } finally {
          fs.closeSync(descriptor)
        }
      })
      if (text === undefined) return spec
      const given = yield* decode(text).pipe(
        Effect.mapError(() => new StorageError({ message: `${file}: not what was written`, hint: "run the job anew" }))
      )
      return { ...spec, ...given }
    })

  return {
    ...journal,
    add: (runId, jobs) =>
      Effect.forEach(jobs, ({ jobId, spec }) => Effect.map(hide(runId, jobId, spec), (spec) => ({ jobId, spec }))).pipe(
        Effect.flatMap((clean) => journal.add(runId, clean))
      ),
    claim: (...of) =>
      Effect.flatMap(
        journal.claim(...of),
        Option.match({
          onNone: () => Effect.succeedNone,
          onSome: (job) => Effect.map(reveal(job.runId, job.jobId, job.spec), (spec) => Option.some({ ...job, spec }))
        })
      ),
    settle: (result, ...rest) =>
      Effect.zipLeft(
        journal.settle(result, ...rest),
        // The outcome is stored; a file that stays is removed by nobody, but is still readable by its owner alone.
        Effect.ignore(Effect.try(() => fs.rmSync(fileOf(result.runId, result.jobId), { force: true })))
      )
  }
}
