/** When a usage limit ends, from the words in which a provider says so. */

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A clock time may be over by the time it is read: the one just passed is meant, not tomorrow's. */
const justNow = 2 * minute
/** An error text says it early; the rest is somebody's log. */
const maxText = 4_000
/** Longer than any wording of a time. */
const maxPhrase = 100

/**
 * Milliseconds since the epoch; undefined where the text does not say. Never a guess, and never more than is said: of
 * several times it is the first, of a day without a time its beginning. A clock time without a zone is in `zone`, by
 * default that of this machine, in which its programs tell the time.
 */
export const resetTime = (text: string, now: number, zone: string = localZone()): number | undefined => {
  const said = text.slice(0, maxText).replace(/\s+/g, " ")
  const found: Array<number> = []
  for (const match of said.matchAll(announcement)) {
    const from = match.index + match[0].length
    const phrase = said.slice(from, from + maxPhrase).replace(filler, "")
    const time = /[a-z]_in_seconds$/i.test(match[0])
      ? relative(phrase, now, second)
      : (epoch(phrase) ??
        relative(phrase, now, /retry-after$/i.test(match[0]) ? second : undefined) ??
        absolute(phrase, now, zone))
    if (time !== undefined) found.push(time)
  }
  return found.length === 0 ? undefined : Math.min(...found)
}

const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** What a time is said after. */
const announcement =
  /limit reached\||(?<![a-z])(?:resets?_in_seconds|resets?[ _-]?at|resets?|retry-after|try again|retry(?:delay)?|until|available|resumes?|renews?|refresh(?:es)?|wait)(?![a-z])/gi
