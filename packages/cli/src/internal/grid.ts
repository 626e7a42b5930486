/** Cells in columns, coloured once they have their width. Everything given here is clean. */
import { cut, pad, width } from "./layout.js"

export interface Cell {
  readonly text: string
  /** Default: as it is. */
  readonly paint?: ((text: string) => string) | undefined
}

const gap = 2
const most = 40

/** A line for each row, at most `columns` wide; the last cell of a row has what the others leave. */
export const grid = (rows: ReadonlyArray<ReadonlyArray<Cell>>, columns: number): ReadonlyArray<string> => {
  const widths: Array<number> = []
  for (const row of rows) {
    for (const [index, { text }] of row.slice(0, -1).entries()) {
      widths[index] = Math.min(most, Math.max(widths[index] ?? 0, width(text)))
    }
  }
  return rows.map((row) => {
    let line = ""
    let room = columns
    for (const [index, { paint, text }] of row.entries()) {
      const last = index === row.length - 1
      const wanted = last ? room : Math.min(room, widths[index] ?? 0)
      const shown = cut(text, wanted)
      if (shown !== "") line += paint === undefined ? shown : paint(shown)
      const blanks = last ? 0 : Math.min(room - width(shown), wanted - width(shown) + gap)
      line += pad("", blanks)
      room -= width(shown) + blanks
    }
    return line.trimEnd()
  })
}
