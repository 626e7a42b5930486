import { describe, expect, it } from "vitest"
import { clean, cleanLines, firstLine, json } from "../../src/internal/clean.js"
import { evil, harmful, random } from "../harness.js"

describe("cleaning", () => {
  it.each([
    ["CSI", "a\u001b[31mb\u001b[2Jc", "abc"],
    ["OSC 52 ended by BEL", "a\u001b]52;c;ZXZpbA==\u0007b", "ab"],
    ["OSC 52 ended by ST", "a\u001b]52;c;ZXZpbA==\u001b\\b", "ab"],
    ["OSC 8", "\u001b]8;;http://127.0.0.1\u0007here\u001b]8;;\u0007", "here"],
    ["a title with spaces", "a\u001b]0;some title\u0007b", "ab"],
    ["CR that would overwrite", "good\rbad", "good bad"],
    ["whitespace of all kinds", "a\tb\nc\u000bd\u2028e", "a b c d e"],
    ["BS, BEL, NUL, DEL", "a\b\u0007\u0000\u007fb", "ab"],
    ["bidirectional and tag characters", "a\u202eb\u2066c\u{e0041}d\ufeff", "abcd"],
    ["what nobody sees", "pay\u200bpal\u2060 \u00ada\ufe0fb\u200dc\u3164\u034f\u{e0101}", "paypal abc"],
    ["what joins emoji", "👩‍💻 ❤️ 👍🏽 1️⃣ 🧑🏽‍🚀 ❤️‍🔥", "👩‍💻 ❤️ 👍🏽 1️⃣ 🧑🏽‍🚀 ❤️‍🔥"],
    ["wide characters and joined emoji stay", "日本語 👩‍💻 é", "日本語 👩‍💻 é"]
  ])("%s", (_, text, shown) => expect(clean(text)).toBe(shown))

  it("leaves nothing that controls a terminal, of any text", () => {
    const source = random(1)
    for (let turn = 0; turn < 5_000; turn++) {
      const text = evil(source)
      const shown = clean(text)
      expect(shown, JSON.stringify(text)).not.toMatch(harmful)
      expect(shown, JSON.stringify(text)).not.toContain("\n")
      expect(firstLine(text), JSON.stringify(text)).not.toMatch(harmful)
      expect(cleanLines(text), JSON.stringify(text)).not.toMatch(harmful)
    }
  })

  it("is quick with a megabyte of introducers", () => {
    const text = "\u001b[\u001b]52;c;".repeat(100_000)
    const started = performance.now()
    expect(clean(text)).not.toMatch(harmful)
    expect(cleanLines(text)).not.toMatch(harmful)
    expect(performance.now() - started).toBeLessThan(5_000)
  })

  it("JSON is read back as it was, and controls no terminal", () => {
    const source = random(2)
    for (let turn = 0; turn < 2_000; turn++) {
      const value = { [evil(source)]: [evil(source), turn] }
      const text = json(value)
      expect(text, JSON.stringify(value)).not.toMatch(harmful)
      expect(JSON.parse(text)).toEqual(value)
    }
  })
})
