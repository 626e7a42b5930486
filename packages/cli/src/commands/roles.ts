import * as Effect from "effect/Effect"
import { UsageError } from "../CliError.js"
import { type Command, optionalArgument } from "../Command.js"
import { cleanLines } from "../internal/clean.js"
import { closest } from "../internal/didYouMean.js"
import { style, table } from "../internal/layout.js"
import * as parameters from "../internal/parameters.js"
import { rolesText } from "../internal/rolesText.js"

const name = optionalArgument({ name: "NAME", help: "Role to show in full", completes: "role" })

export const roles: Command = {
  name: "roles",
  summary: "List the roles an agent can have, or show one",
  parameters: [name, parameters.json],
  examples: [
    ["contextfs orchestrator roles", "List them"],
    ["contextfs orchestrator roles review", "What a reviewer may do, searches and saves, and its prompt"]
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { layer, RoleRegistry } = yield* Effect.promise(() => import("@contextfs/roles/RoleRegistry"))
      const registry = yield* Effect.provide(RoleRegistry, layer)
      const wanted = given(name)
      const list = yield* registry.list
      if (wanted === undefined) {
        const text = rolesText(list)
        return { text, json: list }
      }
      const role = yield* registry.get(wanted).pipe(
        Effect.mapError(({ known, message }) => {
          const near = closest(wanted, known)
          return new UsageError({
            message,
            where: "contextfs orchestrator roles",
            hint: near === undefined ? "choose one of them" : `did you mean ${near}?`
          })
        })
      )
      const facts = [
        ["permission", role.permission],
        ...(role.tool === undefined ? [] : [["tool", role.tool]]),
        ...(role.model === undefined ? [] : [["model", role.model]]),
        ...role.searches.map((what) => ["searches", what]),
        ...role.saves.map(({ what, type }) => ["saves", `${what} as ${type}`]),
        ...role.links.map((what) => ["links", what]),
        ["outcome", `saved as ${role.outcome}`]
      ]
      const { bold } = style(session.stdout.colour)
      const text = `${bold(role.name)} - ${role.description}\n\n${table(facts).join("\n")}\n\n${cleanLines(role.prompt)}\n`
      return { text, json: role }
    })
}
