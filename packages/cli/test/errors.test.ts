import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { at, bin, document, type Home, homes, isRecord } from "./harness.js"

const home = homes()

const agents = [{ role: "test", directory: ".", task: "x" }]
const run = ["orchestrator", "run", "agents.json"]

interface Case {
  readonly name: string
  readonly args: ReadonlyArray<string>
  readonly code: number
  readonly class: string
  /** All of these are in the message. */
  readonly says: ReadonlyArray<string>
  readonly config?: unknown
  /** Name of the file with `config`; default agents.json. */
  readonly file?: string
  readonly env?: (home: Home) => Readonly<Record<string, string>>
}

const usage = (args: ReadonlyArray<string>, ...says: ReadonlyArray<string>): Case => ({
  name: args.join(" "),
  args,
  code: 2,
  class: "UsageError",
  says
})

const inFile = (name: string, config: unknown, ...says: ReadonlyArray<string>): Case => ({
  name: `in a file: ${name}`,
  args: run,
  code: 3,
  class: "ConfigError",
  config,
  says
})

const inYaml = (name: string, config: string, ...says: ReadonlyArray<string>): Case => ({
  ...inFile(name, config, ...says),
  name: `in YAML: ${name}`,
  args: ["orchestrator", "run", "agents.yaml"],
  file: "agents.yaml"
})
const yaml = (role = "test", more = "") => `agents:\n  - {role: ${role}, directory: ., task: x${more}}\n`

const workers = ["0", "-1", "1.5", "1e9", "NaN"]

