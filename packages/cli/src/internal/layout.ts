/** Text in columns, by width on the screen. Everything given here is clean. */
import stringWidth from "fast-string-width"

const ascii = /^[ -~]*$/

export const width = (text: string): number => (ascii.test(text) ? text.length : stringWidth(text))

/** At most `columns` wide; what is cut ends with an ellipsis. */
export const cut = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  if (columns < 1) return ""
  if (ascii.test(text)) return `${text.slice(0, columns - 1)}…`
  let kept = ""
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += width(segment)
    if (used > columns - 1) break
    kept += segment
  }
  return `${kept}…`
}

export const pad = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - width(text)))

/** Rows as lines: every column as wide as its widest cell and at most 40, two spaces apart, the last one free. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.min(40, Math.max(widths[column] ?? 0, width(cell)))
    })
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === row.length - 1) return cell
        const columns = widths[column] ?? 0
        return pad(cut(cell, columns), columns)
      })
      .join("  ")
      .trimEnd()
  )
}

/** Words in lines of at most `columns`; a longer word has a line of its own. */
export const wrap = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
}

const sgr =
  (on: number, off: number, colour: boolean) =>
  (text: string): string =>
    colour && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text

/** Colours, or none at all. */
export const style = (colour: boolean): Style => ({
  bold: sgr(1, 22, colour),
  dim: sgr(2, 22, colour),
  red: sgr(31, 39, colour),
  green: sgr(32, 39, colour),
  yellow: sgr(33, 39, colour)
})
