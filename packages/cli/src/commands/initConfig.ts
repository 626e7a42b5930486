import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { Conflict, FileError } from "../CliError.js"
import { type Command, flag, option, text } from "../Command.js"
import { clean } from "../internal/clean.js"
import * as parameters from "../internal/parameters.js"
import { shellWord } from "../internal/runSummary.js"

const output = option({
  name: "output",
  short: "o",
  value: "FILE",
  help: "File to write",
  default: "agents.json",
  completes: "file",
  read: text
})
const force = flag({ name: "force", help: "Replace the file if it is there" })

export const initConfig: Command = {
  name: "init-config",
  summary: "Write a first agents.json to edit",
  parameters: [output, force, parameters.json],
  examples: [
    ["contextfs orchestrator init-config", "Write agents.json here"],
    ["contextfs orchestrator init-config -o ci/agents.json", "Write it elsewhere"]
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { template } = yield* Effect.promise(() => import("@contextfs/core/RunConfig"))
      const named = given(output) ?? "agents.json"
      const file = path.resolve(session.cwd, named)
      yield* Effect.try({
        try: () => fs.writeFileSync(file, template, { flag: given(force) ? "w" : "wx" }),
        catch: (cause) => {
          const code = cause instanceof Error && "code" in cause ? cause.code : undefined
          return code === "EEXIST"
            ? new Conflict({
                message: `${named} is there already`,
                hint: "give --force to replace it, or -o another file"
              })
            : new FileError({
                message: `${named} cannot be written: ${code === "ENOENT" ? "its folder does not exist" : code}`,
                hint: "check the folder and its permissions"
              })
        }
      })
      const next = `contextfs orchestrator run ${shellWord(named)}`
      return {
        text: `wrote ${clean(named)}\nedit its tasks, rehearse with ${next} --tool mock, then run it: ${next}\n`,
        json: { file }
      }
    })
}
