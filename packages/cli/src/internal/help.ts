/** Help, from the table of commands. */
import { type Command, type Group, isGroup, type Parameter } from "../Command.js"
import { globalOptions } from "./argv.js"
import { type Style, table } from "./layout.js"

const usageOf = (path: string, command: Command): string =>
  [
    path,
    ...command.parameters.flatMap(({ kind, name, required }) =>
      kind !== "argument" ? [] : [required ? name : `[${name}]`]
    ),
    "[OPTIONS]"
  ].join(" ")

const optionRow = (
  option: Pick<Parameter<unknown>, "name" | "short" | "help" | "default"> & { readonly value?: string }
) => [
  `  ${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${option.value ? ` ${option.value}` : ""}`,
  `${option.help}${option.default === undefined ? "" : ` [default: ${option.default}]`}`
]

const section = (title: string, rows: ReadonlyArray<ReadonlyArray<string>>, style: Style): ReadonlyArray<string> =>
  rows.length === 0 ? [] : ["", style.bold(title), ...table(rows)]

/** Of the last of the nodes, which are the words that lead to it. */
export const help = (nodes: ReadonlyArray<Group | Command>, style: Style): string => {
  const node = nodes.at(-1)
  if (node === undefined) return ""
  const path = nodes.map(({ name }) => name).join(" ")
  const lines = isGroup(node) ? ofGroup(path, node, style) : ofCommand(path, node, style)
  return `${lines.join("\n")}\n`
}

const ofCommand = (path: string, command: Command, style: Style): ReadonlyArray<string> => [
  command.summary,
  "",
  `${style.bold("Usage")}  ${usageOf(path, command)}`,
  ...section(
    "Arguments",
    command.parameters.filter(({ kind }) => kind === "argument").map(({ help, name }) => [`  ${name}`, help]),
    style
  ),
  ...section(
    "Options",
    [...command.parameters.filter(({ kind }) => kind !== "argument"), ...globalOptions].map(optionRow),
    style
  ),
  ...(command.details === undefined ? [] : ["", command.details]),
  ...section(
    "Examples",
    command.examples.flatMap(([line, what]) => [[`  # ${what}`], [`  ${line}`]]),
    style
  )
]

const rowsOf = (prefix: string, { commands }: Group): ReadonlyArray<ReadonlyArray<string>> =>
  commands.map(({ name, summary }) => [`  ${prefix}${name}`, summary])

const ofGroup = (path: string, group: Group, style: Style): ReadonlyArray<string> => {
  const groups = group.commands.filter(isGroup)
  const single = group.commands.filter((node) => !isGroup(node))
  return [
    `${path}: ${group.summary}`,
    "",
    `${style.bold("Usage")}  ${path} COMMAND`,
    ...groups.flatMap((below) => section(`${below.name}: ${below.summary}`, rowsOf(`${below.name} `, below), style)),
    ...section(groups.length === 0 ? "Commands" : "other", rowsOf("", { ...group, commands: single }), style),
    ...section("Options", globalOptions.map(optionRow), style),
    "",
    `${path} COMMAND --help says more of each.`
  ]
}
