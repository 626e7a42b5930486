import { memoryTypes } from "@contextfs/memory/vocabulary"
import * as Effect from "effect/Effect"
import { argument, type Command, choice, list, option, text } from "../Command.js"
import { clean } from "../internal/clean.js"
import * as inRun from "../internal/inRun.js"
import * as parameters from "../internal/parameters.js"
import * as store from "../internal/store.js"

const content = argument({ name: "TEXT", help: "What is to be remembered, in quotes; at most 64 KiB" })
const type = choice({ name: "type", value: "TYPE", help: "What it is", default: "fact", choices: memoryTypes })
const tags = list({ name: "tags", value: "A,B", help: "Words to find it by" })
const summary = option({ name: "summary", value: "TEXT", help: "One line that stands for it in lists", read: text })

export const memorySave: Command = {
  name: "save",
  summary: "Save a memory",
  parameters: [
    content,
    type,
    tags,
    summary,
    parameters.project,
    parameters.memory,
    parameters.memoryOptions,
    parameters.json
  ],
  examples: [
    ['contextfs memory save "We use argon2id" --type decision --tags auth,security', "For every agent of the project"]
  ],
  details: [`Types: ${memoryTypes.join(" ")}`],
  run: (given, session) =>
    Effect.gen(function* () {
      const input = {
        content: given(content),
        tags: given(tags),
        type: given(type) ?? ("fact" as const),
        summary: given(summary)
      }
      const door = inRun.door(session)
      if (door !== undefined) {
        yield* inRun.sameProject(given(parameters.project), session, "contextfs memory save")
        return yield* inRun.call(door, "contextfs_save", input)
      }
      const project = parameters.projectOf(given(parameters.project), session)
      const by = yield* store.identity(session, project)
      const { summary: line, ...rest } = input
      const saved = yield* store.write(session, (memory) =>
        memory.save({ ...rest, ...(line === undefined ? {} : { summary: line }) }, by)
      )
      const { id } = saved.memory
      const text =
        saved.outcome === "created"
          ? `saved ${id} as ${saved.memory.type} in project ${clean(project)}\n`
          : `already there as ${id}: tags are ${saved.memory.tags.map((text) => clean(text)).join(", ") || "none"}${
              saved.kept === undefined ? "" : `; its summary stays "${clean(saved.memory.summary ?? "")}"`
            }\n`
      return { text, json: saved }
    })
}
