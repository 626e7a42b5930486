/**
 * What can stand where the cursor is: pure, from the table of commands. The scripts of the shells know nothing but how to
 * ask, so that they never go stale and every shell says the same.
 */
import { type Command, type Completes, type Group, isGroup, type Parameter } from "../Command.js"
import { globalOf, globalOptions, isOption, matches, split } from "./argv.js"

export interface Candidate {
  readonly value: string
  /** One line; may be empty. */
  readonly help: string
}

export interface Completion {
  /** What the word under the cursor begins with that is not part of the value, such as `--tool=`. */
  readonly prefix: string
  /** Words that are known here, or what kind of value it is. */
  readonly of: ReadonlyArray<Candidate> | Completes
}

const nothing: Completion = { prefix: "", of: [] }

/** `words`: those after the program's name; the last is the one under the cursor, as far as the cursor, perhaps empty. */
export const complete = (root: Group, words: ReadonlyArray<string>): Completion => {
  const current = words.at(-1) ?? ""
  const before = words.slice(0, -1)
  let node: Group | Command = root
  let index = 0
  for (; index < before.length && isGroup(node); index++) {
    const word = before[index] ?? ""
    if (globalOf(word) !== undefined) continue
    const next: Group | Command | undefined = node.commands.find(({ name }) => name === word)
    if (next === undefined) return nothing
    node = next
  }
  if (!isGroup(node)) return ofCommand(node, before.slice(index), current)
  if (isOption(current) || current === "-") return { prefix: "", of: optionsOf(globalOptions, current) }
  return { prefix: "", of: node.commands.map(({ name, summary }) => ({ value: name, help: summary })) }
}

const ofCommand = (command: Command, before: ReadonlyArray<string>, current: string): Completion => {
  const options = command.parameters.filter(({ kind }) => kind !== "argument")
  const find = (word: string) => options.find((option) => matches(option, word))
  const given = new Set<Parameter<unknown>>()
  let count = 0
  /** The option whose value comes next. */
  let open: Parameter<unknown> | undefined
  let ended = false
  const queue = [...before]
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (open !== undefined) open = undefined
    else if (ended) count++
    else if (word === "--") ended = true
    else if (!isOption(word)) count++
    else {
      const { name, value } = split(word)
      const option = find(name)
      if (option === undefined) continue
      given.add(option)
      if (option.kind === "flag") {
        if (value !== undefined && !word.startsWith("--")) queue.unshift(`-${value}`)
      } else if (value === undefined) open = option
    }
  }
  if (open !== undefined) return { prefix: "", of: valuesOf(open) }
  const left = [...options.filter((option) => option.many || !given.has(option)), ...globalOptions]
  if (!ended && (isOption(current) || current === "-")) {
    const { name, value } = split(current)
    if (value === undefined) return { prefix: "", of: optionsOf(left, current) }
    const option = find(name)
    if (option === undefined || option.kind === "flag") return nothing
    return { prefix: current.slice(0, current.length - value.length), of: valuesOf(option) }
  }
  const takes = command.parameters.filter(({ kind }) => kind === "argument")
  const last = takes.at(-1)
  const argument = takes[count] ?? (last?.many === true ? last : undefined)
  if (argument !== undefined) return { prefix: "", of: valuesOf(argument) }
  return ended ? nothing : { prefix: "", of: optionsOf(left, "--") }
}

const valuesOf = ({ choices, completes }: Parameter<unknown>): ReadonlyArray<Candidate> | Completes =>
  choices === undefined ? (completes ?? []) : choices.map((value) => ({ value, help: "" }))

/** Their long names; the short ones too where one hyphen is all there is so far. */
const optionsOf = (
  options: ReadonlyArray<Pick<Parameter<unknown>, "name" | "short" | "help">>,
  current: string
): ReadonlyArray<Candidate> =>
  options.flatMap(({ help, name, short }) => [
    ...(current.startsWith("--") || short === undefined ? [] : [{ value: `-${short}`, help }]),
    { value: `--${name}`, help }
  ])
