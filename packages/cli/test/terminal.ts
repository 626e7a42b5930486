/** As much of a terminal as our pictures use; anything else it is given is an error. */
export const terminal = (columns: number, rows: number) => {
  const lines: Array<Array<string>> = [[]]
  let row = 0
  let column = 0
  const line = (): Array<string> => {
    for (let index = lines.length; index <= row; index++) lines.push([])
    return lines[row] ?? []
  }
  const put = (character: string): void => {
    if (column >= columns) throw new Error("wrote beyond the last column")
    line()[column++] = character
  }
  const control = (sequence: string): void => {
    const [, count = "", kind = ""] = /^\u001b\[(\d*)([AJK])$/.exec(sequence) ?? []
    if (kind === "A") row = Math.max(0, lines.length - rows, row - Number(count))
    else if (kind === "J") {
      line().length = column
      lines.length = row + 1
    } else if (kind === "K" && count === "2") line().fill(" ", 0)
    else if (!/^\u001b\[(\?(2026|7)[hl]|\d+m)$/.test(sequence)) throw new Error(`unknown ${JSON.stringify(sequence)}`)
  }
  return {
    write: (text: string): void => {
      for (const part of text.match(/\u001b\[[?\d]*[A-Za-z]|[\s\S]/gu) ?? []) {
        if (part.length > 1 && part.startsWith("\u001b")) control(part)
        else if (part === "\r") column = 0
        else if (part === "\n") {
          row++
          column = 0
          line()
        } else put(part)
      }
    },
    /** Everything ever written that is still there, with what scrolled away. */
    lines: (): ReadonlyArray<string> => lines.map((cells) => cells.join("").trimEnd())
  }
}