const cases: ReadonlyArray<Case> = [
  usage(["orchestrator", "rnu"], 'unknown command "rnu"', "did you mean run?"),
  usage(["orchestrator"], "a command is missing"),
  usage([...run, "--wrkers", "3"], 'unknown option "--wrkers"', "did you mean --workers?"),
  usage([...run, "-t", "cluade"], 'unknown tool "cluade"', '"claude"'),
  usage(["orchestrator", "spawn", "tset", ".", "x", "--wait"], 'unknown role "tset"', '"test"'),
  usage(["orchestrator", "spawn", "test", ".", "x", "-w", "-t", "nope"], 'unknown tool "nope"'),
  usage(["orchestrator", "spawn", "test", ".", "x", "--detach"], "--detach"),
  usage(["orchestrator", "roles", "reviw"], "reviw", "did you mean review?"),
  ...workers.map((value) => usage([...run, "-w", value], JSON.stringify(value), "from 1 to 256")),
  usage([...run, "--timeout", "-1"], "--timeout", "seconds"),
  ...["-1", "11", "many"].map((value) => usage([...run, "--retries", value], JSON.stringify(value), "from 0 to 10")),
  usage([...run, "--permission", "all"], "--permission", '"all"', "read, edit, exec, full"),
  usage([...run, "--permission", "exce"], "did you mean exec?"),
  usage([...run, "--model", ""], "--model"),
  usage([...run, "--dry-run", "-t", "cluade"], 'unknown tool "cluade"'),
  usage(["orchestrator", "spawn", "test", ".", "x", "-w", "--permission", "root"], '"root"'),
  usage(["memory", "search", ""], "argument QUERY"),
  usage([...run, "--help=1"], "option --help takes no value", "write --help alone"),
  usage(["memory", "save", "x", "-p", "p".repeat(3_000)], "option --project", "at most 200 characters"),
  usage([...run, "-p", "two\nlines"], "option --project", "on one line"),
  ...[["memory", "save", "x"], [...run, "-t", "mock"], ["mcp"], ["orchestrator", "status"]].map(
    (args): Case => ({
      ...usage(args, "CONTEXTFS_PROJECT", "at most 200 characters"),
      name: `a project of 3000 characters in the environment: ${args.join(" ")}`,
      env: () => ({ CONTEXTFS_PROJECT: "p".repeat(3_000) })
    })
  ),
  inFile("a project of 3000 characters", { project: "p".repeat(3_000), agents }, "project", "at most 200 characters"),
  inFile("cut in the middle", '[\n  {"role": "test", "directory": ".", "ta', "agents.json:2:"),
  inFile("empty", "", "agents.json:1:1"),
  inFile("not JSON", "role: test", "agents.json:1:1"),
  inFile("an unknown role", [{ ...agents[0], role: "tset" }], 'unknown role "tset"', 'did you mean "test"?', "1:10"),
  inFile("an unknown tool", [{ ...agents[0], tool: "cluade" }], 'unknown tool "cluade"', 'did you mean "claude"?'),
  inFile("a missing directory", [{ ...agents[0], directory: "./nope" }], "nope", "[0].directory"),
  ...[0, -1, 1.5, 1e9].map((value) =>
    inFile(`workers ${value}`, { workers: value, agents }, "workers", "from 1 to 256")
  ),
  inFile("workers NaN", `{"workers": NaN, "agents": ${JSON.stringify(agents)}}`, "agents.json:1:13"),
  ...[5, null, [], "x"].map((budget) =>
    inFile(
      `budget ${JSON.stringify(budget)}`,
      { budget, agents },
      'expected limits such as {"maxCostUsd": 5}',
      "1:11 budget"
    )
  ),
  inFile(
    "an unknown key in budget",
    { budget: { maxCost: 1 }, agents },
    'unknown key "maxCost" – ',
    'did you mean "maxCostUsd"?'
  ),
  inFile(
    "another key in an agent's budget",
    [{ ...agents[0], budget: { unknownCost: "warn" } }],
    "one of maxCostUsd, maxTokens"
  ),
  inFile(
    "a memory that is none",
    { memory: 5, agents },
    'expected a backend such as {"module": "./my-store.js"}, got 5'
  ),
  inFile(
    "a word that is none of the choices",
    { permission: "zzzzzz", agents },
    'expected one of read, edit, exec, full, got "zzzzzz" – agents.json:1:15 permission – correct it'
  ),
  inFile("NUL in a task", [{ ...agents[0], task: "a\u0000b" }], "expected a text without the character NUL"),
  inFile("NUL in a role", [{ ...agents[0], role: "te\u0000st" }], "expected a text without the character NUL"),
  ...(
    [
      ["none.md", 'none.md" is not there', "make it, or correct the path"],
      [".", "is a folder", "name a file in it"],
      ["/dev/zero", "is no regular file", "write the task to a file"]
    ] as const
  ).map(([taskFile, ...says]) => inFile(`taskFile ${taskFile}`, [{ role: "test", directory: ".", taskFile }], ...says)),
  inFile("no task on stdin", [{ role: "test", directory: ".", taskFile: "-" }], "no task came on stdin", "pipe it in"),
  inYaml("a tab", "agents:\n\t- role: test\n", "agents.yaml:2:1", "tabs"),
  inYaml("cut in the middle", 'agents: [{role: "tes', "agents.yaml:1:"),
  inYaml("an alias", "a: &a 1\nb: *a\n", "agents.yaml:2:4", "write the value out"),
  inYaml("an unknown role", yaml("tset"), 'unknown role "tset"', 'did you mean "test"?', "agents.yaml:2:12"),
  inYaml("an unknown tool", yaml("test", ", tool: cluade"), 'unknown tool "cluade"', 'did you mean "claude"?'),
  inYaml("a missing directory", yaml().replace("directory: .", "directory: nope"), "nope", "agents[0].directory"),
  inYaml("a bad number", `workers: many\n${yaml()}`, "agents.yaml:1:10", "from 1 to 256"),
  inYaml("a key twice", `project: a\nproject: b\n${yaml()}`, "agents.yaml:2:1", "twice"),
  {
    name: "a missing file in YAML",
    args: ["orchestrator", "run", "no.yaml"],
    code: 4,
    class: "NotFound",
    says: ["no.yaml"]
  },
  { name: "a missing file, dry", args: [...run, "--dry-run"], code: 4, class: "NotFound", says: ["agents.json"] },
  { name: "a missing file", args: run, code: 4, class: "NotFound", says: ["no such file", "agents.json"] },
  {
    name: "a name of 5000 characters for a file",
    args: ["orchestrator", "run", "x".repeat(5_000)],
    code: 4,
    class: "NotFound",
    says: ["name too long", "check the path"]
  },
  {
    name: "a folder for a file",
    args: ["orchestrator", "run", "."],
    code: 3,
    class: "ConfigError",
    says: ["this is a folder – . – name a file in it"]
  },
  {
    name: "a device without an end for a file",
    args: ["orchestrator", "run", "/dev/zero", "--dry-run"],
    code: 3,
    class: "ConfigError",
    says: ["this is no regular file – /dev/zero – write"]
  },
  {
    name: "a missing directory to spawn in",
    args: ["orchestrator", "spawn", "test", "nope", "x", "--wait"],
    code: 4,
    class: "NotFound",
    says: ["nope is no directory"]
  },
  {
    name: "a file to spawn in",
    args: ["orchestrator", "spawn", "test", "agents.json", "x", "--wait"],
    code: 4,
    class: "NotFound",
    config: agents,
    says: ["agents.json is no directory"]
  },
  { name: "no such memory", args: ["memory", "recall", "zzzzzz"], code: 4, class: "NotFound", says: ["zzzzzz"] },
  {
    name: "a run that is not there, in the background",
    args: ["orchestrator", "resume", "abcdefgh", "--detach"],
    code: 4,
    class: "NotFound",
    says: ['no run "abcdefgh"', "status --all"]
  },
  {
    name: "a tool that is not installed",
    args: [...run, "-t", "codex"],
    code: 6,
    class: "AgentUnavailable",
    config: agents,
    says: ["codex is not on PATH", "install it"],
    env: () => ({ PATH: "/usr/bin:/bin" })
  },
  ...[
    [...run, "-t", "codex", "--dry-run"],
    ["orchestrator", "spawn", "test", ".", "x", "-w", "-t", "codex"]
  ].map(
    (args): Case => ({
      name: `a tool that is not installed: ${args.join(" ")}`,
      args,
      code: 6,
      class: "AgentUnavailable",
      config: agents,
      says: ["codex is not on PATH", "install it"],
      env: () => ({ PATH: "/usr/bin:/bin" })
    })
  ),
  {
    name: "a model that is none",
    args: [...run, "-t", "mock", "--model=-x"],
    code: 9,
    class: "PolicyRefused",
    config: agents,
    says: ["the model", "is not a name"]
  },
  {
    name: "a tool that is not executable",
    args: run,
    code: 6,
    class: "AgentUnavailable",
    config: { tool: "mine", tools: { mine: { command: ["./agents.json"] } }, agents },
    says: ["is not executable"]
  },
  ...[
    ["memory", "save", "x"],
    [...run, "-t", "mock"]
  ].map(
    (args): Case => ({
      name: `an unwritable data folder: ${args[0]}`,
      args,
      code: 5,
      class: "StorageError",
      config: agents,
      says: ["ENOTDIR", "CONTEXTFS_DATA_DIR"],
      // Root writes into any folder, but not below a file.
      env: ({ work }) => ({ CONTEXTFS_DATA_DIR: path.join(work, "agents.json", "data") })
    })
  ),
  {
    name: "an unwritable place for init-config",
    args: ["orchestrator", "init-config", "-o", "no/where.json"],
    code: 5,
    class: "StorageError",
    says: ["no/where.json", "its folder does not exist", "make the folder first"]
  },
  {
    name: "a folder in the place of init-config's file",
    args: ["orchestrator", "init-config", "--force", "-o", "."],
    code: 5,
    class: "StorageError",
    says: [". cannot be written: it is a folder", "name a file in it"]
  },
  {
    name: "a folder in the place of init-config's file, which --force would not replace",
    args: ["orchestrator", "init-config", "-o", "."],
    code: 5,
    class: "StorageError",
    says: [". cannot be written: it is a folder", "name a file in it"]
  },
  {
    name: "a file that is there for init-config",
    args: ["orchestrator", "init-config", "-o", "agents.json"],
    code: 10,
    class: "Conflict",
    config: agents,
    says: ["agents.json is there already", "--force"]
  },
  {
    name: "a file in the place of the schema's folder",
    args: ["orchestrator", "init-config", "-o", "agents.yaml"],
    code: 5,
    class: "StorageError",
    config: "mine",
    file: ".contextfs",
    says: [".contextfs/agents.schema.json cannot be written", "its folder is a file"]
  }
]

