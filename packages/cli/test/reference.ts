/** docs/commands.md, from the table of commands. */
import { exitCodes, signalCodes } from "../src/CliError.js"
import { type Command, type Group, isGroup, type Parameter } from "../src/Command.js"
import { globalOptions } from "../src/internal/argv.js"
import { usageOf } from "../src/internal/help.js"

/** Every command, with the words that lead to it. */
export const commandsOf = (group: Group, path = group.name): ReadonlyArray<readonly [path: string, Command]> =>
  group.commands.flatMap((node) => {
    const below = `${path} ${node.name}`
    return isGroup(node) ? commandsOf(node, below) : [[below, node] as const]
  })

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  completed: "done; of a run: all agents completed",
  failed: "some agents did not complete, or what was asked did not work",
  usage: "the words given are no command line, or name no role or tool that there is",
  config: "something is wrong in the configuration",
  notFound: "a file, directory, memory, run or job that was named is not there",
  storage: "a file or database could not be read or written",
  unavailable: "a tool is not installed, or this machine cannot run it",
  waiting:
    "only work is left that waits, for a usage limit to reset or for room on this machine, and it is not waited for any longer",
  runTimeout: "the time for the whole run was over",
  refused: "refused for safety",
  conflict: "something is in the way, and was left alone",
  internal: "a bug of ContextFS: run again with `--debug` and report it"
}

const exits = [
  ...Object.entries(exitCodes).map(([name, code]) => [code, meanings[name as keyof typeof exitCodes]] as const),
  ...Object.entries(signalCodes).map(([signal, code]) => [code, `ended by ${signal}`] as const)
]

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : ["", ...[head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`)]

const optionRow = (
  option: Pick<Parameter<unknown>, "name" | "short" | "help" | "default" | "choices"> & { readonly value?: string }
): ReadonlyArray<string> => [
  `\`${option.short === undefined ? "" : `-${option.short}, `}--${option.name}${option.value ? ` ${option.value}` : ""}\``,
  option.choices === undefined
    ? option.help
    : `${option.help}: ${option.choices.map((word) => `\`${word}\``).join(" ")}`,
  option.default === undefined ? "" : `\`${option.default}\``
]

const ofCommand = (path: string, { details, examples, parameters, summary }: Command): ReadonlyArray<string> => [
  "",
  `## ${path}`,
  "",
  `${summary}.`,
  "",
  "```",
  usageOf(path, { parameters }),
  "```",
  ...table(
    ["Argument", "What it is"],
    parameters
      .filter(({ kind }) => kind === "argument")
      .map(({ help, name, required }) => [`\`${name}\``, required ? help : `${help} (may be left out)`])
  ),
  ...table(["Option", "What it does", "Default"], parameters.filter(({ kind }) => kind !== "argument").map(optionRow)),
  ...(details ?? []).flatMap((paragraph) => ["", cell(paragraph)]),
  "",
  "```bash not run: a test has every example read by the command line's own checker",
  ...examples.flatMap(([line, what], index) => [...(index === 0 ? [] : [""]), `# ${what}`, line]),
  "```"
]

const anchor = (path: string): string => path.replaceAll(" ", "-")

/** The whole page. */
export const reference = (root: Group): string =>
  `${[
    "# Commands",
    "",
    "Written by `npm run docs` from the table of commands; `contextfs COMMAND --help` says the same.",
    ...table(
      ["Command", "What it does"],
      commandsOf(root).map(([path, { summary }]) => [`[\`${path}\`](#${anchor(path)})`, summary])
    ),
    "",
    "Options may stand before or after arguments, as `--name value`, `--name=value`, `-n value` or `-nvalue`. What follows",
    "`--` is an argument, whatever it begins with. Every command also has:",
    ...table(["Option", "What it does", "Default"], globalOptions.map(optionRow)),
    ...commandsOf(root).flatMap(([path, command]) => ofCommand(path, command)),
    "",
    "## Exit codes",
    ...table(
      ["Code", "What it means"],
      exits.map(([code, meaning]) => [`${code}`, meaning])
    ),
    "",
    "An error is one line on stderr, `error[Class]: what – where – what to do`; with `--json` it is one document on stdout,",
    "and nothing else. [Troubleshooting](troubleshooting.md) goes through the classes."
  ].join("\n")}\n`
