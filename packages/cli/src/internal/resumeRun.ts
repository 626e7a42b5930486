/** The way of `resume`: services and view, here or in a process of its own. Loaded only by it. */
import * as Live from "@contextfs/core/Live"
import { checkDecisions, type ResumeOptions } from "@contextfs/core/Orchestrator"
import { NotFound as JobNotFound } from "@contextfs/core/OrchestratorError"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, NotFound } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { modulesOf } from "./modules.js"
import { perform } from "./perform.js"
import { dataDir, readJournal } from "./store.js"
import type { Format } from "./views.js"

type Loose = { readonly [Key in keyof ResumeOptions]: ResumeOptions[Key] | undefined }

interface Request {
  readonly run: string
  /** What is absent stays as the run was begun. */
  readonly options: Omit<Loose, "from" | "onEvent">
  readonly detach: boolean
  readonly format: Format
}

const given = (options: Loose): ResumeOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

export const resumeRun = (
  { detach, format, options, run }: Request,
  session: Session
): Effect.Effect<Answer, Failure> =>
  (detach
    ? inBackground(run, options, session)
    : Effect.gen(function* () {
        const live = yield* modulesOf(session, run)
        const { takesOverFrom } = yield* Effect.promise(() => import("./detached.js"))
        const from = takesOverFrom(session)
        return yield* perform(session, { format, live }, (orchestrator, { onEvent }) =>
          orchestrator.resume(run, given({ ...options, from, onEvent }))
        )
      })
  ).pipe(Effect.catchIf(isNotFound, (failure) => Effect.flatMap(explained(run, failure, session), Effect.fail)))

const isNotFound = (failure: Failure): failure is JobNotFound => failure._tag === "NotFound" && "what" in failure

/** Of a job it is said which run to resume. */
const explained = (
  run: string,
  { message, what }: JobNotFound,
  session: Session
): Effect.Effect<NotFound, StorageError> =>
  Effect.gen(function* () {
    if (what === "job") {
      return new NotFound({
        message: `${message} in run ${run}`,
        hint: `contextfs orchestrator status ${run} lists its jobs and agents`
      })
    }
    const found = yield* readJournal(session, (journal) =>
      Effect.catchTag(Effect.asSome(journal.job(run)), "NotFound", () => Effect.succeedNone)
    )
    return Option.match(Option.flatten(found), {
      onNone: () => new NotFound({ message, hint: "contextfs orchestrator status --all lists the runs there are" }),
      onSome: ({ jobId, runId }) =>
        new NotFound({
          message: `${jobId} is a job of run ${runId}, and it is runs that are resumed`,
          hint: `contextfs orchestrator resume ${runId}`
        })
    })
  })

const inBackground = (run: string, options: Request["options"], session: Session): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { launch } = yield* Effect.promise(() => import("./detached.js"))
    // Told here, where somebody reads it.
    const known = yield* readJournal(session, (journal) =>
      Effect.zipRight(checkDecisions(journal, run, options.decide ?? new Map()), journal.jobs(run))
    )
    if (Option.isNone(known)) return yield* new JobNotFound({ what: "run", id: run })
    const around = { dataDir: dataDir(session), directory: session.cwd, env: session.env }
    const pid = yield* Effect.provide(launch(session, run, wordsOf(options)), Live.layer(around))
    const jobs = known.value.map(({ jobId, spec }) => ({ jobId, agentId: spec.agentId }))
    return { text: `${run} goes on in process ${pid}\n`, json: { id: run, runId: run, jobs, pid } }
  })

/** The options as they are written. */
const wordsOf = ({ decide, runTimeout, wait, workers }: Request["options"]): ReadonlyArray<string> => [
  ...[...(decide ?? [])].flatMap(([job, word]) => ["--decide", `${job}=${word}`]),
  ...(workers === undefined ? [] : ["--workers", `${workers}`]),
  ...(runTimeout === undefined || runTimeout === null ? [] : ["--run-timeout", `${runTimeout / 1_000}`]),
  ...(wait === false ? ["--no-wait"] : [])
]
