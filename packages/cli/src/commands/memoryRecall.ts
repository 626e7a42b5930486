import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { NotFound } from "../CliError.js"
import { argument, type Command } from "../Command.js"
import { show } from "../internal/argv.js"
import * as inRun from "../internal/inRun.js"
import { memoryText } from "../internal/memoryLines.js"
import * as parameters from "../internal/parameters.js"
import * as store from "../internal/store.js"

const id = argument({ name: "ID", help: "Id of the memory, or its first 6 characters or more" })

const project: typeof parameters.project = { ...parameters.project, default: "every project" }

export const memoryRecall: Command = {
  name: "recall",
  summary: "Show a memory in full",
  parameters: [id, project, parameters.memory, parameters.memoryOptions, parameters.json],
  examples: [["contextfs memory recall 3f9a1c", "By the first characters of its id"]],
  run: (given, session) =>
    Effect.gen(function* () {
      const door = inRun.door(session)
      if (door !== undefined) {
        yield* inRun.sameProject(given(project), session, "contextfs memory recall")
        return yield* inRun.call(door, "contextfs_recall", { id: given(id) })
      }
      const wanted = given(project)
      const scope = wanted === undefined ? {} : { project: wanted }
      const found = yield* store.read(session, (memory) => memory.get(given(id), scope))
      const memory = yield* Option.match(found, {
        onNone: () =>
          Effect.fail(
            new NotFound({ message: `no memory ${show(given(id))}`, hint: "there are no memories at all yet" })
          ),
        onSome: Effect.succeed
      })
      return { text: memoryText(memory, session), json: memory }
    })
}
