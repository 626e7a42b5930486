/** The same numbers for the same seed (mulberry32). */
export const random = (seed) => {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count) => Math.floor(next() * count)
  const pick = (from) => from[below(from.length)]
  const word = (length, alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") =>
    Array.from({ length }, () => alphabet[below(alphabet.length)]).join("")
  return { next, below, pick, word }
}

const pieces = [
  ..."{}[]()\"'`\\/,:;.-_#@!?*&|<>=+~^$% \t\n\r0123456789abczAZ",
  "\u0000",
  "\u0007",
  "\b",
  "\u001b",
  "\u001b[2J",
  "\u001b]52;c;ZXZpbA==\u0007",
  "\u001b]0;a title\u001b\\",
  "\u001b]8;;http://127.0.0.1\u0007x",
  "\u001bP1;2q~\u001b\\",
  "\u001b_apc\u001b\\",
  "\u001b^pm\u001b\\",
  "\u007f",
  "\u0085",
  "\u009b31m",
  "\u009d52;c;x\u009c",
  "\u2028",
  "\u2029",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u200d",
  "\u00ad",
  "\u034f",
  "\u3164",
  "\ufe0f",
  "\ufeff",
  "\u{e0041}",
  "\u{e0101}",
  "\ud800",
  "\udc00",
  "日本語",
  "👩‍💻",
  "e\u0301",
  "null",
  "true",
  "NaN",
  "1e999",
  "-0",
  "__proto__",
  "constructor",
  "prototype",
  "${x}",
  "$(id)",
  "%s",
  "../..",
  "~",
  '"agents"',
  '"role"',
  '"task"',
  "- a: &x\n",
  "*x",
  "<<: *x",
  "!!js/function",
  "? ",
  "---\n",
  "// x\n",
  "/* ",
  "# x\n",
  "NEAR(",
  "AND",
  "OR NOT",
  "col:",
  "a-b",
  "5 minutes",
  "1.5h",
  "--workers",
  "-w3",
  "--",
  "=",
  "mock: say",
  '"type":"message"',
  '"jsonrpc":"2.0"',
  '"method":"tools/call"'
]

/** A text of some pieces, most of them evil; now and then long or deep. */
export const evil = (source) => {
  const kind = source.below(40)
  if (kind === 0) return source.pick(pieces).repeat(1 + source.below(20_000))
  if (kind === 1) return `${source.pick(["[", '{"a":', "- "]).repeat(1 + source.below(5_000))}`
  return Array.from({ length: 1 + source.below(12) }, () => source.pick(pieces)).join("")
}

/** A valid text with some of it cut, doubled, swapped or replaced. */
export const mutate = (source, text) => {
  let mutant = text
  for (let turns = 1 + source.below(3); turns > 0; turns--) {
    const at = source.below(mutant.length + 1)
    const to = at + source.below(20)
    mutant =
      mutant.slice(0, at) +
      source.pick(["", evil(source), mutant.slice(at, to).repeat(2), source.pick(pieces)]) +
      mutant.slice(source.pick([at, to]))
  }
  return mutant
}
