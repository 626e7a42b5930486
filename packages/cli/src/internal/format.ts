/** One way to write times, amounts and money for all faces. Unknown is `–`, never zero. */
export const unknown = "–"

/** From seconds: `0.8 s`, `12.3 s`, `4 min 5 s`, `2 h 3 min`. */
export const seconds = (value: number): string => {
  if (value < 59.95) return `${value.toFixed(1)} s`
  const whole = Math.round(value)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Milliseconds since the start of something as `mm:ss`. */
export const clock = (millis: number): string => {
  const whole = Math.max(0, Math.floor(millis / 1000))
  return `${String(Math.floor(whole / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`
}

/** `950`, `12.3 k`, `1.93 M`. */
export const amount = (value: number | undefined): string => {
  if (value === undefined) return unknown
  if (value < 1000) return `${value}`
  if (value < 999_950) return `${(value / 1000).toFixed(1)} k`
  return `${(value / 1_000_000).toFixed(2)} M`
}

export const dollars = (value: number | undefined): string =>
  value === undefined ? unknown : value > 0 && value < 0.01 ? `$${value.toFixed(4)}` : `$${value.toFixed(2)}`

/** Milliseconds since the epoch as `2026-11-23 13:05` UTC. */
export const moment = (millis: number): string => new Date(millis).toISOString().slice(0, 16).replace("T", " ")

/** Milliseconds since the epoch as `13:05:07`, by the clock on the user's wall. */
export const timeOfDay = (millis: number): string => new Date(millis).toTimeString().slice(0, 8)

/** How long ago, from milliseconds: `now`, `12 s ago`, `3 min ago`, `5 h ago`, `4 d ago`. */
export const ago = (millis: number): string => {
  const whole = Math.max(0, Math.floor(millis / 1000))
  if (whole < 1) return "now"
  if (whole < 60) return `${whole} s ago`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`
  return whole < 86_400 ? `${Math.floor(whole / 3600)} h ago` : `${Math.floor(whole / 86_400)} d ago`
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
