/** What an agent may run into, and what the orchestrator has to make of it. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { survivors } from "../../../packages/fixtures/src/Census.js"
import type { ClientName } from "../../../packages/fixtures/src/Clients.js"
import {
  type ModelServer,
  prompt,
  promptTag,
  type Script,
  stepOf,
  steps
} from "../../../packages/fixtures/src/ModelServer.js"
import { type Scenario, scriptedAgentPath } from "../../../packages/fixtures/src/Scenario.js"
import type { Program } from "./programs.js"
import type { JobSeen } from "./results.js"
import type { World } from "./world.js"

interface Made {
  readonly world: World
  readonly program: Program
  readonly server: ModelServer
}

export interface Situation {
  /** Also the agent's id. */
  readonly name: string
  readonly only?: ClientName
  readonly script: Script
  readonly task?: string
  /** Fields of the agent. */
  readonly agent?: (made: Made) => Promise<Readonly<Record<string, unknown>>>
  /** Settings of a tool of its own, over the program's. */
  readonly tool?: (made: Made) => Promise<{ command?: ReadonlyArray<string>; args?: ReadonlyArray<string> }>
  /** Happens while the agents are at work. */
  readonly meanwhile?: (made: Made) => Promise<void>
  /** `completed`, or reasons that are all right. */
  readonly expected: ReadonlyArray<string>
  /** More that must hold; throws. */
  readonly also?: (seen: JobSeen, made: Made) => void
}

/** `completed` or the reason, as the table shows it. */
export const outcomeOf = ({ status, reason }: Pick<JobSeen, "status" | "reason">): string => reason ?? status

const fail = (message: string): never => {
  throw new Error(message)
}

/** 300 kB in which every line is different, with what is easily lost on the way: umlauts, emoji, quotes, trailing blanks. */
const longTask = `[[agent:long]] Read this.\n${Array.from(
  { length: 6_000 },
  (_, line) => `${line} "grüße" \\ 'ok' 👍 $HOME %s {}\t${line % 7 === 0 ? "  " : "."}`
).join("\n")}\nThe end.`

const requestsOf = (server: ModelServer, tag: string) =>
  server.requests.filter(({ conversation, side }) => !side && promptTag(conversation) === tag)

const eventually = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (const deadline = performance.now() + 60_000; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Sends a signal to the program of one agent, as soon as it waits for the model. */
const signalled = (name: string, signal: NodeJS.Signals): Situation => ({
  name,
  script: () => ({ hang: true }),
  agent: async () => ({ env: { CONTEXTFS_TEST_CELL: name } }),
  meanwhile: async ({ server, program }) => {
    await eventually(`the request of ${name}`, () => requestsOf(server, name).length > 0)
    const found = await survivors({ env: `CONTEXTFS_TEST_CELL=${name}` })
    const own = found.filter(({ commandLine }) => commandLine.startsWith(program.command.join(" ")))
    const [first] = [...own].sort((one, other) => one.pid - other.pid)
    process.kill(first?.pid ?? fail(`no process of ${name}: ${found.map((one) => one.commandLine)}`), signal)
  },
  expected: ["AgentSignal"]
})

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

const denied = (seen: JobSeen): void => {
  if (seen.denials.length === 0) fail("no denial is listed")
  if (!seen.warnings.some((warning) => warning.includes("denied"))) fail("no warning tells of the denial")
}

export const situations: ReadonlyArray<Situation> = [
  { name: "http-401", script: () => ({ status: 401, message: "invalid key" }), expected: ["AuthFailed"] },
  { name: "http-429", script: () => ({ status: 429, message: "too many requests" }), expected: ["RateLimited"] },
  { name: "http-500", script: () => ({ status: 500, message: "out of order" }), expected: ["AgentReported"] },
  {
    name: "cut",
    script: () => ({ text: "half of this will be lost on the way", cut: true }),
    expected: ["AgentProtocol", "AgentReported"]
  },
  {
    name: "turns",
    only: "claude",
    script: (conversation) => ({
      toolCalls: [{ name: "contextfs_search", input: { query: `turn ${stepOf(conversation)}` } }]
    }),
    tool: async () => ({ args: ["--max-turns", "1"] }),
    expected: ["AgentReported"]
  },
  {
    name: "denied",
    only: "claude",
    script: steps([
      { toolCalls: [{ name: "shell", input: { command: "touch denied-file" } }] },
      { text: "I was not allowed to." }
    ]),
    agent: async () => ({ permission: "read" }),
    expected: ["completed"],
    also: denied
  },
  {
    name: "denied",
    only: "codex",
    script: steps([{ toolCalls: [{ name: "poke", input: {} }] }, { text: "I was not allowed to." }]),
    // A folder of its own for the user's configuration, so that no other agent starts the foreign server.
    agent: async ({ world }) => {
      const server = fileURLToPath(new URL("foreignServer.mjs", import.meta.url))
      const words = { command: process.execPath, args: [server], required: true, startup_timeout_sec: 60 }
      const table = Object.entries(words).map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
      await world.file("foreign/config.toml", `[mcp_servers.foreign]\n${table.join("\n")}\n`)
      return { env: { CODEX_HOME: join(world.folder, "foreign") } }
    },
    tool: async () => ({ args: ["-m", "lab-model"] }),
    expected: ["completed"],
    also: denied
  },
  {
    name: "long",
    task: longTask,
    script: () => ({ text: "read" }),
    expected: ["completed"],
    also: (_, { server }) => {
      const [request] = requestsOf(server, "long")
      if (request === undefined || !prompt(request.conversation).includes(longTask)) fail("the task was changed")
    }
  },
  { name: "silent", script: () => ({ hang: true }), agent: async () => ({ idleTimeout: 8 }), expected: ["JobStalled"] },
  signalled("term", "SIGTERM"),
  signalled("kill", "SIGKILL"),
  {
    name: "unfinished",
    script: () => ({ status: 400, message: "the scripted agent asks no model" }),
    tool: async ({ world, program }) => {
      const steps: Scenario = beginnings[program.name].map((line) => ({ do: "print", line }))
      const file = await world.file("unfinished.json", JSON.stringify(steps))
      return { command: [process.execPath, scriptedAgentPath, file], args: [] }
    },
    expected: ["AgentProtocol"]
  }
]
