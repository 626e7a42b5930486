/**
 * A command that an agent runs in its shell is the agent's: with a run's token in the environment it goes through the
 * run's memory server and opens no database.
 */
import * as Effect from "effect/Effect"
import { type Failure, UsageError } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { cleanLines } from "./clean.js"

interface Door {
  readonly socket: string
  readonly token: string
}

export const door = (session: Session): Door | undefined => {
  const socket = session.env["CONTEXTFS_SOCKET"] ?? ""
  const token = session.env["CONTEXTFS_TOKEN"] ?? ""
  return socket === "" || token === "" ? undefined : { socket, token }
}

/** Calls a memory tool as the agent. Parameters that are undefined are left out. */
export const call = (
  { socket, token }: Door,
  name: string,
  parameters: Readonly<Record<string, unknown>>
): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { callTool } = yield* Effect.promise(() => import("@contextfs/mcp/Bridge"))
    const args = Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined))
    const { structured, text } = yield* callTool({ socket, token, name, args })
    return { text: `${cleanLines(text)}\n`, json: structured }
  })

/** An agent's project and memory are its run's. */
export const sameProject = (
  given: string | undefined,
  session: Session,
  where: string
): Effect.Effect<void, UsageError> => {
  const refuse = (option: string, message: string) =>
    new UsageError({ message: `${option}: ${message}`, where, hint: `leave ${option} out` })
  if (session.memory !== undefined) return refuse("--memory", "inside a run the memory is the run's")
  return given === undefined || given === session.env["CONTEXTFS_PROJECT"]
    ? Effect.void
    : refuse("--project", "inside a run the memory is the run's project")
}
