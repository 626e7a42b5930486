/**
 * The checker in front of the parser: pure, from the table of commands. Every wrong word is refused by its own name, and
 * what passes is in the one form that the parser never misreads.
 */
import * as Either from "effect/Either"
import { UsageError } from "../CliError.js"
import { type Command, type Group, isGroup, type Parameter } from "../Command.js"
import { closest } from "./didYouMean.js"

/** What holds for every command. */
export interface Globals {
  readonly json: boolean
  readonly debug: boolean
}

export type Parsed =
  | { readonly kind: "version" }
  | { readonly kind: "help"; readonly nodes: ReadonlyArray<Group | Command> }
  | { readonly kind: "wrong"; readonly error: UsageError; readonly globals: Globals }
  | {
      readonly kind: "command"
      readonly command: Command
      /** The group it is in; undefined for one of the root's own. */
      readonly group: string | undefined
      readonly argv: ReadonlyArray<string>
      readonly globals: Globals
    }

/** Options that every command has. */
export const globalOptions: ReadonlyArray<{ readonly name: string; readonly short?: string; readonly help: string }> = [
  { name: "help", short: "h", help: "Show this help" },
  { name: "version", help: "Print the version" },
  { name: "debug", help: "With an error, also print its stack" }
]

/** A word as it is shown in a message. */
export const show = (word: string): string => {
  const text = JSON.stringify(word)
  return text.length > 80 ? `${text.slice(0, 78)}…"` : text
}

class Wrong extends Error {
  constructor(
    message: string,
    readonly where: string,
    readonly hint: string
  ) {
    super(message)
  }
}

const pathOf = (nodes: ReadonlyArray<Group | Command>): string => nodes.map((node) => node.name).join(" ")

export const isOption = (word: string): boolean => word.length > 1 && word.startsWith("-")

export const globalOf = (word: string) =>
  globalOptions.find(({ name, short }) => word === `--${name}` || word === `-${short}`)

/** Understands the words after the program's name. */
export const parse = (root: Group, words: ReadonlyArray<string>): Parsed => {
  const end = words.indexOf("--")
  const beforeEnd = end === -1 ? words : words.slice(0, end)
  const globals = { json: beforeEnd.some((word) => /^--jsonl?$/.test(word)), debug: beforeEnd.includes("--debug") }
  const asked = new Set<string>()
  const nodes: Array<Group | Command> = [root]
  try {
    const { command, rest } = find(root, words, nodes, asked)
    const given = command === undefined ? undefined : read(command, rest, pathOf(nodes), asked)
    if (asked.has("version")) return { kind: "version" }
    if (asked.has("help") || (command === undefined && nodes.length === 1)) return { kind: "help", nodes }
    if (command === undefined || given === undefined) {
      const below = nodes.at(-1)
      const names = below !== undefined && isGroup(below) ? below.commands.map(({ name }) => name) : []
      throw new Wrong("a command is missing", pathOf(nodes), `one of ${names.join(", ")}`)
    }
    const path = nodes.slice(1).map(({ name }) => name)
    const argv = [...path, ...normalise(given)]
    return { kind: "command", command, group: path.at(-2), argv, globals }
  } catch (cause) {
    // A question for help or the version is answered even where something else is wrong.
    if (!(cause instanceof Wrong)) throw cause
    for (const word of beforeEnd) asked.add(globalOf(word)?.name ?? "")
    if (asked.has("version")) return { kind: "version" }
    if (asked.has("help")) return { kind: "help", nodes }
    const { hint, message, where } = cause
    return { kind: "wrong", error: new UsageError({ message, where, hint }), globals }
  }
}

/** Follows the words of the command; only options that every command has may stand between them. */
const find = (
  root: Group,
  words: ReadonlyArray<string>,
  nodes: Array<Group | Command>,
  asked: Set<string>
): { readonly command: Command | undefined; readonly rest: ReadonlyArray<string> } => {
  let group = root
  for (const [index, word] of words.entries()) {
    const global = globalOf(word)
    if (global !== undefined) {
      asked.add(global.name)
      continue
    }
    const where = pathOf(nodes)
    if (isOption(word)) {
      const name = word.split("=")[0] ?? word
      if (takenSomewhere(root, name)) {
        throw new Wrong(`option ${show(name)} stands before the command`, where, "put it after the command's words")
      }
      throw new Wrong(`unknown option ${show(name)}`, where, hintFor(name, globalOptions, where))
    }
    const next = group.commands.find(({ name }) => name === word)
    if (next === undefined) {
      const names = group.commands.map(({ name }) => name)
      const near = closest(word, names)
      throw new Wrong(
        `unknown command ${show(word)}`,
        where,
        near === undefined ? `one of ${names.join(", ")}` : `did you mean ${near}?`
      )
    }
    nodes.push(next)
    if (!isGroup(next)) return { command: next, rest: words.slice(index + 1) }
    group = next
  }
  return { command: undefined, rest: [] }
}

const takenSomewhere = (node: Group | Command, word: string): boolean =>
  isGroup(node)
    ? node.commands.some((below) => takenSomewhere(below, word))
    : node.parameters.some((parameter) => matches(parameter, word))

