import * as fs from "node:fs"
import { JobReason } from "@contextfs/core/Job"
import { describe, expect, it } from "vitest"
import { table } from "../src/CliError.js"
import { root } from "../src/Commands.js"
import { parse } from "../src/internal/argv.js"
import { commandsOf, reference } from "./reference.js"

/** The words of a line as a shell would take them; quotes of both kinds, no more. */
const words = (line: string): ReadonlyArray<string> =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|([^\s'"]+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? ""
  )

/** Every call of contextfs in a line of shell: to its end, or to what a shell does with the output. */
const calls = (line: string): ReadonlyArray<ReadonlyArray<string>> =>
  line
    .split(/(?:^|\$\(|-- |\| )contextfs /)
    .slice(1)
    .map((rest) => words(rest.split(/ [|>;&]|\)/)[0] ?? ""))

describe("docs/commands.md", () => {
  it("is what the table of commands says: npm run docs writes it", async () => {
    await expect(reference(root)).toMatchFileSnapshot("../../../docs/commands.md")
  })

  it.each(commandsOf(root))("every example of %s is a command line that is accepted", (path, { examples }) => {
    expect(examples.length).toBeGreaterThan(0)
    const found = examples.map(([line]) => {
      const parsed = calls(line).map((call) => parse(root, call))
      expect(
        parsed.map(({ kind }) => kind),
        line
      ).toEqual(parsed.map(() => "command"))
      return parsed.map((one) => (one.kind === "command" ? one.command.name : ""))
    })
    for (const names of found) expect(names).toContain(path.split(" ").at(-1))
  })
})

describe("docs/troubleshooting.md", () => {
  const page = fs.readFileSync(new URL("../../../docs/troubleshooting.md", import.meta.url), "utf8")

  it.each([...new Set(Object.values(table).map((row) => row.class)), "Interrupted", "InternalError"])(
    "says what %s means",
    (name) => {
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "m"))
    }
  )

  it("gives each class the exit code that it has", () => {
    for (const { class: name, code } of Object.values(table)) expect(page).toContain(`| \`${name}\` | ${code} |`)
  })

  it.each(JobReason.literals)("says what %s means", (reason) => {
    expect(page).toMatch(new RegExp(`^\\| \`${reason}\` \\|`, "m"))
  })
})
