/** What the agents of a project have saved, newest first: by who saved it, not by search. */
import type { MemoryType } from "@contextfs/memory/Memory"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Failure } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import { memoryLines } from "./memoryLines.js"
import * as store from "./store.js"

interface Query {
  readonly project: string
  readonly limit: number
  /** Default: every role. */
  readonly role?: string | undefined
  readonly types?: ReadonlyArray<MemoryType>
}

/** `none`: what is said where there is nothing. */
export const ofAgents = (session: Session, query: Query, none: string): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { role, ...filter } = query
    const found = yield* store.read(session, (memory) =>
      memory.list({ ...filter, agents: true, ...(role === undefined ? {} : { role }) })
    )
    const memories = Option.getOrElse(found, () => [])
    return {
      text: memories.length === 0 ? `${none} in project ${clean(query.project)}\n` : memoryLines(memories, session),
      json: { project: query.project, memories }
    }
  })