const isSaved = ({ class: name, config }: Case) => config !== undefined || name === "UsageError"
const save = (at: Home, one: Case) => at.file(one.file ?? "agents.json", one.config ?? agents)

describe("an error is one line on stderr, its class decides the exit code, and nothing was made", () => {
  it.each(cases)("$code $name", async (one) => {
    const { args, class: name, code, env, says } = one
    const at = home()
    if (isSaved(one)) save(at, one)
    const ended = await at.contextfs(args, { env: env?.(at) ?? {} })
    const shown = JSON.stringify(ended)
    expect(ended, shown).toMatchObject({ code, stdout: "" })
    expect(ended.stderr, shown).toMatch(/^error\[[A-Za-z]+\]: [^\n]+\n$/)
    expect(ended.stderr.startsWith(`error[${name}]: `), shown).toBe(true)
    expect(ended.stderr.split(" – ").length, shown).toBeGreaterThanOrEqual(2)
    for (const part of says) expect(ended.stderr).toContain(part)
    // The run itself looks for programs when its folder is made.
    if (args.includes("--dry-run") || ![6, 9].includes(code)) expect(fs.existsSync(at.dataDir)).toBe(false)
    expect(fs.readdirSync(at.work).filter((entry) => entry !== (one.file ?? "agents.json"))).toEqual([])
  })
})