/** Words that may stand in between. */
const filler =
  /^(?:[ :=·∙•,"'–—-]|(?:at|on|is|time|again|will|be|your|the|limit|limits|usage|quota|access|by|using|this|model|approximately|about|around)(?![a-z]))*/i

/** `1763906400`, or the same in milliseconds. */
const epoch = (phrase: string): number | undefined => {
  const match = /^(\d{10})(\d{3})?(?![\d.])/.exec(phrase)
  if (match?.[1] === undefined) return undefined
  return Number(match[1]) * second + Number(match[2] ?? 0)
}

const units: ReadonlyArray<readonly [RegExp, number]> = [
  [/^(?:ms|milliseconds?)$/i, 1],
  [/^(?:s|secs?|seconds?)$/i, second],
  [/^(?:m|mins?|minutes?)$/i, minute],
  [/^(?:h|hrs?|hours?)$/i, hour],
  [/^(?:d|days?)$/i, day],
  [/^(?:w|weeks?)$/i, 7 * day]
]

const lead = /^(?:in|after|for|within)(?![a-z]) ?(?:about |approximately |~)?/i

/** `in 2h 5m`, `12h34m56s`, `in an hour`. `bare`: what a number without a unit counts. */
const relative = (phrase: string, now: number, bare?: number): number | undefined => {
  let rest = phrase.replace(lead, "")
  if (bare !== undefined) {
    const alone = /^(\d{1,9})(?![\d.:a-z]| ?[a-z])/i.exec(rest)
    if (alone !== null) return now + Number(alone[1]) * bare
  }
  let total = 0
  for (let first = true; ; first = false) {
    const match = /^(\d{1,9}(?:\.\d{1,9})?|an?(?= [a-z])) ?([a-z]{1,12})(?![a-z])[ .]?,? ?(?:and )?/i.exec(rest)
    const unit = units.find(([name]) => match?.[2] !== undefined && name.test(match[2]))
    if (match === null || match[1] === undefined || unit === undefined)
      return first ? undefined : now + Math.round(total)
    total += (/^an?$/i.test(match[1]) ? 1 : Number(match[1])) * unit[1]
    rest = rest.slice(match[0].length)
  }
}

interface Day {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
const monthName = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?"
const dayNumber = "(\\d{1,2})(?:st|nd|rd|th)?(?![\\d:a-z])"
const isoDay = /^(\d{4})-(\d{2})-(\d{2})(?!\d)/
const monthDay = new RegExp(`^${monthName} ${dayNumber}(?:,? (\\d{4})(?!\\d))?`, "i")
const dayMonth = new RegExp(`^${dayNumber} ${monthName}(?:,? (\\d{4})(?!\\d))?`, "i")
const weekday = /^(?:next )?(sun|mon|tue|wed|thu|fri|sat)(?:day|sday|nesday|rsday|urday|s|rs|r)?(?![a-z])/i
const between = /^(?:T(?=\d)|[ ,]{0,3}(?:(?:at|@)(?![a-z]) ?)?)/i

/** `3pm (Europe/Berlin)`, `Nov 26, 9am`, `Mon 12:00am`, `2026-11-26T03:00:00Z`, `tomorrow at 9:30 UTC`. */
const absolute = (phrase: string, now: number, local: string): number | undefined => {
  const date = dateOf(phrase)
  const afterDate = date === undefined ? phrase : phrase.slice(date.length).replace(between, "")
  const time = timeOf(afterDate)
  if (date === undefined && time === undefined) return undefined
  const zone = zoneOf(time === undefined ? afterDate : afterDate.slice(time.length), local)
  if (zone === undefined) return undefined
  const at = (on: Day) => instants(on, time?.millis ?? 0, zone)
  const today = dayIn(now, zone)
  /** The first that is not over: of a clock that shows the same time twice, too. */
  const next = (days: ReadonlyArray<Day>) => days.flatMap(at).find((instant) => instant > now - justNow)
  const around = [-1, 0, 1, 2].map((days) => plusDays(today, days))

  if (date === undefined) return next(around)
  switch (date.kind) {
    case "day":
      return at(date)[0]
    case "yearly":
      // The nearest: one that has just passed is over, and is not next year's.
      return [-1, 0, 1]
        .flatMap((years) => at({ ...date, year: today.year + years }))
        .reduce<number | undefined>(
          (best, instant) => (best === undefined || Math.abs(instant - now) < Math.abs(best - now) ? instant : best),
          undefined
        )
    case "weekday":
      return next(
        [0, 1, 2, 3, 4, 5, 6, 7].map((days) => plusDays(today, days)).filter((on) => weekdayOf(on) === date.weekday)
      )
    case "relative":
      return at(plusDays(today, date.days))[0]
  }
}

type Dated = { readonly length: number } & (
  | ({ readonly kind: "day" } & Day)
  | { readonly kind: "yearly"; readonly month: number; readonly day: number }
  | { readonly kind: "weekday"; readonly weekday: number }
  | { readonly kind: "relative"; readonly days: number }
)

const dateOf = (phrase: string): Dated | undefined => {
  const iso = isoDay.exec(phrase)
  if (iso !== null) {
    return { kind: "day", length: iso[0].length, year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) }
  }
  const named = monthDay.exec(phrase)
  const turned = named === null ? dayMonth.exec(phrase) : null
  const [whole, month, on, year] = named ?? (turned === null ? [] : [turned[0], turned[2], turned[1], turned[3]])
  if (whole !== undefined && month !== undefined) {
    const found = { length: whole.length, month: months.indexOf(month.toLowerCase()) + 1, day: Number(on) }
    return year === undefined ? { kind: "yearly", ...found } : { kind: "day", ...found, year: Number(year) }
  }
  const weekly = weekday.exec(phrase)
  if (weekly?.[1] !== undefined) {
    // A weekday before a date says nothing more.
    const dated = dateOf(phrase.slice(weekly[0].length).replace(between, ""))
    if (dated?.kind === "day" || dated?.kind === "yearly") {
      const skipped = phrase.length - phrase.slice(weekly[0].length).replace(between, "").length
      return { ...dated, length: dated.length + skipped }
    }
    return { kind: "weekday", length: weekly[0].length, weekday: weekdays.indexOf(weekly[1].toLowerCase()) }
  }
  const word = /^(today|tomorrow)(?![a-z])/i.exec(phrase)
  if (word === null) return undefined
  return { kind: "relative", length: word[0].length, days: /^today$/i.test(word[0]) ? 0 : 1 }
}

/** Milliseconds since midnight. */
const timeOf = (phrase: string): { readonly length: number; readonly millis: number } | undefined => {
  const word = /^(midnight|noon)(?![a-z])/i.exec(phrase)
  if (word !== null) return { length: word[0].length, millis: /^noon$/i.test(word[0]) ? 12 * hour : 0 }
  const match = /^(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?(?!\d)(?: ?([ap])(?:\.m\.|m)(?![a-z]))?/i.exec(
    phrase
  )
  if (match === null) return undefined
  const [whole, hours, minutes, seconds, half] = match
  // A number alone is no time.
  if (minutes === undefined && half === undefined) return undefined
  const h = Number(hours)
  if (half === undefined ? h > 23 : h < 1 || h > 12) return undefined
  if (Number(minutes ?? 0) > 59 || Number(seconds ?? 0) > 59) return undefined
  const turned = half === undefined ? h : (h % 12) + (/p/i.test(half) ? 12 : 0)
  return {
    length: whole.length,
    millis: turned * hour + Number(minutes ?? 0) * minute + Number(seconds ?? 0) * second
  }
}

/** Abbreviations that mean one thing only. */
const abbreviations: ReadonlyMap<string, string> = new Map([
  ["Z", "UTC"],
  ["UTC", "UTC"],
  ["GMT", "UTC"],
  ["PT", "America/Los_Angeles"],
  ["PST", "-08:00"],
  ["PDT", "-07:00"],
  ["ET", "America/New_York"],
  ["EST", "-05:00"],
  ["EDT", "-04:00"],
  ["MDT", "-06:00"],
  ["CDT", "-05:00"],
  ["CET", "+01:00"],
  ["CEST", "+02:00"],
  ["EET", "+02:00"],
  ["EEST", "+03:00"],
  ["JST", "+09:00"]
])

/** The zone named next, else the given one; undefined where a name stands there that nobody can tell. */
const zoneOf = (phrase: string, local: string): string | undefined => {
  const offset = /^ ?\(?(?:UTC|GMT)? ?([+-])(\d{1,2}):?(\d{2})?(?!\d)/i.exec(phrase)
  if (offset !== null) {
    const [, sign, hours, minutes] = offset
    return Number(hours) > 14 || Number(minutes ?? 0) > 59
      ? undefined
      : `${sign}${hours?.padStart(2, "0")}:${minutes ?? "00"}`
  }
  const name =
    /^ ?\(([A-Za-z_]+(?:\/[A-Za-z0-9_+-]+){0,3})\)/.exec(phrase) ??
    /^ ?([A-Z][A-Za-z_]+(?:\/[A-Za-z0-9_+-]+){1,3}|Z|[A-Z]{2,5})(?![A-Za-z])/.exec(phrase)
  if (name?.[1] === undefined) return local
  if (/^local$/i.test(name[1])) return local
  const short = abbreviations.get(name[1].toUpperCase())
  if (short !== undefined) return short
  return name[1].includes("/") && formatOf(name[1]) !== undefined ? name[1] : undefined
}

/** `-08:00` in milliseconds; undefined of a name. */
const fixedOffset = (zone: string): number | undefined => {
  const match = /^([+-])(\d{2}):(\d{2})$/.exec(zone)
  if (match === null) return undefined
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * hour + Number(match[3]) * minute)
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>()
const formatOf = (zone: string): Intl.DateTimeFormat | undefined => {
  if (!formats.has(zone)) {
    let format: Intl.DateTimeFormat | undefined
    try {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric"
      })
    } catch {
      format = undefined
    }
    // The names come from texts that nobody has checked.
    if (formats.size > 1_000) formats.clear()
    formats.set(zone, format)
  }
  return formats.get(zone)
}

/** What the clocks of the zone show, as if it were UTC. */
const shown = (instant: number, zone: string): number => {
  const offset = fixedOffset(zone)
  if (offset !== undefined) return instant + offset
  const parts = new Map(
    formatOf(zone)
      ?.formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)])
  )
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"))
}

/** When the clocks of the zone show this: once, twice in autumn, and in spring perhaps never: then as they would have before. */
const instants = ({ day, month, year }: Day, millis: number, zone: string): ReadonlyArray<number> => {
  const wanted = Date.UTC(year, month - 1, day) + millis
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day || month < 1 || month > 12) return []
  const candidates = [-1, 1].map((side) => {
    const near = wanted + side * 24 * hour
    return wanted - (shown(near, zone) - near)
  })
  const exact = candidates.filter((instant) => shown(instant, zone) === wanted)
  const found = exact.length === 0 ? [Math.min(...candidates)] : exact
  return [...new Set(found)].sort((one, other) => one - other)
}

const dayIn = (instant: number, zone: string): Day => dayOf(shown(instant, zone))
const dayOf = (utc: number): Day => {
  const date = new Date(utc)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}
const plusDays = ({ day: on, month, year }: Day, days: number): Day => dayOf(Date.UTC(year, month - 1, on + days))
const weekdayOf = ({ day: on, month, year }: Day): number => new Date(Date.UTC(year, month - 1, on)).getUTCDay()
