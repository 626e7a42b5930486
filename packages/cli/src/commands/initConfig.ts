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
const force = flag({ name: "force", help: "Replace the files if they are there" })
const schema = flag({ name: "schema", help: "Print the JSON Schema of a configuration; write nothing" })

/** Beside the configuration, so that an editor finds it offline, here and in every clone. */
const schemaFile = ".contextfs/agents.schema.json"

export const initConfig: Command = {
  name: "init-config",
  summary: "Write a first agents.json to edit",
  parameters: [output, force, schema, parameters.json],
  examples: [
    ["contextfs orchestrator init-config", "Write agents.json here"],
    ["contextfs orchestrator init-config -o ci/agents.yaml", "Write it elsewhere, in YAML"]
  ],
  details: [
    `Its JSON Schema is written to ${schemaFile} beside it, so that an editor completes and checks it without a network.`
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const RunConfig = yield* Effect.promise(() => import("@contextfs/core/RunConfig"))
      if (given(schema)) return { text: RunConfig.jsonSchemaText(), json: RunConfig.jsonSchema() }
      const named = given(output) ?? "agents.json"
      const file = path.resolve(session.cwd, named)
      const schemaPath = path.join(path.dirname(file), schemaFile)
      const flag = given(force) ? "w" : "wx"
      const format = RunConfig.isYaml(named) ? "yaml" : "json"
      yield* write(file, named, () => fs.writeFileSync(file, RunConfig.template(format, `./${schemaFile}`), { flag }))
      yield* write(schemaPath, schemaFile, () => {
        if (fs.existsSync(schemaPath) && !given(force)) return
        // In the home folder this is the data folder, which is nobody else's business.
        fs.mkdirSync(path.dirname(schemaPath), { recursive: true, mode: 0o700 })
        fs.writeFileSync(schemaPath, RunConfig.jsonSchemaText())
      }).pipe(Effect.tapError(() => Effect.sync(() => fs.rmSync(file))))
      const next = `contextfs orchestrator run ${shellWord(clean(named))}`
      return {
        text: `wrote ${clean(named)}\nedit its tasks, rehearse with ${next} --tool mock, then run it: ${next}\n`,
        json: { file, schema: schemaPath }
      }
    })
}

const reasons: Readonly<Record<string, readonly [string, string]>> = {
  EISDIR: ["it is a folder", "name a file in it: -o agents.json"],
  ENOENT: ["its folder does not exist", "make the folder first, or name another place with -o"],
  ENOTDIR: ["its folder is a file", "name another place with -o"],
  EACCES: ["you may not write there", "name another place with -o"],
  EPERM: ["you may not write there", "name another place with -o"],
  EROFS: ["nothing can be written there", "name another place with -o"],
  ENOSPC: ["the disk is full", "free some space"]
}

const isFolder = (file: string): boolean => fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true

const write = (file: string, name: string, put: () => void): Effect.Effect<void, Conflict | FileError> =>
  Effect.try({
    try: put,
    catch: (cause) => {
      const given = cause instanceof Error && "code" in cause ? `${cause.code}` : `${cause}`
      // What is there already may be a folder; of the schema it is a file in the place of its folder.
      const code = given !== "EEXIST" ? given : name === schemaFile ? "ENOTDIR" : isFolder(file) ? "EISDIR" : given
      if (code === "EEXIST") {
        return new Conflict({
          message: `${name} is there already`,
          hint: "give --force to replace it, or -o another file"
        })
      }
      const [reason, hint] = reasons[code] ?? [code, "check the folder and its permissions"]
      return new FileError({ message: `${name} cannot be written: ${reason}`, hint })
    }
  })
