/** Reading JSON of unknown shape without trusting it. */
import * as JsonText from "@contextfs/memory/JsonText"
import type { AgentEvent, Decoder } from "../ToolAdapter.js"

export interface JsonObject {
  readonly [key: string]: unknown
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const object = (value: unknown): JsonObject => (isObject(value) ? value : {})
export const objects = (value: unknown): ReadonlyArray<JsonObject> =>
  Array.isArray(value) ? value.filter(isObject) : []
export const string = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
/** What is beyond all numbers, as `1e999` in a text, is the largest. */
export const number = (value: unknown): number | undefined =>
  typeof value === "number" && !Number.isNaN(value)
    ? Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value))
    : undefined

/** The sum of figures none of which can be below zero: where one is, it is the sum, which nobody believes either. */
export const sum = (...figures: ReadonlyArray<number | undefined>): number =>
  figures.find((figure) => figure !== undefined && figure < 0) ??
  Math.min(
    Number.MAX_VALUE,
    figures.reduce<number>((total, figure) => total + (figure ?? 0), 0)
  )

/** What is deeper is no program's event, and would end whoever writes it out again. */
const maxDepth = 128

/** The object in a text, or nothing where there is no object. */
export const parseObject = (text: string): JsonObject | undefined => {
  const start = text.trimStart()
  if (!start.startsWith("{") || JsonText.isDeeper(start, maxDepth)) return undefined
  try {
    const value: unknown = JSON.parse(start)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Leaves out what is undefined: an absent figure is not a figure. */
export const defined = <A extends object>(
  value: {
    readonly [K in keyof A]: A[K] | undefined
  }
): { [K in keyof A]?: A[K] } => {
  const out: { [K in keyof A]?: A[K] } = {}
  for (const key in value) {
    const item = value[key]
    if (item !== undefined) out[key] = item
  }
  return out
}

/** The text of a tool's result, however it is wrapped. */
export const contentText = (value: unknown): string | undefined => {
  const direct = string(value)
  if (direct !== undefined) return direct
  const parts = objects(value).flatMap((part) => string(part["text"]) ?? [])
  return parts.length === 0 ? undefined : parts.join("\n")
}

/** A decoder of one JSON object a line. `read` gives undefined for an object that is none of the program's events. */
export const jsonLines = (
  read: (event: JsonObject) => ReadonlyArray<AgentEvent> | undefined,
  end?: Decoder["end"]
): Decoder => {
  let noise = 0
  return {
    line: (line) => {
      const event = parseObject(line)
      const events = event === undefined ? undefined : read(event)
      if (events === undefined && line.trim() !== "") noise += 1
      return events ?? []
    },
    noise: () => noise,
    ...(end === undefined ? {} : { end })
  }
}
