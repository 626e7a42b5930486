/** The way of `resume`: services and view, here or in a process of its own. Loaded only by it. */
import * as Live from "@contextfs/core/Live"
import type { ResumeOptions } from "@contextfs/core/Orchestrator"
import * as Effect from "effect/Effect"
import type { Failure } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { modulesOf } from "./modules.js"
import { perform } from "./perform.js"
import { dataDir } from "./store.js"
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
  detach
    ? inBackground(run, options, session)
    : Effect.gen(function* () {
        const live = yield* modulesOf(session, run)
        const { takesOverFrom } = yield* Effect.promise(() => import("./detached.js"))
        const from = takesOverFrom(session)
        return yield* perform(session, { format, live }, (orchestrator, { onEvent }) =>
          orchestrator.resume(run, given({ ...options, from, onEvent }))
        )
      })

const inBackground = (run: string, options: Request["options"], session: Session): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { launch } = yield* Effect.promise(() => import("./detached.js"))
    const pid = yield* launch(session, run, wordsOf(options))
    return { text: `${run} goes on in process ${pid}\n`, json: { runId: run, pid } }
  }).pipe(Effect.provide(Live.layer({ dataDir: dataDir(session), directory: session.cwd, env: session.env })))

/** The options as they are written. */
const wordsOf = ({ decide, runTimeout, wait, workers }: Request["options"]): ReadonlyArray<string> => [
  ...[...(decide ?? [])].flatMap(([job, word]) => ["--decide", `${job}=${word}`]),
  ...(workers === undefined ? [] : ["--workers", `${workers}`]),
  ...(runTimeout === undefined || runTimeout === null ? [] : ["--run-timeout", `${runTimeout / 1_000}`]),
  ...(wait === false ? ["--no-wait"] : [])
]
