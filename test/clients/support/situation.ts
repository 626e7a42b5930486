/** What a situation is, and what many of them need. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { survivors } from "../../../packages/fixtures/src/Census.js"
import type { ClientName } from "../../../packages/fixtures/src/Clients.js"
import {
  type Conversation,
  type ModelServer,
  promptTag,
  type Reply,
  type Script
} from "../../../packages/fixtures/src/ModelServer.js"
import type { Program } from "./programs.js"
import type { JobSeen } from "./results.js"
import type { World } from "./world.js"

export interface Made {
  readonly world: World
  readonly program: Program
  readonly server: ModelServer
}

type Outcomes = ReadonlyArray<string>

export interface Situation {
  /** Also the agent's id. */
  readonly name: string
  /** In a few words, for docs/agent-programs.md. */
  readonly what: string
  /** Takes long, or is covered by another: with `--full` only. */
  readonly full?: true
  /** Programs that cannot come into it, and why. */
  readonly impossible?: Readonly<Partial<Record<ClientName, string>>>
  readonly script: (made: Made) => Script
  readonly task?: string
  /** Goes on, in a second run, with the session that the agent of this situation left in the first. */
  readonly continues?: string
  /** The folder it works in, below the agents' folders; default its name. */
  readonly folder?: string
  /** No key in the environment. */
  readonly keyless?: true
  /** Fields of the agent. */
  readonly agent?: (made: Made) => Promise<Readonly<Record<string, unknown>>>
  /** Variables of the agent. */
  readonly env?: (made: Made) => Promise<Readonly<Record<string, string>>>
  /** Settings of a tool of its own, over the program's. */
  readonly tool?: (made: Made) => Promise<{ command?: ReadonlyArray<string>; args?: ReadonlyArray<string> }>
  /** Happens while the agents are at work. */
  readonly meanwhile?: (made: Made) => Promise<void>
  /** `completed`, or reasons that are all right; where programs differ, each its own. */
  readonly expected: Outcomes | Readonly<Record<ClientName, Outcomes>>
  /** Files in its folder at the end, which are the agent's work. */
  readonly leaves?: ReadonlyArray<string>
  /** More that must hold; throws. */
  readonly also?: (seen: JobSeen, made: Made) => void
}

export const expectedOf = ({ expected }: Situation, program: ClientName): Outcomes =>
  "claude" in expected ? expected[program] : expected

/** `completed` or the reason, as the table shows it. */
export const outcomeOf = ({ status, reason }: Pick<JobSeen, "status" | "reason">): string => reason ?? status

export const fail = (message: string): never => {
  throw new Error(message)
}

/** The same whatever is asked. */
export const always =
  (reply: Reply): Situation["script"] =>
  () =>
  () =>
    reply

/** The first request of the agent meets this, every later one an answer. */
export const once =
  (name: string, reply: Reply): Situation["script"] =>
  ({ server }) =>
  () =>
    requestsOf(server, name).length <= 1 ? reply : { text: "in the end" }

export const directoryOf = ({ world }: Made, name: string): string => join(world.folder, "work", name)

/** Writes a file in whatever way the program offers; the commands' own way where it has no tool for that. */
export const write = (conversation: Conversation, directory: string, file: string, content: string): Reply => {
  const path = join(directory, file)
  const ways: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    Write: { file_path: path, content },
    write_file: { file_path: path, content },
    write: { filePath: path, content }
  }
  const way = Object.entries(ways).find(([name]) => conversation.tools.includes(name))
  const [name, input] = way ?? ["shell", { command: `printf '%s' '${content}' > '${path}'` }]
  return { toolCalls: [{ name, input }] }
}

export const requestsOf = (server: ModelServer, tag: string) =>
  server.requests.filter(({ conversation, side }) => !side && promptTag(conversation) === tag)

export const eventually = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (const deadline = performance.now() + 280_000; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Sends a signal to the program of one agent, as soon as it waits for the model. */
export const signalled = (name: string, signal: NodeJS.Signals, expected: Situation["expected"]): Situation => ({
  name,
  what: `${signal} from elsewhere while it waits for the model`,
  script: always({ hang: true }),
  env: async () => ({ CONTEXTFS_TEST_CELL: name }),
  meanwhile: async ({ server, program }) => {
    await eventually(`the request of ${name}`, () => requestsOf(server, name).length > 0)
    const found = await survivors({ env: `CONTEXTFS_TEST_CELL=${name}` })
    const own = found.filter(({ commandLine }) => commandLine.startsWith(program.command.join(" ")))
    const [first] = [...own].sort((one, other) => one.pid - other.pid)
    process.kill(first?.pid ?? fail(`no process of ${name}: ${found.map((one) => one.commandLine)}`), signal)
  },
  expected
})

/** A folder of the user's of its own, with a foreign server in it that only this agent's program starts. */
export const withOwnFolder =
  (name: string, own: (program: Program) => Pick<Parameters<Program["ownFolder"]>[0], "server" | "settings">) =>
  async ({ world, program, server }: Made): Promise<Readonly<Record<string, string>>> =>
    program.ownFolder({
      url: server.url,
      write: async (file, text) => join(await world.file(join("own", name, file), text), ".."),
      ...own(program)
    })

export const denied = (seen: JobSeen): void => {
  if (seen.denials.length === 0) {
    const folder = `${seen.evidence["folder"]}`
    fail(`no denial is listed: ${readFileSync(join(folder, "stdout"), "utf8").slice(-2_000)}`)
  }
  if (!seen.warnings.some((warning) => warning.includes("denied"))) fail("no warning tells of the denial")
}
