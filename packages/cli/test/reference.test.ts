import { describe, expect, it } from "vitest"
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
