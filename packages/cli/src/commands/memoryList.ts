import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Command } from "../Command.js"
import { clean } from "../internal/clean.js"
import * as inRun from "../internal/inRun.js"
import { asSaved, memoryLines } from "../internal/memoryLines.js"
import * as parameters from "../internal/parameters.js"
import * as store from "../internal/store.js"

const limit = parameters.limit("n", 1000, 10)

export const memoryList: Command = {
  name: "list",
  summary: "List memories, newest first",
  parameters: [
    limit,
    parameters.memoryType,
    parameters.project,
    parameters.memory,
    parameters.memoryOptions,
    parameters.json
  ],
  examples: [["contextfs memory list -p myproject --type decision", "What was decided in a project"]],
  run: (given, session) =>
    Effect.gen(function* () {
      const of = given(parameters.memoryType)
      const door = inRun.door(session)
      if (door !== undefined) {
        yield* inRun.sameProject(given(parameters.project), session, "contextfs memory list")
        return yield* inRun.call(door, "contextfs_list", { limit: given(limit), type: of })
      }
      const project = parameters.projectOf(given(parameters.project), session)
      const found = yield* store.read(session, (memory) =>
        memory.list({ project, limit: given(limit) ?? 10, ...(of === undefined ? {} : { types: [of] }) })
      )
      const memories = Option.getOrElse(found, () => [])
      const now = yield* Clock.currentTimeMillis
      const text =
        memories.length === 0
          ? `no memories in project ${clean(project)}\n`
          : memoryLines(memories.map(asSaved), session, now)
      return { text, json: { project, memories } }
    })
}
