/**
 * docs/agent-programs.md says what the adapters do and what the tests against the real programs expect. Falsified by: a block
 * of that page that is not what the data gives. `CONTEXTFS_WRITE_DOCS=1` writes the blocks anew.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import type { Invocation, InvocationRequest, ToolAdapter } from "../packages/core/src/ToolAdapter.js"
import * as Tools from "../packages/core/src/Tools.js"
import { type ClientName, clientNames, clients } from "../packages/fixtures/src/Clients.js"
import { expectedOf } from "./clients/support/situation.js"
import { situations } from "./clients/support/situations.js"

const page = fileURLToPath(new URL("../docs/agent-programs.md", import.meta.url))

const adapterOf = (name: ClientName): ToolAdapter => {
  const adapter = Tools.builtIn.get(name)
  if (adapter === undefined) throw new Error(`no adapter ${name}`)
  return adapter
}

const invoke = (adapter: ToolAdapter, change: Partial<InvocationRequest>): Invocation => {
  const invocation = adapter.invocation({
    prompt: "",
    directory: "DIRECTORY",
    folder: "ATTEMPT",
    permission: "edit",
    model: undefined,
    resume: undefined,
    memory: undefined,
    env: { HOME: "HOME" },
    root: false,
    ...change
  })
  if ("refused" in invocation) throw new Error(invocation.refused)
  return invocation
}

/** An option stands with its value. */
const grouped = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const groups: Array<string> = []
  for (const word of args) {
    const last = groups.at(-1)
    if (last === undefined || word.startsWith("-") || !/^-\S+$/.test(last)) groups.push(word)
    else groups.splice(-1, 1, `${last} ${word}`)
  }
  return groups
}

/** What the program gets, in pieces that stand for themselves: words, variables, files. */
const pieces = ({ args, env, files = {}, overlays = [] }: Invocation): ReadonlyArray<string> => {
  const made = overlays.flatMap(({ at, files = {} }) =>
    Object.entries(files).map(([name, make]) => [`${at}/${name}`, make(undefined)] as const)
  )
  return [
    ...grouped(args),
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...[...Object.entries(files), ...made].map(([name, text]) => `ATTEMPT/${name}: ${text}`)
  ]
}

const without = (all: ReadonlyArray<string>, some: ReadonlyArray<string>) => {
  const left = [...some]
  return all.filter((piece) => {
    const at = left.indexOf(piece)
    if (at !== -1) left.splice(at, 1)
    return at === -1
  })
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const code = (words: ReadonlyArray<string>): string =>
  words.length === 0 ? "nothing" : words.map((word) => `\`${word}\``).join(" ")

const becomes = (name: ClientName): string => {
  const adapter = adapterOf(name)
  const { permissions } = adapter.capabilities
  const levels = permissions.map((permission) => pieces(invoke(adapter, { permission })))
  const always = levels.reduce((shared, level) => without(shared, without(shared, level)))
  const edit = pieces(invoke(adapter, {}))
  const more = (change: Partial<InvocationRequest>) => code(without(pieces(invoke(adapter, change)), edit))
  const memory = {
    server: "contextfs",
    command: "node",
    args: ["bridge.js"],
    env: { CONTEXTFS_SOCKET: "", CONTEXTFS_TOKEN: "" }
  }
  return table(
    ["of a job", "the program gets"],
    [
      ["always", code(always)],
      ...permissions.map((permission, level) => [
        `permission \`${permission}\``,
        code(without(levels[level] ?? [], always))
      ]),
      ["`model`", more({ model: "MODEL" })],
      ["`session`", more({ resume: "SESSION" })],
      ["the memory", more({ memory })],
      ["your variables", code(adapter.passEnv({}))]
    ]
  )
}

const honours = (): string => {
  const row = (what: string, told: (name: ClientName) => string) => [what, ...clientNames.map(told)]
  const can = (what: keyof ToolAdapter["capabilities"]) => (name: ClientName) =>
    adapterOf(name).capabilities[what] === true ? "yes" : "no"
  return table(
    ["", ...clientNames],
    [
      row("permission levels", (name) => adapterOf(name).capabilities.permissions.join(", ")),
      row("shared memory over MCP", can("memory")),
      row("`model`", can("model")),
      row("`session`: go on with an earlier one", can("resume")),
      row("tells the cost in dollars", can("cost")),
      row("system prompt ¹", can("systemPrompt")),
      row("turn limit ¹", can("turnLimit")),
      row("output schema ¹", can("outputSchema")),
      row("npm package", (name) => `\`${clients[name].npm}\``),
      row("version that the tests drive", (name) => clients[name].version)
    ]
  )
}

const matrix = (): string => {
  const reasons = [...new Set(situations.flatMap(({ impossible }) => Object.values(impossible ?? {})))]
  const rows = situations.map((situation) => [
    `\`${situation.name}\``,
    situation.what,
    ...clientNames.map((name) => {
      const why = situation.impossible?.[name]
      return why === undefined ? expectedOf(situation, name).join(" or ") : `– (${reasons.indexOf(why) + 1})`
    })
  ])
  const notes = reasons.map((why, index) => `${index + 1}. ${why}`)
  return [table(["situation", "what happens", ...clientNames], rows), notes.join("\n")].join("\n\n")
}

const blocks: Readonly<Record<string, string>> = {
  honours: honours(),
  ...Object.fromEntries(clientNames.map((name) => [name, becomes(name)])),
  situations: matrix()
}

it.each(Object.entries(blocks))("the block %s is what the code says", (name, text) => {
  const written = readFileSync(page, "utf8")
  const [begin, end] = [`<!-- ${name}: made by test/agentPrograms.test.ts -->\n`, `\n<!-- ${name} ends -->`]
  const from = written.indexOf(begin) + begin.length
  const to = written.indexOf(end, from)
  expect(from).toBeGreaterThanOrEqual(begin.length)
  expect(to).toBeGreaterThanOrEqual(from)
  if (process.env["CONTEXTFS_WRITE_DOCS"] === "1") {
    writeFileSync(page, `${written.slice(0, from)}${text}${written.slice(to)}`)
  } else expect(written.slice(from, to), "CONTEXTFS_WRITE_DOCS=1 npx vitest run writes it anew").toBe(text)
})
