/**
 * The first configuration file and the options of `run` as they were first described, word for word, with the real claude as a
 * normal user types them. Falsified by: an option that is refused or has no effect.
 */
import { copyFile, mkdir } from "node:fs/promises"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  type Conversation,
  type ModelServer,
  makeBarrier,
  makeModelServer,
  prompt,
  type Script,
  steps
} from "../../packages/fixtures/src/ModelServer.js"
import { people } from "./support/people.js"
import { programs } from "./support/programs.js"
import { memoriesSeen } from "./support/results.js"
import { makeWorld, type World } from "./support/world.js"

const seed = fileURLToPath(new URL("seed/agents.json", import.meta.url))
const claude = programs.find(({ name }) => name === "claude")
const person = people.at(-1) ?? { name: "nobody", uid: -1, gid: -1 }

const tasks = { test: "Write unit tests for", code: "Implement the auth", review: "Review auth implementation" }
const roles = ["test", "code", "review"] as const
/** By the task at the end of the prompt: what is recalled before it may tell of other tasks. */
const roleOf = (conversation: Conversation) => {
  const task = prompt(conversation).split("\n# Task\n").at(-1) ?? ""
  return roles.find((role) => task.includes(tasks[role]))
}

const saving: Script = (conversation) =>
  steps([
    { toolCalls: [{ name: "contextfs_search", input: { query: "auth module" } }] },
    {
      toolCalls: [{ name: "contextfs_save", input: { content: `auth, seen by ${roleOf(conversation)}`, type: "fact" } }]
    },
    { text: `${roleOf(conversation)} is done` }
  ])(conversation)

describe.skipIf(claude === undefined)(`the seed's agents.json as ${person.name} (needs claude)`, () => {
  let script: Script
  let server: ModelServer
  let world: World

  beforeEach(async () => {
    script = saving
    server = await makeModelServer((conversation) => script(conversation))
    world = await makeWorld(person)
    for (const name of ["tests", "src"]) await mkdir(join(world.folder, name))
    await copyFile(seed, join(world.folder, "agents.json"))
    await world.handOver()
  })
  afterEach(async () => {
    await world.quiet().finally(() => world[Symbol.asyncDispose]())
    await server.close()
  })

  const contextfs = (...args: ReadonlyArray<string>) =>
    world.contextfs(args, {
      ...claude?.env(server.url),
      ...claude?.key,
      PATH: [dirname(claude?.command[0] ?? ""), dirname(process.execPath), process.env["PATH"]].join(delimiter)
    })

  /** Who saved what in a project, as `findings` tells it. */
  const savers = async (project: string) => {
    const found = await contextfs("orchestrator", "findings", "--project", project, "--limit", "10", "--json")
    const rows = memoriesSeen(found).filter(({ content }) => `${content}`.startsWith("auth, seen by "))
    return rows.map(({ role, content, project }) => `${project}: ${role}: ${content}`).sort()
  }
  const allIn = (project: string) => [...roles].sort().map((role) => `${project}: ${role}: auth, seen by ${role}`)

  it("runs with --workers 3: three real agents side by side", async () => {
    const together = makeBarrier(3)
    script = async (conversation) => {
      await together(roleOf(conversation) ?? "")
      return saving(conversation)
    }
    const ended = await contextfs("orchestrator", "run", "agents.json", "--workers", "3")
    expect(ended).toMatchObject({ code: 0 })
    expect(server.failures).toEqual([])
    expect(await savers("default")).toEqual(allIn("default"))
  })

  it("takes -p, -t, -w and --timeout", async () => {
    const options = ["-p", "shop", "-t", "claude", "-w", "1", "--timeout", "120"]
    const ended = await contextfs("orchestrator", "run", "agents.json", ...options)
    expect(ended).toMatchObject({ code: 0 })
    expect(await savers("shop")).toEqual(allIn("shop"))
    const order = server.requests.map(({ conversation }) => roleOf(conversation))
    expect(order.filter((role, index) => role !== order[index - 1])).toEqual(roles)
  })

  it("takes the long names, before the file as well", async () => {
    const options = ["--project", "shop", "--tool", "claude", "--workers", "2", "--timeout=90.5"]
    const ended = await contextfs("orchestrator", "run", ...options, "agents.json")
    expect(ended).toMatchObject({ code: 0 })
    expect(await savers("shop")).toEqual(allIn("shop"))
  })

  it("ends agents after --timeout seconds", async () => {
    script = () => ({ hang: true })
    const ended = await contextfs("orchestrator", "run", "agents.json", "--timeout", "4.5", "--workers", "3", "--json")
    expect(ended.code).toBe(1)
    expect(JSON.parse(ended.stdout).results.map(({ status }: { status: string }) => status)).toEqual(
      Array(3).fill("timeout")
    )
  })
})
