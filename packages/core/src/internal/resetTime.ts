/** When a usage limit ends, from the words in which a provider says so. */

/** Milliseconds since the epoch; undefined where the text does not say. Never a guess. */
export const resetTime = (_text: string, _now: number): number | undefined => undefined
