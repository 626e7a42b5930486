/** Lengths of time as people write them: a number is seconds, a text has a unit. */
import * as EffectDuration from "effect/Duration"
import * as Option from "effect/Option"

/** Seconds; `"90s"`, `"5 minutes"`, `"1.5h"`, a numeral (seconds); or an Effect `Duration`. */
export type DurationInput = number | string | EffectDuration.Duration

const short: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const long: Readonly<Record<string, number>> = {
  milli: 1,
  millisecond: 1,
  second: 1_000,
  sec: 1_000,
  minute: 60_000,
  min: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000
}

/** Milliseconds; none where it is no finite length of time, negative, or has no unit that is known. */
export const toMillis = (input: DurationInput): Option.Option<number> => {
  const millis =
    typeof input === "number"
      ? input * 1_000
      : typeof input === "string"
        ? parse(input)
        : EffectDuration.toMillis(input)
  return millis !== undefined && Number.isFinite(millis) && millis >= 0 ? Option.some(millis) : Option.none()
}

const parse = (text: string): number | undefined => {
  const match = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)\s*$/i.exec(text)
  if (match?.[1] === undefined) return undefined
  const unit = (match[2] ?? "").toLowerCase()
  const scale = unit === "" ? 1_000 : (own(short, unit) ?? own(long, unit) ?? own(long, unit.replace(/s$/, "")))
  return scale === undefined ? undefined : Number(match[1]) * scale
}

const own = (table: Readonly<Record<string, number>>, key: string): number | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
