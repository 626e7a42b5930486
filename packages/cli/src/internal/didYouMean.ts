import { distance } from "fastest-levenshtein"

/** The word that was probably meant, or none: the same in other case, one it begins, or few letters away. */
export const closest = (word: string, words: ReadonlyArray<string>): string | undefined => {
  const small = word.slice(0, 80).toLowerCase()
  const bare = small.replace(/^-+/, "")
  if (bare === "") return undefined
  const begun = bare.length > 1 ? words.filter((known) => known.toLowerCase().startsWith(small)) : []
  if (begun.length === 1) return begun[0]
  const near = words
    .map((known) => ({ known, far: far(small, known.toLowerCase()) }))
    .sort((one, other) => one.far - other.far)[0]
  return near !== undefined && near.far <= Math.max(1, Math.floor(bare.length / 3)) ? near.known : undefined
}

/** Letters in the wrong order are one mistake. */
const far = (one: string, other: string): number =>
  letters(one) === letters(other) ? Math.min(1, distance(one, other)) : distance(one, other)

const letters = (word: string): string => [...word].sort().join("")
