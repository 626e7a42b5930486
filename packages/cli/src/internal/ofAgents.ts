/** What the agents of a project have saved, newest first: from the change feed, not by search. */
import type { MemoryType } from "@contextfs/memory/Memory"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Failure } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import { memoryLines } from "./memoryLines.js"
import { named, type Scope } from "./scope.js"
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