export const matches = (parameter: Parameter<unknown>, word: string): boolean =>
  parameter.kind !== "argument" && (word === `--${parameter.name}` || word === `-${parameter.short}`)

const hintFor = (word: string, known: ReadonlyArray<{ readonly name: string }>, where: string): string => {
  const near = closest(
    word,
    known.map(({ name }) => `--${name}`)
  )
  if (near !== undefined) return `did you mean ${near}?`
  return word.startsWith("--") ? `see ${where} --help` : "a text that begins with a hyphen goes after --"
}

interface Texts {
  readonly options: Map<Parameter<unknown>, Array<string>>
  readonly args: Array<string>
}

const read = (command: Command, rest: ReadonlyArray<string>, where: string, asked: Set<string>): Texts => {
  const texts: Texts = { options: new Map(), args: [] }
  const options = command.parameters.filter(({ kind }) => kind !== "argument")
  const find = (word: string) => options.find((option) => matches(option, word))
  const queue = [...rest]
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === "--") {
      texts.args.push(...queue)
      break
    }
    const global = globalOf(word)
    if (global !== undefined) asked.add(global.name)
    else if (!isOption(word)) texts.args.push(word)
    else {
      const { name, value } = split(word)
      const option = find(name)
      if (option === undefined) {
        if (globalOf(name) !== undefined) throw new Wrong(`option ${name} takes no value`, where, `write ${name} alone`)
        throw new Wrong(`unknown option ${show(name)}`, where, hintFor(name, [...options, ...globalOptions], where))
      }
      const shown = `--${option.name}`
      const before = texts.options.get(option) ?? []
      if (before.length > 0 && !option.many) throw new Wrong(`option ${shown} is given twice`, where, "give it once")
      if (option.kind === "flag") {
        if (value !== undefined && word.startsWith("--")) {
          throw new Wrong(`option ${shown} takes no value`, where, `write ${shown} alone`)
        }
        // In a cluster of letters, such as -wx, the next one follows.
        if (value !== undefined) queue.unshift(`-${value}`)
        texts.options.set(option, [...before, ""])
        continue
      }
      const text = value ?? queue.shift()
      const isNext =
        value === undefined &&
        text !== undefined &&
        (text === "--" || globalOf(text) !== undefined || find(split(text).name) !== undefined)
      if (text === undefined || isNext) {
        const hint =
          text === undefined || text === "--"
            ? `write ${shown} ${option.value}`
            : `if ${show(text)} is meant, write ${shown}=${text}`
        throw new Wrong(`option ${shown} needs a value`, where, hint)
      }
      texts.options.set(option, [...before, text])
    }
  }
  check(command, texts, where)
  return texts
}

/** `--name=value`, `-nvalue` and `-n=value` in their parts. */
export const split = (word: string): { readonly name: string; readonly value: string | undefined } => {
  if (word.startsWith("--")) {
    const at = word.indexOf("=")
    return at === -1 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) }
  }
  return word.length > 2
    ? { name: word.slice(0, 2), value: word.slice(word[2] === "=" ? 3 : 2) }
    : { name: word, value: undefined }
}

const argumentsOf = (command: Command) => command.parameters.filter(({ kind }) => kind === "argument")

/** Every parameter reads its own texts, here to complain by name and later to be used. */
const check = (command: Command, texts: Texts, where: string): void => {
  const takes = argumentsOf(command)
  const extra = takes.at(-1)?.many === true ? undefined : texts.args[takes.length]
  if (extra !== undefined) {
    const hint = takes.length > 0 ? "put a text of several words in quotes" : `see ${where} --help`
    throw new Wrong(`unexpected argument ${show(extra)}`, where, hint)
  }
  for (const parameter of command.parameters) {
    const index = takes.indexOf(parameter)
    const given =
      index === -1
        ? (texts.options.get(parameter) ?? [])
        : texts.args.slice(index, parameter.many ? undefined : index + 1)
    const shown = index === -1 ? `option --${parameter.name}` : `argument ${parameter.name}`
    if (given.length === 0 && parameter.required) {
      throw new Wrong(`${shown} is missing`, where, `${parameter.help}; see ${where} --help`)
    }
    const value = parameter.read(given)
    if (Either.isLeft(value)) {
      const near = parameter.choices === undefined ? undefined : closest(given[0] ?? "", parameter.choices)
      const hint = near === undefined ? `expected ${value.left}` : `did you mean ${near}?`
      throw new Wrong(`${shown}: ${show(given.join(" "))} is not valid`, where, hint)
    }
  }
}

/** Options by their long names, then `--` and the arguments; every text sealed. */
const normalise = (texts: Texts): ReadonlyArray<string> => [
  ...[...texts.options].flatMap(([option, given]) =>
    option.kind === "flag" ? [`--${option.name}`] : given.flatMap((text) => [`--${option.name}`, seal(text)])
  ),
  ...(texts.args.length === 0 ? [] : ["--", ...texts.args.map(seal)])
]

/** The parser takes a text such as `--`, `--help` or an empty one for something else, so it never sees one bare. */
const seal = (text: string): string => `:${text}`

/** The text as it was given. */
export const unseal = (sealed: string): string => sealed.slice(1)
