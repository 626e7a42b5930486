/** What an agent may run into, and what the orchestrator has to make of it. */
import { fileURLToPath } from "node:url"
import type { ClientName } from "../../../packages/fixtures/src/Clients.js"
import { prompt, type Reply, steps, type ToolCall, toolTexts } from "../../../packages/fixtures/src/ModelServer.js"
import { type Scenario, scriptedAgentPath } from "../../../packages/fixtures/src/Scenario.js"
import {
  always,
  denied,
  directoryOf,
  eventually,
  fail,
  once,
  requestsOf,
  type Situation,
  signalled,
  withOwnFolder,
  write
} from "./situation.js"

/** 300 kB in which every line is different, with what is easily lost on the way: umlauts, emoji, quotes, trailing blanks. */
const longTask = `[[agent:long]] Read this.\n${Array.from(
  { length: 6_000 },
  (_, line) => `${line} "grüße" \\ 'ok' 👍 $HOME %s {}\t${line % 7 === 0 ? "  " : "."}`
).join("\n")}\nThe end.`

/** What the programs print at first; then the scripted agent ends with code 0 and says no more. */
const beginnings: Readonly<Record<ClientName, ReadonlyArray<unknown>>> = {
  claude: [
    { type: "system", subtype: "init", session_id: "s", model: "lab-model", tools: [], mcp_servers: [] },
    {
      type: "assistant",
      session_id: "s",
      message: { id: "m", role: "assistant", content: [{ type: "text", text: "I am done." }] }
    }
  ],
  codex: [
    { type: "thread.started", thread_id: "t" },
    { type: "turn.started" },
    { type: "item.completed", item: { id: "item_0", type: "agent_message", text: "I am done." } }
  ],
  gemini: [
    { type: "init", session_id: "s", model: "lab-model" },
    { type: "message", role: "assistant", content: "I am done." }
  ],
  opencode: [
    { type: "step_start", sessionID: "ses_1", part: { type: "step-start" } },
    { type: "text", sessionID: "ses_1", part: { type: "text", text: "I am done." } }
  ]
}

const mcpAnswer = "The lamp is in the memory."

const foreignServer = fileURLToPath(new URL("foreignServer.mjs", import.meta.url))
const foreign = (...args: ReadonlyArray<string>) => ({ command: process.execPath, args: [foreignServer, ...args] })

/** Nobody listens on the discard port. */
const closedUrl = "http://127.0.0.1:9"

const openAt = (url: string) => ({ provider: { lab: { options: { baseURL: `${url}/v1` } } } })

const http = (status: number, message: string): Reply => ({ status, message })
const tooLong = http(400, "prompt is too long: 250000 tokens > 200000 maximum")
const fault = (status: number, message: string, expected: Situation["expected"]): Situation => ({
  name: `http-${status}`,
  what: `HTTP ${status} to every request`,
  script: always(http(status, message)),
  expected
})
const save = (content: string) => ({ toolCalls: [{ name: "contextfs_save", input: { content, type: "fact" } }] })
const shell = (command: string) => ({ toolCalls: [{ name: "shell", input: { command } }] })

/** By its own name: a tool that may not be used is not offered by all. */
const touch = { command: "touch denied-file", description: "make a file" }
const deniedCall: Readonly<Record<ClientName, ToolCall>> = {
  claude: { name: "Bash", input: touch },
  codex: { name: "poke", input: {} },
  gemini: { name: "run_shell_command", input: touch },
  opencode: { name: "bash", input: touch }
}

/** Each waits for the other's request: they run at the same time. */
const pair = (name: string, other: string): Situation => ({
  name,
  what: `at work in one directory at the same time as ${other}`,
  folder: "pair",
  script:
    ({ server }) =>
    async () => {
      await eventually(`the request of ${other}`, () => requestsOf(server, other).length > 0)
      return { text: `${name} is done` }
    },
  expected: ["completed"],
  also: ({ result }) => result === `${name} is done` || fail(result)
})

