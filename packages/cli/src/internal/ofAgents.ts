/** What the agents of a project have saved, newest first: from the change feed, not by search. */
import type { MemoryType } from "@contextfs/memory/Memory"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Failure } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import { closest } from "./didYouMean.js"
import { memoryLines } from "./memoryLines.js"
import { named, type Scope, unknownRun } from "./scope.js"
import * as store from "./store.js"

interface Query {
  readonly limit: number
  /** Default: every role. */
  readonly role?: string | undefined
  readonly types?: ReadonlyArray<MemoryType>
}

/** `none`: what is said where there is nothing. */
export const ofAgents = (
  session: Session,
  scope: Scope,
  { limit, role, types }: Query,
  none: string
): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const found = yield* store.read(session, (memory) =>
      memory.events({
        ...scope,
        ...(role === undefined ? {} : { role }),
        ...(types === undefined ? {} : { types }),
        agents: true,
        kinds: ["created", "merged", "evolved"],
        current: true,
        newestFirst: true,
        limit
      })
    )
    const events = Option.getOrElse(found, () => [])
    if (events.length === 0) {
      if (scope.runId !== undefined) yield* expectRun(session, scope.runId)
      if (role !== undefined) yield* doubt(session, role)
    }
    const lines = events.map(({ at, by, memory }) => ({ at, memory, who: by.role ?? by.sourceTool }))
    return {
      text:
        events.length === 0
          ? `${none} ${clean(named(scope))}\n`
          : memoryLines(lines, session, yield* Clock.currentTimeMillis),
      json: {
        ...scope,
        // Whoever saved it first is its author; the view is about who saved it last.
        memories: events.map(({ at, by, memory }) => ({ ...memory, savedAt: at, savedBy: by }))
      }
    }
  })

/** A run that saved nothing is none that is not there. */
const expectRun = (session: Session, runId: string): Effect.Effect<void, Failure> =>
  store
    .readJournal(session, (journal) => journal.run(runId))
    .pipe(
      Effect.flatten,
      Effect.asVoid,
      Effect.catchTag("NoSuchElementException", () => Effect.fail(unknownRun(runId))),
      Effect.catchTag("NotFound", () => Effect.fail(unknownRun(runId)))
    )

/** Nothing is said by a role of which nobody knows: perhaps another one was meant. */
const doubt = (session: Session, role: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const RoleRegistry = yield* Effect.promise(() => import("@contextfs/roles/RoleRegistry"))
    const around = { dataDir: store.dataDir(session), directory: session.cwd, home: session.env["HOME"] }
    const known = (yield* Effect.flatMap(RoleRegistry.loadFiles(around), ({ list }) => list)).map(({ name }) => name)
    if (known.includes(role)) return
    const meant = closest(role, known)
    const hint = meant === undefined ? "contextfs orchestrator roles lists them" : `did you mean ${clean(meant)}?`
    session.note(`no role ${JSON.stringify(clean(role))} is known – ${hint}`)
  }).pipe(Effect.ignore)