describe("a memory that cannot be stored", () => {
  it.each([
    ["a long tag", ["x", "--tags", "t".repeat(300)], "is over 200 bytes: shorten it"],
    ["no visible character", ["\u0001\u0002"], "content is empty: say what is to be remembered"]
  ])("is refused with what to do: %s", async (_, args, says) => {
    const at = home()
    const ended = await at.contextfs(["memory", "save", ...args])
    expect(ended).toMatchObject({ code: 2, stdout: "" })
    expect(ended.stderr).toMatch(/^error\[UsageError\]: .+ – nothing was saved\n$/)
    expect(ended.stderr).toContain(says)
    expect(document((await at.contextfs(["memory", "list", "--json"])).stdout)).toMatchObject({ memories: [] })
  })
})

describe("with --json", () => {
  // Of what the checker of words refuses, which is one way for all of them, some will do.
  const shown = cases.filter(
    ({ args, class: name }, index) => args.length > 2 && (name !== "UsageError" || index % 3 === 0)
  )
  it.each(shown)("one document and no more: $code $name", async (one) => {
    const at = home()
    if (isSaved(one)) save(at, one)
    const ended = await at.contextfs([...one.args, "--json"], { env: one.env?.(at) ?? {} })
    expect(ended).toMatchObject({ code: one.code, stderr: "" })
    const { error } = document(ended.stdout)
    expect(error).toMatchObject({ class: one.class, exitCode: one.code, message: expect.any(String) })
  })

  it("--json given twice is still one document", async () => {
    const ended = await home().contextfs(["orchestrator", "roles", "--json", "--json"])
    expect(ended).toMatchObject({ code: 2, stderr: "" })
    expect(document(ended.stdout)["error"]).toMatchObject({ class: "UsageError" })
  })

  it("and --jsonl they exclude each other", async () => {
    const at = home()
    at.file("agents.json", agents)
    const ended = await at.contextfs([...run, "--json", "--jsonl"])
    expect(ended).toMatchObject({ code: 2, stderr: "" })
    expect(document(ended.stdout)["error"]).toMatchObject({ message: "--json and --jsonl exclude each other" })
  })

  it("before the command", async () => {
    const ended = await home().contextfs(["--json", "orchestrator", "roles"])
    expect(ended).toMatchObject({ code: 2, stderr: "" })
    expect(document(ended.stdout)["error"]).toMatchObject({ class: "UsageError" })
  })
})

