import type { KnownRole } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.js"
import { type Command, optionalArgument } from "../Command.js"
import { show } from "../internal/argv.js"
import { clean, cleanLines } from "../internal/clean.js"
import { closest } from "../internal/didYouMean.js"
import { style, table } from "../internal/layout.js"
import * as parameters from "../internal/parameters.js"
import { originText } from "../internal/roleOrigin.js"
import { rolesText } from "../internal/rolesText.js"
import { dataDir } from "../internal/store.js"

const where = "contextfs orchestrator roles"
const name = optionalArgument({ name: "NAME", help: "Role to show in full", completes: "role" })

export const roles: Command = {
  name: "roles",
  summary: "List the roles an agent can have, or show one",
  parameters: [name, parameters.project, parameters.json],
  examples: [
    ["contextfs orchestrator roles", "List them"],
    ["contextfs orchestrator roles review", "What a reviewer may do, and the whole prompt it gets"]
  ],
  details: [
    "Roles of your own: roles/NAME.md in the data folder, .contextfs/roles/NAME.md in a project. Front matter between two lines --- with description and, where you like, name, permission (default read), tool, model, searches, saves (such as test failures as error), links, outcome; below it the prompt.",
    "A role in the data folder may take the name of one that is built in. One that came with a project may do that, have more than permission read, or name a tool or model only after contextfs trust FILE."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { loadFiles } = yield* Effect.promise(() => import("@contextfs/roles/RoleRegistry"))
      const registry = yield* loadFiles({
        dataDir: dataDir(session),
        directory: session.cwd,
        home: session.env["HOME"]
      })
      const look = style(session.stdout.colour)
      const wanted = given(name)
      const list = yield* registry.list
      if (wanted === undefined) {
        const note = ({ origin }: KnownRole) =>
          origin.kind === "builtIn" ? "" : look.dim(`  (${originText(origin, session)})`)
        const shown = list.map((role) => ({ ...role, description: clean(role.description) }))
        return { text: rolesText(shown, note), json: list }
      }
      const role = yield* registry.get(wanted).pipe(
        Effect.mapError(({ known }) => {
          const near = closest(wanted, known)
          return new UsageError({
            message: `unknown role ${show(wanted)}`,
            where,
            hint: near === undefined ? `one of ${known.join(", ")}` : `did you mean ${near}?`
          })
        })
      )
      const { jobPrompt } = yield* Effect.promise(() => import("@contextfs/roles/Prompt"))
      const prompt = jobPrompt({
        role,
        task: "<the task of the job>",
        project: parameters.projectOf(given(parameters.project), session),
        recalled: "<what the memory holds on the task>",
        memory: "mcp"
      })
      const facts = [
        ["from", originText(role.origin, session)],
        ["permission", role.permission],
        ...(role.tool === undefined ? [] : [["tool", role.tool]]),
        ...(role.model === undefined ? [] : [["model", role.model]]),
        ...role.searches.map((what) => ["searches", what]),
        ...role.saves.map(({ what, type }) => ["saves", `${what} as ${type}`]),
        ...role.links.map((what) => ["links", what]),
        ["outcome", `saved as ${role.outcome}`]
      ].map((row) => row.map((cell) => clean(cell)))
      const title = `${look.bold(role.name)} - ${clean(role.description)}`
      const text = `${title}\n\n${table(facts).join("\n")}\n\n${look.dim("the prompt of an agent in this role:")}\n\n${cleanLines(prompt)}\n`
      return { text, json: { ...role, jobPrompt: prompt } }
    })
}