export const situations: ReadonlyArray<Situation> = [
  {
    name: "text",
    what: "an answer and nothing else",
    script: always({ text: "hello" }),
    expected: ["completed"],
    also: ({ result, evidence }) => (result === "hello" && evidence["exitCode"] === 0) || fail(result)
  },
  {
    name: "mcp",
    what: "a memory saved over MCP",
    script: () => steps([save("The lamp is green"), { text: mcpAnswer }]),
    expected: ["completed"],
    also: ({ saved }) => saved.length === 1 || fail(`saved ${saved.length}`)
  },
  {
    name: "shell",
    what: "a command of the shell, permission exec",
    full: true,
    script: () =>
      steps([shell("printf 'answer-%d' 42"), (conversation) => ({ text: toolTexts(conversation).at(-1) ?? "" })]),
    agent: async () => ({ permission: "exec" }),
    expected: ["completed"],
    also: ({ result }) => result.includes("answer-42") || fail(result)
  },
  {
    name: "write",
    what: "a file written, permission edit",
    full: true,
    script: (made) =>
      steps([
        (conversation) => write(conversation, directoryOf(made, "write"), "written.txt", "by the agent"),
        { text: "written" }
      ]),
    agent: async () => ({ permission: "edit" }),
    expected: ["completed"],
    leaves: ["written.txt"]
  },
  {
    name: "denied",
    what: "a call that its permission does not cover",
    script: ({ program }) => steps([{ toolCalls: [deniedCall[program.name]] }, { text: "I was not allowed to." }]),
    agent: async () => ({ permission: "read" }),
    // In its sandbox commands run, and the kernel keeps them from writing; what it denies are foreign MCP calls.
    env: async (made) =>
      made.program.name === "codex"
        ? withOwnFolder("denied", () => ({
            server: foreign(),
            settings: { required: true, startup_timeout_sec: 60 }
          }))(made)
        : {},
    tool: async ({ program }) => (program.name === "codex" ? { args: ["-m", "lab-model"] } : {}),
    expected: ["completed"],
    also: denied
  },
  {
    name: "ask",
    what: "a call that would have to ask a person",
    full: true,
    impossible: {
      codex: "it never asks: exec runs with approval policy never, and what needs approval is denied (see denied)",
      gemini: "it never asks: without a terminal a tool that would is not offered (see denied)",
      claude: "it never asks: with -p a call that would is denied and the run goes on (see denied)"
    },
    script: () => steps([shell("echo never"), { text: "I was not asked." }]),
    env: async (made) => withOwnFolder("ask", () => ({ settings: { permission: { "*": "ask" } } }))(made),
    expected: ["PermissionAsked"]
  },
  { ...fault(400, "no such parameter", ["AgentReported"]), full: true },
  fault(401, "invalid key", ["AuthFailed"]),
  { ...fault(404, "nothing here", ["AgentReported"]), full: true },
  fault(429, "too many requests", ["RateLimited"]),
  fault(500, "out of order", ["AgentReported"]),
  {
    name: "once-429",
    what: "HTTP 429 once, then an answer",
    full: true,
    script: once("once-429", { ...http(429, "too many requests"), headers: { "retry-after": "1" } }),
    expected: ["completed"]
  },
  {
    name: "once-500",
    what: "HTTP 500 once, then an answer",
    full: true,
    script: once("once-500", http(500, "out of order")),
    expected: ["completed"]
  },
  {
    name: "too-long",
    what: "the provider says that the conversation is too long",
    full: true,
    // opencode has the conversation summed up, and goes on.
    script: (made) => (made.program.name === "opencode" ? once("too-long", tooLong) : always(tooLong))(made),
    expected: {
      claude: ["ContextTooLong"],
      codex: ["ContextTooLong"],
      gemini: ["ContextTooLong"],
      opencode: ["completed"]
    },
    also: ({ result }, { program }) => program.name !== "opencode" || result === "in the end" || fail(result)
  },
  {
    name: "refused",
    what: "nobody listens at the provider's address",
    full: true,
    script: always(http(418, "nobody should come here")),
    env: async (made) => ({
      ...made.program.env(closedUrl),
      ...(made.program.name === "opencode"
        ? await made.program.ownFolder({
            url: closedUrl,
            write: async () => fail("no file"),
            settings: openAt(closedUrl)
          })
        : {})
    }),
    tool: async ({ program }) => ({ args: program.settings(closedUrl).args }),
    expected: ["AgentReported"]
  },
  {
    name: "cut",
    what: "the stream of every answer breaks off",
    script: always({ text: "half of this will be lost on the way", cut: true }),
    expected: ["AgentReported"]
  },
  {
    name: "silent",
    what: "the provider never answers",
    script: always({ hang: true }),
    agent: async () => ({ idleTimeout: 8, startTimeout: 45 }),
    expected: ["JobStalled"]
  },
  {
    name: "turns",
    what: "the program's own limit of turns is reached",
    impossible: { codex: "it has no limit of turns", opencode: "its limit of steps does not end a run" },
    script: () => steps([save("one"), save("two"), save("three"), save("four"), { text: "done" }]),
    tool: async ({ program }) => (program.name === "claude" ? { args: ["--max-turns", "1"] } : {}),
    env: async (made) =>
      made.program.name === "gemini"
        ? withOwnFolder("turns", () => ({ settings: { model: { maxSessionTurns: 1 } } }))(made)
        : {},
    expected: ["AgentReported"]
  },
  {
    name: "long",
    what: "a task of 300 kB, taken byte for byte",
    task: longTask,
    script: always({ text: "read" }),
    expected: ["completed"],
    also: (_, { server }) => {
      const [request] = requestsOf(server, "long")
      if (request === undefined || !prompt(request.conversation).includes(longTask)) fail("the task was changed")
    }
  },
  {
    name: "open-stdin",
    what: "our own standard input stays open and silent",
    full: true,
    // `contextfs` has an open, silent pipe as its input; the program must not see it.
    script: always({ text: "did not wait" }),
    expected: ["completed"],
    also: ({ evidence }) => evidence["lastEvent"] === "finished" || fail(`ended by ${evidence["ended"]}`)
  },
  {
    name: "model",
    what: "a model that does not exist",
    full: true,
    script: always(http(404, "the model no-such-model does not exist")),
    agent: async ({ program }) => ({ model: program.name === "opencode" ? "lab/no-such-model" : "no-such-model" }),
    expected: ["AgentReported"]
  },
  {
    name: "no-key",
    what: "neither key nor login",
    full: true,
    keyless: true,
    script: always(http(401, "no key was given")),
    expected: ["AuthFailed"]
  },
  {
    name: "broken-mcp",
    what: "another MCP server of the user's ends at once",
    full: true,
    script: () => steps([save("The foreign server is broken"), { text: "did it without" }]),
    env: withOwnFolder("broken-mcp", () => ({
      server: { command: process.execPath, args: ["-e", "process.exit(3)"] }
    })),
    expected: ["completed"],
    also: ({ saved }) => saved.length === 1 || fail(`saved ${saved.length}`)
  },
  {
    name: "slow-mcp",
    what: "another MCP server of the user's answers after 5 s",
    full: true,
    script: () => steps([save("The foreign server is slow"), { text: "waited or not" }]),
    env: withOwnFolder("slow-mcp", () => ({ server: foreign("5000") })),
    expected: ["completed"],
    also: ({ saved }) => saved.length === 1 || fail(`saved ${saved.length}`)
  },
  signalled("term", "SIGTERM", {
    claude: ["AgentSignal"],
    codex: ["AgentSignal"],
    // It ends with 0 and without a result, as if nothing had been.
    gemini: ["AgentProtocol"],
    opencode: ["AgentSignal"]
  }),
  signalled("kill", "SIGKILL", ["AgentSignal"]),
  { ...pair("pair-a", "pair-b"), full: true },
  { ...pair("pair-b", "pair-a"), full: true },
  {
    name: "resume",
    what: "goes on with the session of mcp in another run",
    continues: "mcp",
    folder: "mcp",
    // Only who has been told of the first run knows what it said; and it has the memory of the second.
    script: () =>
      steps([
        save("The lamp is red by now"),
        ({ messages }) => ({ text: messages.map(({ role, text }) => (role === "assistant" ? text : "")).join("\n") })
      ]),
    expected: ["completed"],
    also: ({ result, saved }) => (result.includes(mcpAnswer) && saved.length === 1) || fail(`${saved} ${result}`)
  },
  {
    name: "lost-session",
    what: "is to go on with a session that is not there",
    full: true,
    script: always({ text: "who are you?" }),
    agent: async ({ program }) => ({
      session: program.name === "opencode" ? `ses_${"0".repeat(26)}` : "00000000-0000-4000-8000-000000000000"
    }),
    expected: { claude: ["AgentReported"], codex: ["AgentExit"], gemini: ["AgentExit"], opencode: ["AgentExit"] },
    also: (_, { server }) => requestsOf(server, "lost-session").length === 0 || fail("it began a new one")
  },
  {
    name: "unfinished",
    what: "exit code 0 without a word of the end",
    script: always(http(400, "the scripted agent asks no model")),
    tool: async ({ world, program }) => {
      const steps: Scenario = beginnings[program.name].map((line) => ({ do: "print", line }))
      const file = await world.file("unfinished.json", JSON.stringify(steps))
      return { command: [process.execPath, scriptedAgentPath, file], args: [] }
    },
    expected: ["AgentProtocol"]
  }
]
