/**
 * All four programs in one run. Falsified by: an agent that does not find what another program's agent saved; events that tell
 * the same conversation differently from program to program.
 */
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { AgentEvent } from "../../packages/core/src/ToolAdapter.js"
import * as Tools from "../../packages/core/src/Tools.js"
import {
  byAgent,
  type ModelServer,
  makeBarrier,
  makeModelServer,
  type Script,
  steps,
  toolTexts
} from "../../packages/fixtures/src/ModelServer.js"
import { string } from "../../packages/fixtures/src/modelServer/json.js"
import { people } from "./support/people.js"
import { configure, type Program, programs } from "./support/programs.js"
import { type JobSeen, type RunSeen, runSeen } from "./support/results.js"
import { type Ended, makeWorld, type World } from "./support/world.js"

const each = people.map((person) => [`as ${person.name}`, person] as const)

interface Agent {
  readonly id: string
  readonly program: Program
  readonly script: Script
}

const launch = async (world: World, server: ModelServer, agents: ReadonlyArray<Agent>): Promise<Ended> => {
  for (const program of programs) await configure(program, world, server.url)
  const configuration = {
    project: "harbour",
    retries: 0,
    tools: Object.fromEntries(programs.map((program) => [program.name, program.settings(server.url)])),
    agents: await Promise.all(
      agents.map(async ({ id, program }) => ({
        id,
        role: "code",
        tool: program.name,
        directory: await world.directory(id),
        ...(program.model === undefined ? {} : { model: program.model }),
        task: `[[agent:${id}]] Mind the harbour.`
      }))
    )
  }
  const file = await world.file("agents.json", JSON.stringify(configuration))
  await world.handOver()
  const env = Object.assign({}, ...programs.map((program) => ({ ...program.env(server.url), ...program.key })))
  return world.contextfs(["orchestrator", "run", file, "--workers", String(agents.length), "--json"], env)
}

describe.skipIf(programs.length < 4).each(each)("two agents of each program at once %s (needs --full)", (_, person) => {
  const secrets = Object.fromEntries(
    programs.flatMap(({ name }) => [`${name}-a`, `${name}-b`]).map((id) => [id, randomBytes(6).toString("hex")])
  )
  const all = Object.values(secrets)
  const together = makeBarrier(all.length)
  const search = { name: "contextfs_search", input: { query: "harbour lamp", limit: 50 } }
  /** Saves its own secret when all are there, then looks until it has found everybody's. */
  const scriptOf =
    (id: string): Script =>
    async (conversation) => {
      const texts = toolTexts(conversation)
      if (texts.length === 0) {
        await together(id)
        const content = `The harbour lamp of ${id} is ${secrets[id]}`
        return { toolCalls: [{ name: "contextfs_save", input: { content, summary: content, type: "fact" } }] }
      }
      const found = all.filter((secret) => texts.slice(1).some((text) => text.includes(secret)))
      if (found.length < all.length && texts.length < 200) return { toolCalls: [search], delayMs: 500 }
      return { text: `${id} found ${found.length}` }
    }
  const agents: ReadonlyArray<Agent> = programs.flatMap((program) =>
    [`${program.name}-a`, `${program.name}-b`].map((id) => ({ id, program, script: scriptOf(id) }))
  )
  let server: ModelServer
  let world: World
  let ended: Ended
  let run: RunSeen

  beforeAll(async () => {
    server = await makeModelServer(byAgent(Object.fromEntries(agents.map(({ id, script }) => [id, script]))))
    world = await makeWorld(person)
    ended = await launch(world, server, agents)
    run = runSeen(ended)
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await server?.close()
  })

  it("completes all eight; each found what all others saved", () => {
    expect(run.jobs.map(({ agentId, error, result }) => ({ agentId, error, result }))).toEqual(
      agents.map(({ id }) => ({ agentId: id, error: "", result: `${id} found 8` }))
    )
    expect(ended.code).toBe(0)
    expect(server.failures).toEqual([])
  })

  it("leaves no process, and nothing in the agents' folders and in the temporary folder", async () => {
    await world.quiet()
    expect(await world.litter()).toEqual([])
  })
})

describe.skipIf(programs.length < 4).each(each)("one conversation with each program %s (needs --full)", (_, person) => {
  const story = steps([
    { toolCalls: [{ name: "contextfs_search", input: { query: "harbour" } }] },
    { toolCalls: [{ name: "contextfs_save", input: { content: "The harbour is deep", type: "fact" } }] },
    { toolCalls: [{ name: "shell", input: { command: "echo ahoy" } }] },
    { text: "All is told." }
  ])
  const agents: ReadonlyArray<Agent> = programs.map((program) => ({ id: program.name, program, script: story }))
  let server: ModelServer
  let world: World
  let run: RunSeen

  beforeAll(async () => {
    server = await makeModelServer(story)
    world = await makeWorld(person)
    run = runSeen(await launch(world, server, agents))
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await server?.close()
  })

  it("is told in the same events by all", async () => {
    const told = await Promise.all(run.jobs.map(async (job) => [job.agentId, await eventsOf(job)] as const))
    const expected = [
      "started",
      "toolCall contextfs.contextfs_search",
      "toolResult contextfs.contextfs_search true",
      "toolCall contextfs.contextfs_save",
      "toolResult contextfs.contextfs_save true",
      "toolCall shell",
      "toolResult shell true",
      "message All is told.",
      "finished true"
    ]
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(programs.map(({ name }) => [name, expected])))
  })
})

/** The attempt's whole output, decoded again. Usage comes when a program likes; pieces of a message are joined. */
const eventsOf = async ({ agentId, evidence }: JobSeen): Promise<ReadonlyArray<string>> => {
  const decoder = Tools.builtIn.get(agentId)?.decoder()
  if (decoder === undefined) throw new Error(`no adapter ${agentId}`)
  const written = (name: string) => readFile(join(string(evidence["folder"]), name), "utf8")
  const lines = (await written("stdout")).split("\n").flatMap((line) => decoder.line(line))
  const exitCode = Number(evidence["exitCode"])
  const told: Array<string> = []
  for (const event of [...lines, ...(decoder.end?.({ exitCode, stderr: await written("stderr") }) ?? [])]) {
    if (event.kind === "message" && event.delta === true) told.push(`${told.pop()}${event.text}`)
    else if (event.kind !== "usage") told.push(inWords(event))
  }
  return told
}

const inWords = (event: Exclude<AgentEvent, { readonly kind: "usage" }>): string => {
  switch (event.kind) {
    case "started":
      return event.kind
    case "message":
      return `message ${event.text}`
    case "toolCall":
      return `toolCall ${event.name}`
    case "toolResult":
      return `toolResult ${event.name} ${event.ok}`
    case "limit":
      return `limit ${event.limit.class}`
    case "finished":
      return `finished ${event.ok}`
  }
}
