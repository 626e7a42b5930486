/** One problem of a configuration, and how it is told. */
import { distance } from "fastest-levenshtein"

export type Path = ReadonlyArray<string | number>

/** A problem that is not yet placed in the text. */
export interface Problem {
  readonly path: Path
  readonly message: string
  readonly suggestion?: string
  /** Point at the name of the key rather than at its value. */
  readonly atKey?: boolean
}

/** `["agents", 1, "time-out"]` → `agents[1]["time-out"]`; in the list form `[1].timeout`; the whole is `$`. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`
    if (!/^(?:--)?[A-Za-z_$][\w$]*$/.test(part)) return `${text === "" ? "$" : text}[${JSON.stringify(part)}]`
    return text === "" ? part : `${text}.${part}`
  }, "") || "$"

/** `did you mean "x"?`; undefined where nothing is near. */
export const near = (word: string, choices: ReadonlyArray<string>): string | undefined => {
  const lower = word.toLowerCase().slice(0, 100)
  const best = choices
    .map((choice) => ({ choice, far: distance(lower, choice.toLowerCase()) }))
    .sort((one, other) => one.far - other.far)[0]
  return best !== undefined &&
    best.far <= Math.max(2, Math.floor(best.choice.length / 3)) &&
    best.far < best.choice.length
    ? `did you mean "${best.choice}"?`
    : undefined
}

/** `did you mean "x"?`, or the choices where nothing is near. */
export const suggest = (word: string, choices: ReadonlyArray<string>): string =>
  near(word, choices) ?? `one of ${choices.join(", ")}`

/** A value as it can be shown in a message: short, on one line. */
export const show = (value: unknown): string => {
  const text = typeof value === "number" || value === undefined ? `${value}` : (JSON.stringify(value) ?? typeof value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}
