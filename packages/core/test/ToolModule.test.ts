import * as fs from "node:fs"
import * as path from "node:path"
import { builtIn as roles } from "@contextfs/roles/RoleRegistry"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import { runAgents } from "../src/index.js"
import * as RunConfig from "../src/RunConfig.js"
import * as ToolModule from "../src/ToolModule.js"
import * as Tools from "../src/Tools.js"
import { makeHome } from "./harness.js"

const home = makeHome()
afterAll(home.remove)
const write = (name: string, text: string): string => {
  const file = path.join(home.work, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}
/** The text of an adapter that echoes its prompt. */
const echo = (name = "echo", more = "") => `{
  name: ${JSON.stringify(name)}, description: "Echoes", program: null, command: ["/bin/cat"], output: "text", exitAbove128: "signal",
  passEnv: () => [],
  capabilities: { permissions: ["read", "edit", "exec"], memory: false, resume: false, model: false, cost: false },
  invocation: ({ prompt }) => ({ args: [], env: {}, stdin: prompt }),
  decoder: () => ({ line: (text) => [{ kind: "message", text }] }) ${more}
}`
write("echo.mjs", `export default ${echo()}`)
write("lame.mjs", `export const adapter = { ...${echo()}, decoder: undefined, output: "words" }`)
write("node_modules/my-tool/package.json", JSON.stringify({ name: "my-tool", exports: { import: "./index.mjs" } }))
write("node_modules/my-tool/index.mjs", `export const adapter = ${echo("packaged")}`)

const known: RunConfig.Known = { roles, tools: [...Tools.builtIn.keys()] }
const agent = { role: "custom", directory: ".", task: "hello there" }
const decode = (input: unknown, more: Partial<RunConfig.Known> = {}) =>
  RunConfig.fromInput(input, { ...known, ...more, directory: home.work })

describe("a tool module", () => {
  it.effect("is loaded from a file or a package, as default or adapter", () =>
    Effect.gen(function* () {
      const loaded = yield* ToolModule.load("./echo.mjs", home.work)
      expect([loaded.file, loaded.adapter.name]).toEqual([path.join(home.work, "echo.mjs"), "echo"])
      expect((yield* ToolModule.load("my-tool", home.work)).adapter.name).toBe("packaged")
    })
  )

  it.effect("is refused in one line that says all it lacks", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ToolModule.load("./lame.mjs", home.work))
      expect(error.message).toBe(
        'the module\'s tool adapter is not whole: output must be "events" or "text"; decoder must be a function'
      )
      write("nothing.mjs", "export const other = 1")
      expect((yield* Effect.flip(ToolModule.load("./nothing.mjs", home.work))).message).toBe(
        "the module exports no tool adapter"
      )
    })
  )

  it("knows every built-in adapter as whole", () => {
    for (const adapter of Tools.builtIn.values()) expect(ToolModule.problems(adapter)).toEqual([])
    expect(ToolModule.problems(7)).toEqual(["it is no object"])
    expect(ToolModule.problems({ name: "A B" })).toEqual(
      expect.arrayContaining(["name must be lower-case letters, digits and hyphens", "invocation is missing"])
    )
  })
})

describe("a configuration", () => {
  it.effect("names modules wherever it names tools; jobs tell them by their file", () =>
    Effect.gen(function* () {
      const { adapters, jobs } = yield* decode({
        tool: "./echo.mjs",
        tools: { mine: { adapter: "my-tool", args: ["-u"] }, echo: { env: { A: "1" } } },
        agents: [agent, { ...agent, tool: "mine" }, { ...agent, tool: "my-tool" }, { ...agent, tool: "mock" }]
      })
      const file = path.join(home.work, "echo.mjs")
      const packaged = path.join(home.work, "node_modules/my-tool/index.mjs")
      expect(jobs.map(({ settings, tool }) => [tool, settings])).toEqual([
        ["echo", { adapter: file, env: { A: "1" } }],
        ["mine", { adapter: packaged, args: ["-u"] }],
        ["packaged", { adapter: packaged }],
        ["mock", {}]
      ])
      expect([...adapters].map(([key, { name }]) => [key, name])).toEqual([
        [file, "echo"],
        [packaged, "packaged"]
      ])
    })
  )

  it.effect("tells what is wrong with them where they are named, once, beside everything else", () =>
    Effect.gen(function* () {
      const text = JSON.stringify({
        tools: { x: { adapter: "./lame.mjs" }, y: { adapter: "no-such-package" } },
        memory: { module: "./no-such-store.mjs", optoins: {} },
        agents: [
          { ...agent, tool: "./absent.mjs" },
          { ...agent, tool: "clod" }
        ]
      })
      const error = yield* Effect.flip(RunConfig.decode(text, { ...known, directory: home.work, file: "agents.json" }))
      expect(error.issues.map(({ line, path, suggestion }) => [path, line, suggestion !== undefined])).toEqual([
        ["tools.x.adapter", 1, true],
        ["tools.y.adapter", 1, true],
        ["memory.module", 1, true],
        ["memory.optoins", 1, true],
        ["agents[0].tool", 1, true],
        ["agents[1].tool", 1, true]
      ])
    })
  )

  it.effect("gives way to a module of the command line", () =>
    Effect.gen(function* () {
      const here = path.join(home.root, "elsewhere")
      fs.mkdirSync(here)
      const echo = path.join(home.work, "echo.mjs")
      const { jobs } = yield* decode([{ ...agent, tool: "mock" }], { overrides: { tool: echo }, here })
      expect(jobs.map(({ settings, tool }) => [tool, settings])).toEqual([["echo", { adapter: echo }]])
      // A package is one of where the user stands; a name of the configuration's is no package.
      const problem = yield* Effect.flip(decode([agent], { overrides: { tool: "my-tool" }, here }))
      expect(problem.issues).toMatchObject([{ path: "--tool" }])
      const said = { tools: { "my-tool": { command: ["/bin/cat"] } }, agents: [agent] }
      const own = yield* decode(said, { overrides: { tool: "my-tool" } })
      expect([own.jobs[0]?.settings, own.adapters.size]).toEqual([{ command: ["/bin/cat"] }, 0])
    })
  )

  it("runs agents with what it names: a tool, and a memory", async () => {
    const told: Array<string> = []
    write(
      "store.mjs",
      `const memories = []
       const none = async () => { throw Object.assign(new Error("none"), { name: "MemoryNotFound" }) }
       export default ({ id }) => ({
         save: async (draft, by) => {
           const memory = { ...by, ...draft, id, createdAt: 1, updatedAt: 1, supersededBy: null }
           memories.push(memory)
           return { memory, outcome: "created" }
         },
         search: async () => [], list: async () => memories, events: async () => [],
         get: none, update: none, evolve: none, link: none, links: none, delete: none
       })
       export { memories }`
    )
    const results = await runAgents(
      {
        tool: path.join(home.work, "echo.mjs"),
        memory: { module: path.join(home.work, "store.mjs"), options: { id: "abcdef123456" } },
        agents: [{ ...agent, directory: home.work }]
      },
      { dataDir: home.dataDir, env: home.env, project: "modules", onEvent: ({ kind }) => told.push(kind) }
    )
    expect(results[0]).toMatchObject({ status: "completed", tool: "echo", error: null })
    expect(results[0]?.result).toContain("hello there")
    const { memories } = await import(path.join(home.work, "store.mjs"))
    expect(memories).toMatchObject([{ project: "modules", role: "custom" }])
    expect(fs.existsSync(path.join(home.dataDir, "memory.db"))).toBe(false)
  })
})
