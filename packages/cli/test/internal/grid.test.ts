import { describe, expect, it } from "vitest"
import { clean } from "../../src/internal/clean.js"
import { grid } from "../../src/internal/grid.js"
import { style, width } from "../../src/internal/layout.js"
import { evil, random } from "../harness.js"

describe("cells in columns", () => {
  it("stand under each other, wide characters too, and the last one has the rest", () => {
    const rows = [
      ["日本語", "x", "the rest of it"],
      ["a", "long", ""],
      ["b", "", ""]
    ]
    const cells = rows.map((row) => row.map((text) => ({ text })))
    expect(grid(cells, Number.POSITIVE_INFINITY)).toEqual(["日本語  x     the rest of it", "a       long", "b"])
    expect(grid(cells, 20)[0]).toBe("日本語  x     the r…")
  })

  it("never wider than they may be, nor with blanks at the end; colours change nothing of that", () => {
    const source = random(11)
    const { bold } = style(true)
    for (let turn = 0; turn < 500; turn++) {
      const columns = 10 + source.below(100)
      const rows = Array.from({ length: 1 + source.below(4) }, () =>
        Array.from({ length: 4 }, () => ({ text: clean(evil(source)) }))
      )
      const plain = grid(rows, columns)
      for (const line of plain) {
        expect(width(line)).toBeLessThanOrEqual(columns)
        expect(line).toBe(line.trimEnd())
      }
      const painted = grid(
        rows.map((row) => row.map((cell) => ({ ...cell, paint: bold }))),
        columns
      )
      expect(painted.map((line) => line.replace(/\u001b\[\d+m/g, ""))).toEqual(plain)
    }
  })
})
