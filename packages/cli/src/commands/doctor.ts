import * as Effect from "effect/Effect"
import { exitCodes } from "../CliError.js"
import type { Command } from "../Command.js"
import { clean } from "../internal/clean.js"
import type { Finding, Section } from "../internal/doctor.js"
import { plural } from "../internal/format.js"
import { pad, type Style, style, width } from "../internal/layout.js"
import * as parameters from "../internal/parameters.js"

export const doctor: Command = {
  name: "doctor",
  summary: "Look whether everything is there that agents need",
  parameters: [parameters.project, parameters.json],
  examples: [
    ["contextfs doctor", "Where the data is, which programs can be used, and what to do about the rest"],
    ["contextfs doctor --json | jq .findings", "In a script"]
  ],
  details: [
    "Starts no agent and leaves nothing behind but what every command does at its first use: its own compiled code, in contextfs below XDG_CACHE_HOME or ~/.cache. The databases are read whole; each agent program is asked for its --version. Of secrets it shows the names of variables, never values.",
    "Exit code 0: runs can be made. 3: a file is wrong. 5: the data cannot be stored. 6: no agent can be started."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const { examine } = yield* Effect.promise(() => import("../internal/doctor.js"))
      const sections = yield* examine(given(parameters.project), session)
      const findings = sections.flatMap((section) => section.findings)
      const codes = findings.flatMap(({ exitCode }) => exitCode ?? [])
      const exitCode = order.find((code) => codes.includes(code)) ?? exitCodes.completed
      return {
        text: show(sections, style(session.stdout.colour)),
        json: { ok: exitCode === exitCodes.completed, exitCode, findings },
        exitCode
      }
    })
}

/** Of several problems the one that comes first. */
const order: ReadonlyArray<number> = [exitCodes.storage, exitCodes.unavailable, exitCodes.config]

const marks = { ok: "✓", warn: "!", problem: "✗", none: "–" } as const

const show = (sections: ReadonlyArray<Section>, look: Style): string => {
  const findings = sections.flatMap((section) => section.findings)
  const column = Math.max(...findings.map(({ check }) => width(check)))
  const colour = { ok: look.green, warn: look.yellow, problem: look.red, none: look.dim }
  const line = ({ check, hint, state, text }: Finding): ReadonlyArray<string> => [
    `  ${colour[state](marks[state])} ${pad(check, column)}  ${state === "none" ? look.dim(clean(text)) : clean(text)}`,
    ...(hint === undefined ? [] : [look.dim(`    ${pad("", column)}  ${clean(hint)}`)])
  ]
  const problems = findings.filter(({ state }) => state === "problem").length
  const warnings = findings.filter(({ state }) => state === "warn").length
  const last =
    problems > 0
      ? look.red(plural(problems, "problem"))
      : `${look.green("ready")}${warnings === 0 ? "" : ` · ${plural(warnings, "warning")}`}`
  const blocks = sections.map(({ findings: of, title }) => [look.bold(title), ...of.flatMap(line)].join("\n"))
  return `${[...blocks, last].join("\n\n")}\n`
}
