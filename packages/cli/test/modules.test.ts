import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { at, document, homes } from "./harness.js"

const home = homes()()
const example = (file: string) => fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url))
for (const file of ["parrot.js", "parrotTool.js"]) {
  fs.cpSync(example(`adapter-in-code/${file}`), path.join(home.work, "tools", file))
}
fs.cpSync(example("memory-json-file/jsonFileStore.js"), path.join(home.work, "store.js"))
fs.writeFileSync(path.join(home.work, "package.json"), '{"type":"module"}')
const agents = [{ role: "review", directory: ".", task: "Say hello." }]
home.file("agents.json", agents)
const memory = [
  "--memory",
  "./store.js",
  "--memory-options",
  JSON.stringify({ file: path.join(home.root, "memory.json") })
]

describe("a tool that is a module", () => {
  it("is run by --tool from where one stands, by its own name", async () => {
    const { code, stderr, stdout } = await home.contextfs([
      ...["orchestrator", "run", "agents.json", "--tool", "./tools/parrotTool.js", "--json"]
    ])
    expect(stderr).toBe("")
    const result = document(stdout)
    expect(at(result, "results", 0)).toMatchObject({ tool: "parrot", status: "completed", error: null })
    expect(at(result, "results", 0, "result")).toContain("Say hello.")
    expect(code).toBe(0)
  })

  it("is run by tools.NAME.adapter, relative to the file", async () => {
    home.file("tools/agents.json", {
      tool: "bird",
      tools: { bird: { adapter: "./parrotTool.js" } },
      agents: [{ ...agents[0], directory: ".." }]
    })
    const { code, stdout } = await home.contextfs(["orchestrator", "run", "tools/agents.json", "--json"])
    expect(at(document(stdout), "results", 0)).toMatchObject({ tool: "bird", status: "completed" })
    expect(code).toBe(0)
  })

  it("is the user's mistake on the command line, and the file's in a file", async () => {
    home.file("broken.js", "export default { name: 'Broken' }")
    const run = (...args: ReadonlyArray<string>) => home.contextfs(["orchestrator", ...args])
    const onLine = await run("run", "agents.json", "--tool", "./broken.js")
    expect(onLine.stderr).toMatch(
      /^error\[UsageError\]: the module's tool adapter is not whole: name must be [^\n]*; decoder is missing – contextfs orchestrator run --tool – export a ToolAdapter as "default" or "adapter"\n$/
    )
    expect(onLine.code).toBe(2)
    const spawned = await run("spawn", "review", ".", "Say hello.", "--wait", "--tool", "./absent.js")
    expect([spawned.code, spawned.stderr]).toEqual([
      2,
      expect.stringMatching(/^error\[UsageError\]: no file .*absent\.js"/)
    ])
    home.file("broken.json", { tools: { x: { adapter: "./broken.js" } }, agents: [{ ...agents[0], tool: "x" }] })
    const inFile = await run("run", "broken.json")
    expect(inFile.stderr).toMatch(/^error\[ConfigError\]: the module's .* – broken\.json:1:\d+ tools\.x\.adapter – /)
    expect(inFile.code).toBe(3)
    expect((await run("run", "agents.json", "--tool", "clod")).code).toBe(2)
  })
})

describe("a memory that is a module", () => {
  it("is used by every command that is told so, and the database of the data folder by none of them", async () => {
    const say = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await home.contextfs([...args, "-p", "mine", "--json", ...memory])
      expect([code, stderr]).toEqual([0, ""])
      return document(stdout)
    }
    home.file("mock.json", [{ role: "code", directory: ".", task: 'mock: save decision "Kept in a JSON file"' }])
    const before = fs.existsSync(path.join(home.dataDir, "memory.db"))
    expect(before).toBe(true)
    const sizes = () => fs.statSync(path.join(home.dataDir, "memory.db")).size
    const size = sizes()
    expect(at(await say("orchestrator", "run", "mock.json", "--tool", "mock"), "status")).toBe("completed")
    const found = at(await say("orchestrator", "findings"), "memories")
    expect(found).toEqual(expect.arrayContaining([expect.objectContaining({ content: "Kept in a JSON file" })]))
    const saved = await say("memory", "save", "From the command line")
    expect(at(saved, "outcome")).toBe("created")
    const id = at(saved, "memory", "id")
    expect(at(await say("memory", "recall", `${id}`), "content")).toBe("From the command line")
    expect(at(await say("memory", "search", "command line"), "hits", 0, "memory", "id")).toBe(id)
    expect(at(await say("memory", "list"), "memories", 0, "id")).toBe(id)
    expect(at(await say("orchestrator", "errors"), "memories")).toEqual([])
    expect(sizes()).toBe(size)
    const elsewhere = await home.contextfs(["memory", "list", "-p", "mine", "--json"])
    expect(at(document(elsewhere.stdout), "memories")).toEqual([])
  })

  it("is used by a run whose file names it, relative to the file", async () => {
    home.file("sub/kept.json", {
      project: "kept",
      tool: "mock",
      memory: { module: "../store.js", options: { file: path.join(home.root, "kept.json") } },
      agents: [{ role: "code", directory: "..", task: 'mock: save fact "As the file says"' }]
    })
    expect((await home.contextfs(["orchestrator", "run", "sub/kept.json"])).code).toBe(0)
    expect(fs.readFileSync(path.join(home.root, "kept.json"), "utf8")).toContain("As the file says")
  })

  it("is told in one line when it cannot be used", async () => {
    home.file("half.js", "export default { save() {} }")
    const cases = [
      [["--memory", "./half.js"], /^error\[UsageError\]: its store lacks search, get, .* – --memory \.\/half\.js – /],
      [["--memory", "./store.js"], /it does not take these options: say which file: \{"file": "memory\.json"\}/],
      [["--memory", "./gone.js"], /^error\[UsageError\]: no file /],
      [["--memory", "no-such-package"], /no package "no-such-package" can be found from /],
      [["--memory-options", "{}"], /^error\[UsageError\]: --memory-options without --memory – /],
      [
        ["--memory", "./store.js", "--memory-options", "{"],
        /option --memory-options: "\{" is not valid – contextfs memory list – expected JSON, such as/
      ]
    ] as const
    for (const [args, message] of cases) {
      const { code, stderr } = await home.contextfs(["memory", "list", ...args])
      expect(stderr).toMatch(message)
      expect(stderr.trimEnd().split("\n").length).toBe(1)
      expect(code).toBe(2)
    }
    const inRun = { env: { CONTEXTFS_SOCKET: "/nowhere", CONTEXTFS_TOKEN: "t" } }
    const { code, stderr } = await home.contextfs(["memory", "list", "--memory", "./store.js"], inRun)
    expect([code, stderr]).toEqual([2, expect.stringContaining("inside a run the memory is the run's")])
  })
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it("a run that is left to a process of its own has its modules there too", async () => {
  const file = path.join(home.root, "detached.json")
  const begun = await home.contextfs([
    ...["orchestrator", "run", "agents.json", "--tool", "./tools/parrotTool.js", "-p", "left", "--detach", "--json"],
    ...["--memory", "./store.js", "--memory-options", JSON.stringify({ file })]
  ])
  expect([begun.stderr, begun.code]).toEqual(["", 0])
  const { pid, runId } = document(begun.stdout)
  const followed = await home.contextfs(["orchestrator", "logs", `${runId}`, "-f"])
  expect(followed.code).toBe(0)
  const status = document((await home.contextfs(["orchestrator", "status", `${runId}`, "--json"])).stdout)
  expect(JSON.stringify(status)).toContain('"completed"')
  // The outcome of the job is in the memory that the first command named.
  expect(fs.readFileSync(file, "utf8")).toContain(`${runId}`)
  // Its folder is removed after the tests.
  while (isAlive(Number(pid))) await new Promise((resolve) => setTimeout(resolve, 50))
  const again = await home.contextfs(["orchestrator", "resume", `${runId}`, "--json"])
  expect(again.stderr).toBe("")
})