describe("a configuration", () => {
  const wrong = { workers: "3", agnets: [], timeout: -5, agents: [{ role: "test", directory: ".", tsk: "x" }] }

  it("with many problems tells them all, each at its place, and starts nothing", async () => {
    const at = home()
    at.file("agents.json", JSON.stringify(wrong, null, 2))
    const ended = await at.contextfs(run)
    expect(ended).toMatchObject({ code: 3, stdout: "" })
    const [head, ...lines] = ended.stderr.trimEnd().split("\n")
    expect(head).toMatch(/^error\[ConfigError\]: \d problems – agents\.json – nothing was started$/)
    expect(lines).toHaveLength(Number(/(\d) problems/.exec(head ?? "")?.[1]))
    for (const line of lines) expect(line).toMatch(/^ {2}agents\.json:\d+:\d+ /)
    expect(lines.join("\n")).toMatch(/agents\.json:2:14 workers: expected a whole number/)
    expect(lines.join("\n")).toMatch(/agents\.json:3:\d+ agnets: unknown key "agnets" – did you mean "agents"\?/)
    expect(lines.join("\n")).toMatch(/agents\.json:4:\d+ timeout: /)
    expect(lines.join("\n")).toMatch(/agents\.json:\d+:\d+ agents\[0\]\.tsk: unknown key "tsk" – did you mean "task"\?/)
    expect(fs.existsSync(at.dataDir)).toBe(false)
  })

  it("tells programs the same, in parts", async () => {
    const one = home()
    one.file("agents.json", wrong)
    const ended = await one.contextfs([...run, "--json"])
    const issues = at(document(ended.stdout), "error", "issues")
    if (!Array.isArray(issues)) throw new Error(ended.stdout)
    expect(issues.length).toBeGreaterThanOrEqual(4)
    for (const issue of issues) {
      expect(issue).toMatchObject({ path: expect.any(String), line: 1, column: expect.any(Number) })
      expect(isRecord(issue) && issue["message"] !== "").toBe(true)
    }
  })
})

describe("a memory.db that is none", () => {
  it.each([
    ["memory list", ["memory", "list"]],
    ["memory save", ["memory", "save", "x"]],
    ["findings", ["orchestrator", "findings"]],
    ["run", [...run, "-t", "mock"]],
    ["mcp", ["mcp"]]
  ])("is left as it is, byte for byte: %s", async (_, args) => {
    const at = home()
    at.file("agents.json", agents)
    fs.mkdirSync(at.dataDir)
    const file = path.join(at.dataDir, "memory.db")
    const garbage = Buffer.from("this is no database\u0000\u0001\u0002".repeat(500))
    fs.writeFileSync(file, garbage)
    const ended = await at.contextfs(args)
    expect(ended).toMatchObject({ code: 5, stdout: "" })
    expect(ended.stderr).toMatch(/^error\[StorageError\]: .+memory\.db.+ – .+\n$/)
    expect(fs.readFileSync(file).equals(garbage)).toBe(true)
  })
})

describe("--debug", () => {
  it("adds the stack, and without it there is none", async () => {
    const at = home()
    const plain = await at.contextfs(["memory", "recall", "zzzzzz"])
    const more = await at.contextfs(["--debug", "memory", "recall", "zzzzzz"])
    expect(plain.stderr).not.toMatch(/\n\s+at /)
    expect(more.stderr.startsWith(plain.stderr)).toBe(true)
    expect(more.stderr).toMatch(/\n\s+at /)
  })
})

it.each([
  ["orchestrator", "status"],
  ["memory", "list"],
  ["orchestrator", "init-config"]
])("in a folder that is not there any more, %s %s says so", (...words) => {
  const one = home()
  const gone = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
  const { status, stderr, stdout } = spawnSync("sh", ["-c", gone, "sh", process.execPath, bin, ...words], {
    cwd: one.work,
    env: one.env,
    encoding: "utf8"
  })
  expect({ status, stdout }).toEqual({ status: 4, stdout: "" })
  expect(stderr).toBe("error[NotFound]: the working directory is not there any more – change to a folder that exists\n")
})

it("says that its output could not be written, and does not call that a success", () => {
  const one = home()
  const full = fs.openSync("/dev/full", "w")
  const { status, stderr } = spawnSync(process.execPath, [bin, "orchestrator", "tools", "--json"], {
    cwd: one.work,
    env: one.env,
    encoding: "utf8",
    stdio: ["ignore", full, "pipe"]
  })
  fs.closeSync(full)
  expect(status).toBe(5)
  expect(stderr).toMatch(/^error\[StorageError\]: the output cannot be written: ENOSPC.+ – free some space.+\n$/)
})
