import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as RunConfig from "../src/RunConfig.js"

let directory = ""
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-config-"))
  for (const name of ["tests", "src"]) fs.mkdirSync(path.join(directory, name))
  fs.writeFileSync(path.join(directory, "task.md"), "from a file\n")
})
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

const known: RunConfig.Known = {
  roles: [
    { name: "test", permission: "exec" },
    { name: "code", permission: "exec" },
    { name: "review", permission: "read" },
    { name: "docs", permission: "edit" },
    { name: "orchestrator", permission: "read" }
  ],
  tools: ["claude", "codex", "mock"]
}

const decode = (text: string, more: Partial<RunConfig.Known> = {}) =>
  Effect.runSync(Effect.either(RunConfig.decode(text, { ...known, ...more, directory, file: "agents.json" })))

const issues = (text: string, more: Partial<RunConfig.Known> = {}): ReadonlyArray<RunConfig.Issue> => {
  const result = decode(text, more)
  return Either.isLeft(result) ? result.left.issues : []
}
const good = (value: unknown, more: Partial<RunConfig.Known> = {}): RunConfig.RunConfig =>
  Either.getOrThrow(decode(typeof value === "string" ? value : JSON.stringify(value), more))

const agent = { role: "code", directory: "./src", task: "do it" }

describe("RunConfig", () => {
  it("the template of init-config decodes unchanged, with every default filled in", () => {
    const config = good(RunConfig.template("json", "./schema.json"))
    expect(config).toMatchObject({ project: "default", workers: 3 })
    expect(config.jobs.map((job) => [job.agentId, job.role, job.permission, job.tool])).toEqual([
      ["test-1", "test", "exec", "claude"],
      ["code-1", "code", "exec", "claude"],
      ["review-1", "review", "read", "claude"]
    ])
    expect(config.jobs[0]).toMatchObject({
      directory: path.join(directory, "tests"),
      timeout: null,
      startTimeout: 120_000,
      idleTimeout: 900_000,
      retryTimeout: 120_000,
      grace: 5_000,
      maxOutput: 64 * 1024 * 1024,
      retries: 1,
      containment: "auto",
      memory: true,
      settings: {}
    })
  })

  it("the JSON Schema is in the package as the build has made it", () => {
    const built = fs.readFileSync(new URL("../dist/agents.schema.json", import.meta.url), "utf8")
    expect(built).toBe(RunConfig.jsonSchemaText())
  })

  it("an orchestrator may ask for agents that do what it may do itself, others for none, unless the user says so", () => {
    const tools = { own: { command: ["sh"] } }
    const chief = { ...agent, role: "orchestrator" }
    const grants = (value: object) => good({ tools, ...value }).jobs.map(({ delegate, tools }) => [delegate, tools])
    expect(grants({ agents: [chief, agent] })).toEqual([
      ["read", tools],
      ["none", {}]
    ])
    expect(grants({ delegate: "edit", agents: [chief, { ...agent, delegate: "none" }] })).toEqual([
      ["edit", tools],
      ["none", {}]
    ])
    expect(
      grants({
        agents: [
          { ...chief, permission: "exec" },
          { ...chief, delegate: "full" }
        ]
      })
    ).toEqual([
      ["exec", tools],
      ["full", tools]
    ])
    expect(issues(JSON.stringify([{ ...agent, delegate: "exce" }]))).toMatchObject([
      { path: "[0].delegate", suggestion: expect.stringContaining("exec") }
    ])
  })

  it("an agent's word goes over its role's, that over the run's; the command line goes over all", () => {
    const text = {
      tool: "codex",
      timeout: "5 minutes",
      permission: "edit",
      agents: [agent, { ...agent, tool: "mock", timeout: 60, permission: "read", id: "two" }]
    }
    expect(good(text).jobs).toMatchObject([
      { tool: "codex", timeout: 300_000, permission: "edit" },
      { tool: "mock", timeout: 60_000, permission: "read", agentId: "two" }
    ])
    const overrides = { tool: "mock", timeout: 1_000, project: "mine", workers: 9, memory: false }
    const config = good(text, { overrides })
    expect(config).toMatchObject({ project: "mine", workers: 9 })
    for (const job of config.jobs)
      expect(job).toMatchObject({ tool: "mock", timeout: 1_000, project: "mine", memory: false })
    expect(issues(JSON.stringify(text), { overrides: { tool: "clod" } })).toMatchObject([{ path: "--tool" }])
  })

  it("comments and trailing commas are welcome; a byte order mark does no harm", () => {
    const config = good(`\ufeff// agents\n[ /* one */ ${JSON.stringify(agent)}, ]`)
    expect(config.jobs).toHaveLength(1)
  })

  it("a new name under tools makes a new tool", () => {
    const config = good({
      tool: "mine",
      tools: { mine: { command: ["./agent.sh"], passEnv: ["MY_*"] } },
      agents: [agent]
    })
    expect(config.jobs[0]).toMatchObject({ tool: "mine", settings: { command: ["./agent.sh"], passEnv: ["MY_*"] } })
    expect(issues(JSON.stringify({ tools: { mine: {} }, agents: [agent] }))).toMatchObject([
      { path: "tools.mine", message: "command is missing" }
    ])
  })

  it("a task may be in a file or on stdin, and is taken byte for byte", () => {
    const config = good(
      [
        { role: "code", directory: ".", taskFile: "task.md" },
        { role: "code", directory: ".", taskFile: "-" }
      ],
      { stdin: () => "  from stdin\r\n" }
    )
    expect(config.jobs.map((job) => job.task)).toEqual(["from a file\n", "  from stdin\r\n"])
    expect(issues(JSON.stringify([{ ...agent, taskFile: "task.md" }]))).toMatchObject([{ path: "[0].taskFile" }])
    expect(issues(JSON.stringify([{ role: "code", directory: "." }]))).toMatchObject([{ message: "task is missing" }])
    expect(issues(JSON.stringify([{ role: "code", directory: ".", taskFile: "none.md" }]))).toMatchObject([
      { path: "[0].taskFile", message: expect.stringContaining("is not there"), suggestion: expect.any(String) }
    ])
  })

  it.each([
    ["not UTF-8", Buffer.from([0x61, 0xff, 0xfe]), "is not UTF-8 text", "save it as UTF-8"],
    ["NUL", "a\u0000b", "holds the character NUL", "name a file of text"],
    ["empty", " \n", "is empty", "write the task into it"],
    ["too large", "x".repeat(4 * 1024 * 1024 + 1), "is larger than 4 MiB", "keep the task"]
  ])("a file that holds no task is told with what to do: %s", (_, content, what, todo) => {
    const file = path.join(directory, "wrong.md")
    fs.writeFileSync(file, content)
    const found = issues(JSON.stringify([{ role: "code", directory: ".", taskFile: "wrong.md" }]))
    fs.rmSync(file)
    expect(found).toMatchObject([
      { path: "[0].taskFile", message: expect.stringContaining(what), suggestion: expect.stringContaining(todo) }
    ])
  })

  it("ids given by the user are never given twice", () => {
    const config = good([{ ...agent, id: "code-1" }, agent, agent])
    expect(config.jobs.map((job) => job.agentId)).toEqual(["code-1", "code-2", "code-3"])
    expect(
      issues(
        JSON.stringify([
          { ...agent, id: "x" },
          { ...agent, id: "x" }
        ])
      )
    ).toMatchObject([{ path: "[1].id" }])
  })

  it("a session is an id: what a program could take for an option or for several words is refused", () => {
    const config = good([agent, { ...agent, session: "0193-ab_c" }])
    expect(config.jobs.map((job) => job.session)).toEqual([null, "0193-ab_c"])
    for (const session of ["", "-x", "--last", "a b", "a\n", " a", "a\u0000", "a\u001b[2J", "x".repeat(201), 7]) {
      expect(issues(JSON.stringify([{ ...agent, session }])), JSON.stringify(session)).toMatchObject([
        { path: "[0].session" }
      ])
    }
    const twice = [
      { ...agent, session: "one" },
      { ...agent, session: "one" }
    ]
    expect(issues(JSON.stringify(twice))).toMatchObject([{ path: "[1].session" }])
  })

  it("F01: cut at any byte it is one error with a place, never a crash", () => {
    const text = JSON.stringify({ workers: 2, agents: [{ ...agent, task: 'quotes " and \\ and é' }] }, null, 2)
    for (let end = 0; end < text.length; end += 1) {
      const found = issues(text.slice(0, end))
      expect(found.length, text.slice(0, end)).toBe(1)
      expect(found[0]?.line).toBeGreaterThan(0)
      expect(found[0]?.column).toBeGreaterThan(0)
    }
  })

  it("F02: all problems at once, each with path, line, column and suggestion", () => {
    const found = issues(`{
  "workers": "3",
  "idletimeout": 5,
  "timeout": -1,
  "agents": [
    { "role": "tset", "directory": "./nowhere", "task": "x", "permission": "reed", "tool": "clade" },
    { "role": "code", "directory": ".", "taks": "y" }
  ]
}`)
    expect(found).toMatchObject([
      { path: "workers", line: 2, column: 14, message: 'expected a whole number from 1 to 256, got "3"' },
      {
        path: "idletimeout",
        line: 3,
        column: 3,
        message: 'unknown key "idletimeout"',
        suggestion: 'did you mean "idleTimeout"?'
      },
      { path: "timeout", line: 4, column: 14, message: expect.stringContaining("got -1") },
      { path: "agents[0].role", line: 6, column: 15, suggestion: 'did you mean "test"?' },
      { path: "agents[0].directory", line: 6, message: expect.stringContaining("no directory") },
      { path: "agents[0].permission", line: 6, suggestion: 'did you mean "read"?' },
      { path: "agents[0].tool", line: 6, suggestion: 'did you mean "claude"?' },
      { path: "agents[1]", line: 7, message: "task is missing" },
      { path: "agents[1].taks", line: 7, suggestion: 'did you mean "task"?' }
    ])
  })

  it("in the list form paths begin at the list", () => {
    expect(issues(`[{ "role": "code", "directory": ".", "task": "x", "timeout": 0 }]`)).toMatchObject([
      { path: "[0].timeout", line: 1, column: 62 }
    ])
  })

  it("F03: workers outside 1..256 or not whole are refused, and the bound is named", () => {
    for (const workers of [0, -1, 1.5, 1e9, null, true, "2"]) {
      const found = issues(JSON.stringify({ workers, agents: [agent] }))
      expect(found).toMatchObject([{ path: "workers", message: expect.stringContaining("from 1 to 256") }])
    }
    for (const workers of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
      const result = Effect.runSync(
        Effect.either(RunConfig.fromInput({ workers, agents: [agent] }, { ...known, directory }))
      )
      expect(Either.isLeft(result) && result.left.issues).toMatchObject([{ path: "workers", line: null }])
    }
  })

  it("a key twice, or one that reaches a prototype, is refused", () => {
    expect(issues(`{"workers": 1,\n "workers": 2, "agents": [${JSON.stringify(agent)}]}`)).toMatchObject([
      { path: "workers", line: 2, column: 2, message: 'the key "workers" stands here twice' }
    ])
    for (const key of ["__proto__", "constructor", "prototype"]) {
      const found = issues(`{"agents": [${JSON.stringify(agent)}], "tools": {"mock": {"env": {"${key}": "x"}}}}`)
      expect(found).toMatchObject([{ message: `the key "${key}" is not allowed` }])
    }
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false)
  })

  it("too large or nested too deep is told before it is parsed", () => {
    expect(issues(" ".repeat(9 * 1024 * 1024))).toMatchObject([
      { message: expect.stringContaining("larger than 8 MiB") }
    ])
    const begun = performance.now()
    expect(issues("[".repeat(4_000_000))).toMatchObject([
      { message: expect.stringContaining("levels deep"), column: 33 }
    ])
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  it("what is no configuration at all is one clear error", () => {
    for (const text of ["", "  ", "null", "3", '"x"', "[]", "{}", "[3]", '{"agents": {}}']) {
      expect(issues(text).length, text).toBeGreaterThan(0)
    }
  })

  it("any text has an answer", () => {
    const word = FastCheck.constantFrom(
      "[",
      "]",
      "{",
      "}",
      '"role"',
      ":",
      ",",
      "1e999",
      "//",
      "/*",
      "*/",
      '"__proto__"',
      "\n",
      "null"
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.oneof(word, FastCheck.string()), { maxLength: 30 }), (words) => {
        expect(issues(words.join("")).length).toBeGreaterThan(0)
      }),
      { numRuns: 500 }
    )
  })

  it.effect("a file is read with its own folder as base; what is not there is not found", () =>
    Effect.gen(function* () {
      const file = path.join(directory, "agents.json")
      fs.writeFileSync(file, RunConfig.template("json", "./schema.json"))
      const config = yield* RunConfig.load(file, known)
      expect(config.jobs[1]?.directory).toBe(path.join(directory, "src"))
      const missing = yield* Effect.flip(RunConfig.load(path.join(directory, "none.json"), known))
      expect(missing._tag).toBe("ConfigNotFound")
      const folder = yield* Effect.flip(RunConfig.load(directory, known))
      expect(folder).toMatchObject({
        _tag: "ConfigError",
        message: `${directory}: this is a folder – name a file in it, such as agents.json`
      })
      fs.writeFileSync(file, Uint8Array.from([0x5b, 0xff, 0x5d]))
      const bad = yield* Effect.flip(RunConfig.load(file, known))
      expect(bad).toMatchObject({ _tag: "ConfigError", message: expect.stringContaining("not UTF-8") })
    })
  )

  it("the JSON Schema of both forms comes from the same definition, defaults included", () => {
    const schema = JSON.stringify(RunConfig.jsonSchema())
    expect(schema).not.toContain("$ref")
    expect(schema).toContain('"default":"claude"')
    expect(schema).toContain('"default":3')
    expect(RunConfig.jsonSchema()).toMatchObject({
      anyOf: [
        { type: "array", items: { type: "object", required: ["role", "directory"], additionalProperties: false } },
        {
          type: "object",
          required: ["agents"],
          additionalProperties: false,
          properties: { workers: { type: "integer", minimum: 1, maximum: 256, default: 3 } }
        }
      ]
    })
  })
})
