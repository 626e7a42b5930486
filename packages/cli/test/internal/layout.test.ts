import { describe, expect, it } from "vitest"
import { clean } from "../../src/internal/clean.js"
import { amount, dollars, seconds } from "../../src/internal/format.js"
import { cut, pad, table, width } from "../../src/internal/layout.js"
import { evil, random } from "../harness.js"

describe("layout", () => {
  it("cuts by width on the screen, never through a character", () => {
    expect(cut("hello", 5)).toBe("hello")
    expect(cut("hello!", 5)).toBe("hell…")
    expect(cut("日本語", 5)).toBe("日本…")
    expect(cut("👩‍💻👩‍💻", 3)).toBe("👩‍💻…")
    expect(cut("abc", 0)).toBe("")
  })

  it("is never wider than asked, and a padded cell exactly so", () => {
    const source = random(3)
    for (let turn = 0; turn < 2_000; turn++) {
      const text = clean(evil(source))
      const columns = source.below(30)
      expect(width(cut(text, columns)), JSON.stringify(text)).toBeLessThanOrEqual(columns)
      expect(width(pad(cut(text, columns), columns)), JSON.stringify(text)).toBe(columns)
    }
  })

  it("sets rows in columns, whatever they hold", () => {
    expect(
      table([
        ["a", "日本", "x"],
        ["bbb", "c", "y"]
      ])
    ).toEqual(["a    日本  x", "bbb  c     y"])
  })

  it("writes what is unknown as a dash, never as zero", () => {
    expect([amount(undefined), amount(0), amount(950), amount(12_345), amount(1_930_100)]).toEqual([
      "–",
      "0",
      "950",
      "12.3 k",
      "1.93 M"
    ])
    expect([dollars(undefined), dollars(0.0012), dollars(1.5)]).toEqual(["–", "$0.0012", "$1.50"])
    expect([seconds(0.04), seconds(59.96), seconds(245), seconds(7_380)]).toEqual([
      "0.0 s",
      "1 min 0 s",
      "4 min 5 s",
      "2 h 3 min"
    ])
  })
})
