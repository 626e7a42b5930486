import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as RunConfig from "../src/RunConfig.js"

let directory = ""
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-yaml-"))
})
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

const known: RunConfig.Known = {
  roles: [
    { name: "test", permission: "exec" },
    { name: "review", permission: "read" }
  ],
  tools: ["claude", "mock"]
}

const decode = (text: string, file = "agents.yaml") =>
  Effect.runPromise(Effect.either(RunConfig.decode(text, { ...known, directory, file })))

/** Each as it is shown. */
const told = async (text: string, file?: string): Promise<ReadonlyArray<string>> => {
  const result = await decode(text, file)
  return Either.isLeft(result) ? result.left.message.split("\n") : []
}

const agents = "agents:\n  - role: test\n    directory: .\n    task: x\n"

describe("a configuration in YAML", () => {
  it("comes to the same as the one in JSON", async () => {
    const yaml = `# a comment
tool: mock
timeout: 5 minutes
tools: {mine: {command: [./agent.sh]}}
agents:
- role: test
  directory: .
  env: {A: "1", B: no, C: 'true', D: 2024-01-01}
  task: |
    # Two
    lines
- {role: review, directory: ., task: "\\u00fc"}
`
    const json = {
      tool: "mock",
      timeout: "5 minutes",
      tools: { mine: { command: ["./agent.sh"] } },
      agents: [
        {
          role: "test",
          directory: ".",
          env: { A: "1", B: "no", C: "true", D: "2024-01-01" },
          task: "# Two\nlines\n"
        },
        { role: "review", directory: ".", task: "ü" }
      ]
    }
    const wanted = Either.getOrThrow(await decode(JSON.stringify(json), "agents.json"))
    expect(wanted.jobs).toHaveLength(2)
    for (const file of ["agents.yaml", "agents.yml", "AGENTS.YAML"]) {
      expect(Either.getOrThrow(await decode(yaml, file))).toEqual(wanted)
    }
    expect(Either.getOrThrow(await decode(JSON.stringify(json), "agents.yaml"))).toEqual(wanted)
    expect(Either.getOrThrow(await decode(`\ufeff${yaml.replaceAll("\n", "\r\n")}`)).jobs[1]).toEqual(wanted.jobs[1])
  })

  it("the template of init-config comes to the same in both", async () => {
    for (const folder of ["tests", "src"]) fs.mkdirSync(path.join(directory, folder))
    const roles = ["test", "code", "review"].map((name) => ({ name, permission: "read" as const }))
    const [json, yaml] = await Promise.all(
      (["json", "yaml"] as const).map((format) =>
        Effect.runPromise(
          RunConfig.decode(RunConfig.template(format, "./schema.json"), {
            ...known,
            roles,
            directory,
            file: `agents.${format}`
          })
        )
      )
    )
    expect(json?.jobs).toHaveLength(3)
    expect(yaml).toEqual(json)
  })

  it("is read from a file by its name", async () => {
    const file = path.join(directory, "run.yml")
    fs.writeFileSync(file, agents)
    expect((await Effect.runPromise(RunConfig.load(file, known))).jobs).toMatchObject([{ task: "x", directory }])
    expect(await told(agents, "agents.json")).toEqual([
      "agents.json:1:1 this is no JSON value – a file in YAML has a name that ends in .yaml"
    ])
  })

  it("tells every problem at once, each at its place", async () => {
    expect(
      await told(
        "# what\nwrkers: 3\nworkers: 010.5\nagents:\n  - role: tset\n    directory: .\n    task: 12\n  -\ntools:\n__proto__: {a: 1}\nproject: a\nproject: b\n"
      )
    ).toEqual([
      'agents.yaml:2:1 wrkers: unknown key "wrkers" – did you mean "workers"?',
      "agents.yaml:3:10 workers: expected a whole number from 1 to 256, got 10.5",
      'agents.yaml:5:11 agents[0].role: unknown role "tset" – did you mean "test"?',
      "agents.yaml:7:11 agents[0].task: expected a text that is not empty, got 12",
      "agents.yaml:8:4 agents[1]: expected an agent with role, directory and task, got null",
      "agents.yaml:9:7 tools: expected settings by the name of a tool, got null",
      'agents.yaml:10:1 __proto__: the key "__proto__" is not allowed',
      'agents.yaml:12:1 project: the key "project" stands here twice'
    ])
  })

  it.each([
    ["an alias", `a: &a [x]\nb: [*a, *a]\n${agents}`, "2:5 the alias *a is not allowed – write the value out"],
    ["a merge key", `a:\n  <<: {b: 1}\n${agents}`, "2:3 the merge key << is not allowed – write the keys out"],
    ["a tag", `project: !env HOME\n${agents}`, "1:10 unresolved tag: !env"],
    ["a tag for code", `project: !!js/function x\n${agents}`, "1:10 unresolved tag: tag:yaml.org,2002:js/function"],
    ["a list for a key", `[a]: b\n${agents}`, "1:1 a key must be a text"],
    ["a second document", `${agents}---\n${agents}`, "5:1 a second document is not allowed – keep one, without ---"],
    ["a tab", "agents:\n\t- role: test\n", "2:1 tabs are not allowed as indentation"],
    ["an open quote", `project: "a\n${agents}`, '6:1 missing closing "quote'],
    ["a colon in a text", `project: a: b\n${agents}`, "1:10 nested mappings are not allowed"],
    ["a list without end", "[{role: test", "1:13 "],
    ["an empty file", " \n", "1:1 the file is empty"],
    ["a file of comments", "# nothing\n", "1:1 expected a list of agents"],
    ["an empty list", "agents: []\n", "1:9 agents: the list is empty"],
    ["deep brackets", `a: ${"[".repeat(1e6)}`, "1:36 nested more than 32 levels deep"],
    ["deep dashes", "- ".repeat(1e6), "1:66 nested more than 32 levels deep"],
    ["deep question marks", "? ".repeat(1e6), "nested more than 32 levels deep"],
    ["9 MiB", `a: ${"x".repeat(9 * 1024 * 1024)}`, "1:1 the file is larger than 8 MiB"]
  ])("refuses %s", async (_, text, what) => {
    const lines = await told(text)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(what)
  })

  it("32 levels are allowed", async () => {
    const [only, ...more] = await told(`a: ${"[".repeat(31)}${"]".repeat(31)}\n${agents}`)
    expect(only).toContain('a: unknown key "a"')
    expect(more).toEqual([])
  })

  it("thousands of wrong keys are told in a time that grows with their number", async () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}: 1\n`).join("")
    expect(await told(agents + keys)).toHaveLength(5_000)
  })
})
