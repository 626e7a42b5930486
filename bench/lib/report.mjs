const digits = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2))

/** `name value unit`, and where there is a floor: what is asked (`<=2`, `>=0.8`) and `met` or `missed`. */
export const line = (name, value, unit, floor) => {
  if (!Number.isFinite(value)) throw new Error(`${name} is not a number`)
  if (floor === undefined) return console.log(`${name} ${digits(value)} ${unit}`)
  const [asked, met] =
    "atMost" in floor ? [`<=${floor.atMost}`, value <= floor.atMost] : [`>=${floor.atLeast}`, value >= floor.atLeast]
  console.log(`${name} ${digits(value)} ${unit} ${asked} ${met ? "met" : "missed"}`)
}

export const note = (text) => console.log(`# ${text}`)

/** Thrown by a measure that this host cannot take; the reason is printed, and nothing is wrong. */
export class Skipped extends Error {}
