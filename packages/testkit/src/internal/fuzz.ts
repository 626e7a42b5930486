/** Odd lines, the same ones every time. */
import { type Path, parse, places, replaced } from "./json.js"

/** Numbers in [0, 1) from a seed (mulberry32). */
const generator = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const deepMark = "\u0001deep\u0001"
/** Twice what a recursive reader can take. */
const depth = 20_000
const deepArray = `${"[".repeat(depth)}${"]".repeat(depth)}`
const deepObject = `${'{"content":'.repeat(depth)}1${"}".repeat(depth)}`
const huge = "x".repeat(1_000_000)

const odd: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  -1e300,
  1e19,
  1.5,
  "",
  "result",
  "\u0000\ufffd\ud800",
  [],
  [null],
  [[], {}],
  {},
  { type: null },
  { length: -1 },
  { toString: "x", __proto__: null },
  deepMark
]

/** `count` lines: half of them damaged copies of `samples`, which may be empty. */
export const oddLines = (samples: ReadonlyArray<string>, count: number): ReadonlyArray<string> => {
  const random = generator(20)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <A>(items: ReadonlyArray<A>, otherwise: A): A => items[below(items.length)] ?? otherwise
  const documents = samples.flatMap((sample) => {
    const root = parse(sample)
    return root === undefined ? [] : [{ root, places: places(root) }]
  })
  const words = ["type", "result", "message", "content", "error", "usage", "id", "name", "ok", "part", "item"]
  const value = (level: number): unknown => {
    if (level === 0 || random() < 0.4) return pick(odd, null)
    if (random() < 0.3) return [value(level - 1), value(level - 1)]
    return Object.fromEntries(
      [1, 2, 3].map(() => [pick(words, "type"), random() < 0.3 ? pick(words, "") : value(level - 1)])
    )
  }
  const written = (root: unknown): string =>
    JSON.stringify(root)?.replaceAll(JSON.stringify(deepMark), random() < 0.5 ? deepArray : deepObject) ?? "null"
  const noise = (): string =>
    Array.from({ length: below(40) }, () => String.fromCharCode(below(random() < 0.5 ? 128 : 65_536))).join("")
  const damaged = (): string => {
    const document = pick(documents, { root: {}, places: [] })
    const path: Path = pick(document.places, { path: [], value: null }).path
    const line = written(replaced(document.root, path, pick(odd, null)))
    return random() < 0.2 ? line.slice(0, below(Math.min(line.length, 5_000))) : line
  }
  const makers: ReadonlyArray<() => string> = [damaged, damaged, () => written(value(4)), noise]
  const lines = Array.from({ length: count - 6 }, () => pick(makers, noise)())
  return [
    ...lines,
    deepArray,
    deepObject,
    "[".repeat(depth),
    `{"type":"result","message":"${huge}"}`,
    huge,
    `{"type":${"9".repeat(10_000)}}`
  ]
}
