/**
 * A journal that holds no secret. What a job was given and is secret (in its task, its variables, its tool's settings)
 * lies in a file of its own until the job has ended, because a resumed run needs it; the journal keeps placeholders.
 */
import * as fs from "node:fs"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Job, JobSpec, type RunId } from "../Job.js"
import type { JobQueueService, NewJob } from "../JobQueue.js"
import * as attemptFiles from "./attemptFiles.js"
import * as givenFiles from "./givenFiles.js"
import { self } from "./runOwner.js"

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
  Effect.try({ try: run, catch: Sqlite.storageError(file) })

export const make = (journal: JobQueueService, { dataDir, env }: Options): JobQueueService => {
  const common = Redaction.make(env)

  /** The job without secrets; what they were is written to its file first. */
  const hide = <J extends NewJob>(
    job: J,
    unstored: givenFiles.Unstored,
    written: (unstored: givenFiles.Unstored) => void
  ): Effect.Effect<J, StorageError> =>
    Effect.gen(function* () {
      const { spec } = job
      const given = { task: spec.task, env: spec.env, settings: spec.settings }
      const own = { ...spec.settings.env, ...spec.env }
      const redactor = Object.keys(own).length === 0 ? common : Redaction.make(env, own)
      const clean = yield* redactor.value(given)
      if (clean === given) return job
      yield* storage(givenFiles.file(dataDir, unstored), () => {
        givenFiles.write(dataDir, unstored, encode(given))
        written(unstored)
      })
      return { ...job, spec: { ...spec, ...clean } }
    })

  /** Stores jobs without their secrets. Where that fails, or is interrupted before, nothing of these is left. */
  const storing = (
    runId: RunId,
    jobs: ReadonlyArray<NewJob>,
    store: (clean: ReadonlyArray<NewJob>) => Effect.Effect<void, StorageError>
  ): Effect.Effect<void, StorageError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const owner = yield* self
        const written: Array<givenFiles.Unstored> = []
        const hidden = Effect.forEach(jobs, (job) =>
          hide(job, { runId, jobId: job.jobId, owner }, (each) => written.push(each))
        )
        yield* restore(hidden).pipe(
          Effect.flatMap(store),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              for (const each of written)
                (Exit.isSuccess(exit) ? givenFiles.stored : givenFiles.withdraw)(dataDir, each)
            })
          )
        )
      })
    )

  const reveal = <J extends Job>(job: J): Effect.Effect<J, StorageError> =>
    Effect.gen(function* () {
      const { env, settings, task } = job.spec
      if (Redaction.count(JSON.stringify([task, env, settings])) === 0) return job
      const file = givenFiles.file(dataDir, job)
      const text = yield* storage(file, () => read(file))
      // The job has ended, and its secrets are gone.
      if (text === undefined) return job
      const given = yield* decode(text).pipe(
        Effect.mapError(() => new StorageError({ message: `${file}: not what was written`, hint: "run the job anew" }))
      )
      return { ...job, spec: { ...job.spec, ...given } }
    })

  /** Of a job that is over no secret is left: its files are redacted by what it was given, which goes after them. */
  const clear = (job: givenFiles.Of): Effect.Effect<void> =>
    Effect.gen(function* () {
      const raw = attemptFiles.raw(dataDir).filter(({ jobId }) => jobId === job.jobId)
      if (raw.length > 0) {
        const { spec } = yield* Effect.flatMap(journal.job(job.jobId), reveal)
        const redactor = Redaction.make(env, spec.settings.env ?? {}, spec.env)
        for (const attempt of raw) yield* attemptFiles.redact(dataDir, attempt, redactor)
      }
      yield* givenFiles.forget(dataDir, job)
      // What fails stays marked as raw, and is tried again at the next start.
    }).pipe(Effect.ignore)

  return {
    ...journal,
    open: (run, jobs = []) => storing(run.runId, jobs, (clean) => journal.open(run, clean)),
    add: (runId, jobs) => storing(runId, jobs, (clean) => journal.add(runId, clean)),
    claim: (...of) =>
      Effect.flatMap(
        journal.claim(...of),
        Option.match({ onNone: () => Effect.succeedNone, onSome: (job) => Effect.asSome(reveal(job)) })
      ),
    job: (id) => Effect.flatMap(journal.job(id), reveal),
    jobs: (id) => Effect.flatMap(journal.jobs(id), (jobs) => Effect.forEach(jobs, reveal)),
    settle: (result, options) =>
      Effect.tap(journal.settle(result, options), () => (options?.resumable === true ? Effect.void : clear(result)))
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
