/**
 * Draws a few lines at the bottom of what is on the screen, again and again in the same place. Between two pictures the
 * terminal is as it always is, cursor and all: whatever way we end, nothing has to be put right.
 */

const begin = "\u001b[?2026h\u001b[?7l"
const end = "\u001b[?7h\u001b[?2026l"

/** The text that turns the picture `before` into `after`; the cursor stands on the line below the picture. */
export const repaint = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): string => {
  if (before.length === after.length && after.every((line, index) => line === before[index])) return ""
  const up = before.length === 0 ? "\r" : `\r\u001b[${before.length}A`
  // A line is erased before it is written: afterwards the last cell of a full one would go too.
  const lines = after.map((line, index) => (line === before[index] ? "\n" : `\u001b[2K${line}\r\n`))
  return `${begin}${up}${lines.join("")}\u001b[J${end}`
}

/** As many rows as the picture takes once the terminal is `columns` wide and has broken its lines. */
export const height = (widths: ReadonlyArray<number>, columns: number): number =>
  widths.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0)

/** Removes a picture that takes so many rows: row by row, for a screen that is cleared as a whole goes into the history. */
export const erase = (rows: number): string =>
  rows === 0 ? "" : `\r\u001b[${rows}A${"\u001b[2K\n".repeat(rows)}\u001b[2K\u001b[${rows}A`
