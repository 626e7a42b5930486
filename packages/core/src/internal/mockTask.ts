/** What the mock agent reads out of its prompt. */

export type Directive =
  | { readonly verb: "delay"; readonly millis: number }
  | { readonly verb: "say"; readonly text: string }
  | { readonly verb: "search"; readonly query: string }
  | { readonly verb: "save"; readonly type: string; readonly text: string }
  | { readonly verb: "wait-for"; readonly query: string; readonly millis: number }
  | { readonly verb: "fail"; readonly message: string }
  | { readonly verb: "exit"; readonly code: number }

const scale: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }
const time = String.raw`(\d+(?:\.\d+)?)(ms|s|m)`
const quoted = String.raw`"((?:[^"\\]|\\.)*)"`

const millis = (value: string | undefined, unit: string | undefined): number => Number(value) * (scale[unit ?? ""] ?? 1)
const unquote = (text: string | undefined): string => (text ?? "").replace(/\\(.)/g, "$1")

const forms: ReadonlyArray<readonly [RegExp, (found: RegExpExecArray) => Directive]> = [
  [new RegExp(`^delay ${time}$`), (found) => ({ verb: "delay", millis: millis(found[1], found[2]) })],
  [new RegExp(`^say ${quoted}$`), (found) => ({ verb: "say", text: unquote(found[1]) })],
  [new RegExp(`^search ${quoted}$`), (found) => ({ verb: "search", query: unquote(found[1]) })],
  [
    new RegExp(`^save ([a-z_]+) ${quoted}$`),
    (found) => ({ verb: "save", type: found[1] ?? "fact", text: unquote(found[2]) })
  ],
  [
    new RegExp(`^wait-for ${quoted}(?: within ${time})?$`),
    (found) => ({
      verb: "wait-for",
      query: unquote(found[1]),
      millis: found[2] === undefined ? 60_000 : millis(found[2], found[3])
    })
  ],
  [new RegExp(`^fail ${quoted}$`), (found) => ({ verb: "fail", message: unquote(found[1]) })],
  [/^exit (\d{1,3})$/, (found) => ({ verb: "exit", code: Number(found[1]) })]
]

/** The `mock:` lines of a task, in order. Throws for a line that says nothing known: a rehearsal must not pass by a typo. */
export const parseDirectives = (task: string): ReadonlyArray<Directive> =>
  task.split("\n").flatMap((line): ReadonlyArray<Directive> => {
    const text = /^\s*mock:\s*(.*?)\s*$/.exec(line)?.[1]
    if (text === undefined) return []
    for (const [form, make] of forms) {
      const found = form.exec(text)
      if (found !== null) return [make(found)]
    }
    throw new Error(
      `the mock agent does not know "mock: ${text}"; it knows delay, say, search, save, wait-for, fail and exit`
    )
  })

/** The task stands at the end of a prompt, after the last line that is its heading; without one the prompt is the task. */
export const taskOf = (prompt: string): string => {
  const headings = [...prompt.matchAll(/^(?:#{1,6} )?(?:your |the )?task:?[ \t]*$/gim)]
  const last = headings.at(-1)
  return last === undefined ? prompt : prompt.slice(last.index + last[0].length).trimStart()
}
