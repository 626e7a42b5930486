import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { argument, type Command } from "../Command.js"
import { clean } from "../internal/clean.js"
import * as inRun from "../internal/inRun.js"
import { asSaved, memoryLines } from "../internal/memoryLines.js"
import * as parameters from "../internal/parameters.js"
import * as store from "../internal/store.js"

const query = argument({ name: "QUERY", help: "Any words, in quotes" })
const limit = parameters.limit("n", 100, 5)

export const memorySearch: Command = {
  name: "search",
  summary: "Find memories, best first",
  parameters: [
    query,
    limit,
    parameters.memoryType,
    parameters.project,
    parameters.memory,
    parameters.memoryOptions,
    parameters.json
  ],
  examples: [
    ['contextfs memory search "password hashing"', "In the default project"],
    ['contextfs memory search "auth" -p myproject --type decision -n 10', "Decisions of a project"]
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const of = given(parameters.memoryType)
      const door = inRun.door(session)
      if (door !== undefined) {
        yield* inRun.sameProject(given(parameters.project), session, "contextfs memory search")
        return yield* inRun.call(door, "contextfs_search", { query: given(query), limit: given(limit), type: of })
      }
      const project = parameters.projectOf(given(parameters.project), session)
      const found = yield* store.read(session, (memory) =>
        memory.search({
          query: given(query),
          project,
          limit: given(limit) ?? 5,
          ...(of === undefined ? {} : { types: [of] })
        })
      )
      const hits = Option.getOrElse(found, () => [])
      const now = yield* Clock.currentTimeMillis
      const text =
        hits.length === 0
          ? `nothing fits in project ${clean(project)}\n`
          : memoryLines(
              hits.map(({ memory }) => asSaved(memory)),
              session,
              now
            )
      return { text, json: { project, hits } }
    })
}
