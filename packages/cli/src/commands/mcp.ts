import * as Effect from "effect/Effect"
import type { Command } from "../Command.js"
import * as inRun from "../internal/inRun.js"
import * as parameters from "../internal/parameters.js"
import * as store from "../internal/store.js"

export const mcp: Command = {
  name: "mcp",
  summary: "Serve the shared memory to a session of your own, over stdio (MCP)",
  parameters: [parameters.project, parameters.memory, parameters.memoryOptions],
  examples: [["claude mcp add contextfs -- contextfs mcp", "Attach it to your own claude sessions"]],
  details: [
    "Beside the memory it tells of the agents of the project: what they saved, what failed, which roles there are; and it has agents at work for the session, each call a run in the background.",
    "Inside a run it is the agent's own bridge to the run's memory, and opens no database."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      if (inRun.door(session) !== undefined) {
        yield* inRun.sameProject(given(parameters.project), session, "contextfs mcp")
        yield* Effect.promise(() => import("@contextfs/mcp/program/bridge"))
        return yield* Effect.never
      }
      const project = parameters.projectOf(given(parameters.project), session)
      const identity = yield* store.identity(session, project)
      const { serve } = yield* Effect.promise(() => import("../internal/sessionServer.js"))
      yield* serve(session, identity)
      return { text: "", json: null }
    })
}
