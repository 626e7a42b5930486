/** What the mock agent reads out of its prompt. */
import * as json from "./json.js"

export type Directive =
  | { readonly verb: "delay"; readonly millis: number }
  | { readonly verb: "say"; readonly text: string }
  | { readonly verb: "search"; readonly query: string }
  | { readonly verb: "save"; readonly type: string; readonly text: string }
  | { readonly verb: "wait-for"; readonly query: string; readonly millis: number }
  | { readonly verb: "call"; readonly tool: string; readonly input: json.JsonObject }
  | { readonly verb: "watch" }
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
  [
    /^call (\w+) (\{.*\})$/,
    (found) => ({ verb: "call", tool: found[1] ?? "", input: json.object(json.parseObject(found[2] ?? "")) })
  ],
  [/^watch$/, () => ({ verb: "watch" })],
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
      `the mock agent does not know "mock: ${text}"; it knows delay, say, search, save, wait-for, call, watch, fail and exit`
    )
  })

export interface Assignment {
  readonly role: string
  /** To the last byte. */
  readonly task: string
  /** What the role is asked to save. */
  readonly saves: ReadonlyArray<{ readonly what: string; readonly type: string }>
  /** The role is asked to link what it saves. */
  readonly links: boolean
}

/** Who the agent is and what it has to do, out of the prompt of a job; any other text is the task of a `custom` agent. */
export const parsePrompt = (prompt: string): Assignment => {
  const mark = "\n# Task\n\n"
  const at = prompt.indexOf(mark)
  const head = at === -1 ? "" : prompt.slice(0, at)
  return {
    role: /^You are the agent "([a-z0-9-]+)"/.exec(head)?.[1] ?? "custom",
    task: at === -1 ? prompt : prompt.slice(at + mark.length),
    saves: [...head.matchAll(/^- save (.{1,200}) as type `([a-z_]+)` \(contextfs_save\)$/gm)].map((found) => ({
      what: found[1] ?? "",
      type: found[2] ?? "fact"
    })),
    links: /^- link .+ \(contextfs_link\)$/m.test(head)
  }
}
