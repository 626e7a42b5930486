import { createHash } from "node:crypto"

const stopWords: ReadonlySet<string> = new Set(
  (
    "a an the of to in on at for and or is are was were be been do does did what when where who whom which why how i you he " +
    "she it we they his her their my your its this that with from by as about has have had not can could should would me our us"
  ).split(" ")
)

/** What a terminal is coloured by and what nobody sees is no part of a word, and no part of what is said. */
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))/g
const unseen = /[^\P{Cc}\t\n\v\f\r\u001c-\u001f\u0085]/gu

/** As it is stored and searched for: without control characters, other than those that part words. */
export const plain = (text: string): string => text.replace(sequences, "").replace(unseen, "")

/** Distinct words of a query in order, without stop words unless nothing else is left. At most `most`. */
export const queryWords = (text: string, most: number): ReadonlyArray<string> => {
  const words = new Set<string>()
  const stopped = new Set<string>()
  for (const [word] of plain(text).matchAll(/[\p{L}\p{N}\p{M}\p{Co}]+/gu)) {
    const lower = word.toLowerCase()
    ;(stopWords.has(lower) ? stopped : words).add(lower)
    if (words.size >= most) break
  }
  return [...(words.size > 0 ? words : stopped)].slice(0, most)
}

/** Pieces of camelCase and letter-digit identifiers; the index splits at punctuation by itself. */
export const identifierParts = (text: string): ReadonlyArray<string> => {
  const parts = new Set<string>()
  for (const [word] of text.matchAll(/[\p{L}\p{N}]{4,}/gu)) {
    const pieces = word.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lm}\p{Lo}]+|\p{N}+/gu) ?? []
    if (pieces.length > 1) for (const piece of pieces) parts.add(piece.toLowerCase())
  }
  return [...parts]
}

/** A longer one is no name, and would make the patterns below slow. */
const maxNameLength = 200

/** Names that can tie two records together: paths, dotted, hyphenated, underscored and camelCase names, #123. */
export const identifiers = (text: string): ReadonlyArray<string> => {
  const names = new Set<string>()
  for (const [run] of text.matchAll(/[#\p{L}\p{N}._/-]+/gu)) {
    if (run.length > maxNameLength) continue
    const name = run.replace(/^[._/-]+|[#._/-]+$/g, "")
    const isName = /^#\p{N}+$/u.test(name) || (name.length >= 5 && /[._/-]|\p{Ll}\p{Lu}/u.test(name))
    if (isName) names.add(name)
  }
  return [...names]
}

const hex = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 20)

/** Opaque words that bring a scope into the index, so that rows outside of it are never ranked. */
export const projectWord = (project: string): string => `pj${hex(project)}`
export const namespaceWord = (namespace: string): string => `ns${hex(namespace)}`

/** All the text inside structured data, for the index. */
export const textOf = (value: unknown): string => {
  if (typeof value === "string" || typeof value === "number") return String(value)
  if (typeof value !== "object" || value === null) return ""
  return Object.values(value).map(textOf).join("\n")
}
