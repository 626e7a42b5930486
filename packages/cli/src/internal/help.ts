/** Help, from the table of commands. */
import { type Command, type Group, isGroup, type Parameter } from "../Command.js"
import { globalOptions } from "./argv.js"
import { type Style, table, wrap } from "./layout.js"

interface Options {
  readonly style: Style
  /** Lines are broken at this width. */
  readonly columns: number
}

export const usageOf = (path: string, command: Pick<Command, "parameters">): string =>
  [
    path,
    ...command.parameters.flatMap(({ kind, many, name, required }) =>
      kind !== "argument" ? [] : [`${required ? name : `[${name}]`}${many ? "..." : ""}`]
    ),
    "[OPTIONS]"
  ].join(" ")

const optionRow = (
  option: Pick<Parameter<unknown>, "name" | "short" | "help" | "default"> & { readonly value?: string }
): Row => [
  `  ${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${option.value ? ` ${option.value}` : ""}`,
  `${option.help}${option.default === undefined ? "" : ` [default: ${option.default}]`}`
]

type Row = readonly [string, string]

/** A title and its rows, whose second part is broken into lines under itself. */
const section = (title: string, rows: ReadonlyArray<Row>, { columns, style }: Options): ReadonlyArray<string> => {
  if (rows.length === 0) return []
  const room = columns - Math.max(...rows.map(([first]) => first.length)) - 2
  const broken = rows.flatMap(([first, second]) =>
    wrap(second, room).map((line, index) => [index === 0 ? first : "", line])
  )
  return ["", style.bold(title), ...table(broken)]
}

/** Of the last of the nodes, which are the words that lead to it. */
export const help = (nodes: ReadonlyArray<Group | Command>, options: Options): string => {
  const node = nodes.at(-1)
  if (node === undefined) return ""
  const path = nodes.map(({ name }) => name).join(" ")
  const lines = isGroup(node) ? ofGroup(path, node, options) : ofCommand(path, node, options)
  return `${lines.join("\n")}\n`
}

const ofCommand = (path: string, command: Command, options: Options): ReadonlyArray<string> => [
  command.summary,
  "",
  `${options.style.bold("Usage")}  ${usageOf(path, command)}`,
  ...section(
    "Arguments",
    command.parameters.filter(({ kind }) => kind === "argument").map(({ help, name }): Row => [`  ${name}`, help]),
    options
  ),
  ...section(
    "Options",
    [...command.parameters.filter(({ kind }) => kind !== "argument"), ...globalOptions].map(optionRow),
    options
  ),
  ...(command.details ?? []).flatMap((paragraph) => ["", ...wrap(paragraph, options.columns)]),
  "",
  options.style.bold("Examples"),
  ...command.examples.flatMap(([line, what]) => [options.style.dim(`  # ${what}`), `  ${line}`])
]

const rowsOf = (prefix: string, { commands }: Pick<Group, "commands">): ReadonlyArray<Row> =>
  commands.map(({ name, summary }) => [`  ${prefix}${name}`, summary])

const ofGroup = (path: string, group: Group, options: Options): ReadonlyArray<string> => {
  const groups = group.commands.filter(isGroup)
  const single = group.commands.filter((node) => !isGroup(node))
  return [
    `${path}: ${group.summary}`,
    "",
    `${options.style.bold("Usage")}  ${path} COMMAND`,
    ...groups.flatMap((below) => section(`${below.name}: ${below.summary}`, rowsOf(`${below.name} `, below), options)),
    ...section(groups.length === 0 ? "Commands" : "other", rowsOf("", { commands: single }), options),
    ...section("Options", globalOptions.map(optionRow), options),
    "",
    `${path} COMMAND --help says more of each.`
  ]
}
