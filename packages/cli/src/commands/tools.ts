import * as Effect from "effect/Effect"
import type { Command } from "../Command.js"
import { clean } from "../internal/clean.js"
import { style, table } from "../internal/layout.js"
import * as parameters from "../internal/parameters.js"

export const tools: Command = {
  name: "tools",
  summary: "List the agent programs, whether they are installed, and what each can honour",
  parameters: [parameters.json],
  examples: [["contextfs orchestrator tools", "List them"]],
  details: [
    "A permission, model or session that a tool cannot honour is refused before anything starts. Limits of turns, system prompts and output schemas are given to the program itself, by tools.NAME.args in the configuration."
  ],
  run: (_, session) =>
    Effect.gen(function* () {
      const Tools = yield* Effect.promise(() => import("@contextfs/core/Tools"))
      const list = [...Tools.builtIn.values()].map((adapter) => {
        const found = Tools.locate(adapter, session.env["PATH"] ?? "", session.cwd)
        const { permissions, memory, resume, model, cost, turnLimit, systemPrompt, outputSchema } = adapter.capabilities
        return {
          name: adapter.name,
          description: adapter.description,
          builtIn: adapter.command !== undefined,
          program: "file" in found ? found.file : null,
          missing: "missing" in found ? found.missing : null,
          permissions,
          can: {
            memory,
            model,
            resume,
            cost,
            turnLimit: turnLimit === true,
            systemPrompt: systemPrompt === true,
            outputSchema: outputSchema === true
          }
        }
      })
      const { bold, dim } = style(session.stdout.colour)
      const blocks = list.map(({ name, description, builtIn, program, missing, permissions, can }) => {
        const words = Object.entries(can)
          .filter(([, yes]) => yes)
          .map(([what]) => named[what] ?? what)
        const facts = [
          ["program", builtIn ? "comes with contextfs" : (program ?? `not found: ${missing}`)].map((cell) =>
            clean(cell)
          ),
          ["permission", permissions.join(", ")],
          ["honours", words.join(", ")]
        ]
        return [
          `${bold(name)} - ${description}`,
          ...table(facts).map((line) => `  ${program === null ? dim(line) : line}`)
        ]
      })
      return { text: `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`, json: list }
    })
}

const named: Readonly<Record<string, string>> = {
  turnLimit: "turn limit",
  systemPrompt: "system prompt",
  outputSchema: "output schema"
}
