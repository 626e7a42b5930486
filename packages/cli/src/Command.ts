/**
 * A command: what it takes and what it does. The table of commands is made of these; the checker, the help and later the
 * completions are read from it.
 */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Failure } from "./CliError.js"
import type { Session } from "./Session.js"

export interface Parameter<A> {
  readonly kind: "argument" | "option" | "flag"
  /** Without dashes; for an argument as it stands in the usage. */
  readonly name: string
  /** One letter. */
  readonly short?: string
  /** What stands for the value in help, such as `INT`. */
  readonly value: string
  readonly help: string
  /** What holds when it is not given, for help. */
  readonly default?: string
  readonly required: boolean
  /** May be given more than once. */
  readonly many: boolean
  readonly choices?: ReadonlyArray<string>
  /** What it names, so that a shell can complete it where there are no choices. */
  readonly completes?: Completes
  /** From the texts given; left: what was expected. */
  readonly read: (texts: ReadonlyArray<string>) => Either.Either<A, string>
}

/** `job`: a job or a run. */
export type Completes = "file" | "directory" | "role" | "tool" | "run" | "job"

/** The value of a parameter of this command; all have been checked before. */
export type Given = <A>(parameter: Parameter<A>) => A

/** What a command comes to. Text for people, `json` for `--json`; both already safe to show. */
export interface Answer {
  /** Whole lines; may be empty. */
  readonly text: string
  readonly json: unknown
  /** Default 0. */
  readonly exitCode?: number
}

export interface Command {
  readonly name: string
  /** One line, without a period. */
  readonly summary: string
  readonly parameters: ReadonlyArray<Parameter<unknown>>
  /** Command line and what it does. */
  readonly examples: ReadonlyArray<readonly [line: string, what: string]>
  /** Paragraphs for `--help`, each without line breaks. */
  readonly details?: ReadonlyArray<string>
  readonly run: (given: Given, session: Session) => Effect.Effect<Answer, Failure>
}

export interface Group {
  readonly name: string
  readonly summary: string
  readonly commands: ReadonlyArray<Command | Group>
}

export const isGroup = (node: Command | Group): node is Group => "commands" in node

interface Named {
  readonly name: string
  readonly short?: string
  readonly help: string
  readonly completes?: Completes
}
type Reader<A> = (text: string) => Either.Either<A, string>

/** Any text that is not empty. */
export const text: Reader<string> = (given) =>
  given.trim() === "" || given.includes("\u0000") ? Either.left("a text that is not empty") : Either.right(given)

export const integer =
  (low: number, high: number): Reader<number> =>
  (given) => {
    const value = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN
    return value >= low && value <= high ? Either.right(value) : Either.left(`a whole number from ${low} to ${high}`)
  }

/** An argument that must be given. */
export const argument = (named: Named): Parameter<string> => ({
  ...named,
  kind: "argument",
  value: named.name,
  required: true,
  many: false,
  read: ([first]) => (first === undefined ? Either.left("a text that is not empty") : text(first))
})

/** An argument that may be left out. */
export const optionalArgument = (named: Named): Parameter<string | undefined> => ({
  ...named,
  kind: "argument",
  value: named.name,
  required: false,
  many: false,
  read: ([first]) => (first === undefined ? Either.right(undefined) : text(first))
})

/** An argument that may be given any number of times, and is the last one. */
export const manyArguments = (named: Named): Parameter<ReadonlyArray<string>> => ({
  ...named,
  kind: "argument",
  value: named.name,
  required: false,
  many: true,
  read: (texts) => Either.all(texts.map(text))
})

export const flag = (named: Named): Parameter<boolean> => ({
  ...named,
  kind: "flag",
  value: "",
  required: false,
  many: false,
  read: (texts) => Either.right(texts.length > 0)
})

/** An option with a value. */
export const option = <A>(
  named: Named & {
    readonly value: string
    readonly default?: string
    readonly choices?: ReadonlyArray<string>
    readonly read: Reader<A>
  }
): Parameter<A | undefined> => ({
  ...named,
  kind: "option",
  required: false,
  many: false,
  read: ([first]) => (first === undefined ? Either.right(undefined) : named.read(first))
})

/** An option with a value that may be given more than once. */
export const repeated = <A>(
  named: Named & { readonly value: string; readonly read: Reader<A> }
): Parameter<ReadonlyArray<A>> => ({
  ...named,
  kind: "option",
  required: false,
  many: true,
  read: (texts) => Either.all(texts.map(named.read))
})

/** An option of one of a few words. */
export const choice = <const A extends string>(
  named: Named & { readonly choices: ReadonlyArray<A>; readonly value: string; readonly default?: string }
): Parameter<A | undefined> =>
  option({
    ...named,
    read: (given) =>
      Either.fromNullable(
        named.choices.find((word) => word === given),
        () => `one of ${named.choices.join(", ")}`
      )
  })

/** An option with a list of words, separated by commas; may be repeated. */
export const list = (named: Named & { readonly value: string }): Parameter<ReadonlyArray<string>> => ({
  ...named,
  kind: "option",
  required: false,
  many: true,
  read: (texts) =>
    Either.right(
      texts
        .flatMap((given) => given.split(","))
        .map((word) => word.trim())
        .filter((word) => word !== "")
    )
})
