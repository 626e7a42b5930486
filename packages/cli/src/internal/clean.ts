/** Text of others made harmless: after this, no character can control a terminal, and none is there that nobody sees. */
import stripAnsi from "strip-ansi"

/** More than any cell shows; a sequence cut here loses its control characters all the same. */
const maxCell = 4096

/** One line: sequences gone, whitespace of all kinds a space, no control, bidirectional or invisible characters. */
export const clean = (text: string, max = maxCell): string =>
  remove(strip(text.slice(0, max)).replace(/[\t\n\v\f\r\u2028\u2029]+/g, " ")).trim()

/** Several lines: as `clean`, but line feeds stay and tabs become two spaces. */
export const cleanLines = (text: string): string =>
  remove(
    strip(text)
      .replace(/\r\n?|[\v\f\u2028\u2029]/g, "\n")
      .replace(/\t/g, "  "),
    unseenButLines
  )

const strip = (text: string): string => (/[\u001b\u0080-\u009f]/.test(text) ? stripAnsi(text) : text)

/** What joins emoji into one stays where it does so; elsewhere it hides. */
const joiners = String.raw`(?<!\p{ExtPict}\ufe0f?|\p{EMod})\u200d|\u200d(?!\p{ExtPict})|(?<!\p{Emoji})\ufe0f`
const invisible = String.raw`[\p{Bidi_C}\p{Cs}\ufff9-\ufffb]|(?![\u200d\ufe0f])\p{DI}|${joiners}`
const unseen = new RegExp(`\\p{Cc}|${invisible}`, "gu")
const unseenButLines = new RegExp(`[^\\P{Cc}\\n]|${invisible}`, "gu")

const remove = (text: string, what = unseen): string =>
  /^[\n\u0020-\u007e]*$/.test(text) ? text : text.replace(what, "")

/** The first line that says something. */
export const firstLine = (text: string): string =>
  clean(
    text
      .slice(0, maxCell * 4)
      .trimStart()
      .split(/[\r\n]/, 1)[0] ?? ""
  )

/** JSON in which no character can control a terminal: what JSON leaves as it is, is escaped too. */
export const json = (value: unknown): string =>
  (JSON.stringify(value) ?? "null").replace(/[\u007f-\u009f\u2028\u2029\ufff9-\ufffb]|\p{Bidi_C}|\p{DI}/gu, (found) =>
    [...found]
      .flatMap((character) => character.split(""))
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join("")
  )
