/** The modules with which a run was begun, for whoever goes on with it or looks at it. */
import * as path from "node:path"
import type * as Live from "@contextfs/core/Live"
import { memoryModuleOf } from "@contextfs/core/Orchestrator"
import * as ToolModule from "@contextfs/core/ToolModule"
import * as MemoryModule from "@contextfs/memory/MemoryModule"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, UsageError } from "../CliError.js"
import type { Session } from "../Session.js"
import { chosen, readJournal } from "./store.js"

/** What the user names goes over what the run was begun with. */
export const modulesOf = (session: Session, runId: string): Effect.Effect<Partial<Live.Options>, Failure> =>
  Effect.gen(function* () {
    const found = yield* readJournal(session, (journal) =>
      Effect.all({ run: journal.run(runId), jobs: journal.jobs(runId) })
    )
    if (Option.isNone(found)) return {}
    const { jobs, run } = found.value
    // Those of agents that its agents may ask for, too.
    const files = new Set(
      jobs
        .flatMap(({ spec: { settings, tools } }) => [settings, ...Object.values(tools)])
        .flatMap(({ adapter }) => (adapter !== undefined && path.isAbsolute(adapter) ? [adapter] : []))
    )
    const adapters = yield* Effect.forEach(files, (file) =>
      ToolModule.load(file, "/").pipe(
        Effect.map(({ adapter }) => [file, adapter] as const),
        Effect.mapError(({ hint, message }) => new UsageError({ message, where: `run ${runId}`, hint }))
      )
    )
    const begunWith = memoryModuleOf(run)
    const memory =
      (yield* chosen(session)) ??
      (begunWith === undefined
        ? undefined
        : yield* MemoryModule.load(begunWith).pipe(
            Effect.mapError(({ hint, message }) => new UsageError({ message, where: `run ${runId}`, hint }))
          ))
    return { adapters: new Map(adapters), ...(memory === undefined ? {} : { memory }) }
  })
