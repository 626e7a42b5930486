/** A look at JSON text before it is parsed: values that nest without end break whatever recurses over them later. */

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
