/** What both sides of a benchmark do: the configuration of the no-op jobs, and what the journal is told of them. */
import * as RunConfig from "@contextfs/core/RunConfig"
import { command } from "@contextfs/core/tools/command"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"

/** A program that says one word and ends. */
export const noop = { ...command("noop"), command: ["/bin/echo", "done"] }
/** A program that says nothing for an hour. */
export const silent = { ...command("silent"), command: ["/bin/sleep", "3600"] }

const task = "Do nothing, and say so. The words of this task only give it the length that a short task has.\n".repeat(5)

export const config = ({ jobs, workers, containment, memory, directory, tool }) =>
  Effect.gen(function* () {
    const roles = yield* (yield* RoleRegistry.RoleRegistry).list
    return yield* RunConfig.fromInput(
      {
        tool,
        workers,
        containment,
        agents: Array.from({ length: jobs }, () => ({ role: "code", directory, task }))
      },
      { roles, tools: ["noop", "silent"], overrides: { memory } }
    )
  }).pipe(Effect.provide(RoleRegistry.layer))
