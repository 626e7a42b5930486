/** What JSON can hold that breaks those who use it: values that nest without end, and names that reach what objects share. */

const quote = 0x22
const backslash = 0x5c

/** Whether objects and lists nest more than `levels` deep. Text that is no JSON gets an answer as well. */
export const isDeeper = (text: string, levels: number): boolean => {
  let depth = 0
  let within = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (within) {
      if (code === backslash) at++
      else if (code === quote) within = false
    } else if (code === quote) within = true
    // [ and {, ] and }
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > levels) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

const forbidden: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

/** The first key anywhere in a value that JSON was parsed to by which an object's own machinery would be reached. */
export const forbiddenKey = (value: unknown): string | undefined => {
  const left: Array<unknown> = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next !== "object" || next === null) continue
    const found = Array.isArray(next) ? undefined : Object.keys(next).find((key) => forbidden.has(key))
    if (found !== undefined) return found
    for (const inner of Object.values(next)) left.push(inner)
  }
  return undefined
}
