/**
 * Three agents of a real program at once, as root and as a normal user, with a key in the environment or a planted login: they
 * overlap, share one memory, and leave nothing behind. Falsified by: a login we hide, a memory row with the wrong scope, a file
 * of ours in HOME or in a job's folder, a process that stays.
 */
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  byAgent,
  type Conversation,
  type ModelServer,
  makeBarrier,
  makeModelServer,
  promptTag,
  type Script,
  stepOf,
  steps,
  toolTexts
} from "../../packages/fixtures/src/ModelServer.js"
import { people } from "./support/people.js"
import { configure, type Program, plant, programs } from "./support/programs.js"
import { memoriesSeen, type RunSeen, runSeen } from "./support/results.js"
import { type Ended, makeWorld, type World } from "./support/world.js"

const agents = [
  { id: "saver", role: "code" },
  { id: "finder", role: "test" },
  { id: "reader", role: "review" }
] as const
const project = "lighthouse"

/** Not part of any task or query: whoever says it has it from the memory. */
const makeScript = (secret: string): Script => {
  const together = makeBarrier(agents.length)
  const search = { name: "contextfs_search", input: { query: "lighthouse lamp interval" } }
  const save = (content: string, type: string) => ({
    toolCalls: [{ name: "contextfs_save", input: { content, summary: content, type, tags: ["lighthouse"] } }]
  })
  const begin = async (conversation: Conversation) => {
    await together(promptTag(conversation) ?? "")
    return { toolCalls: [search] }
  }
  return byAgent({
    saver: steps([begin, save(`The lighthouse lamp interval is ${secret}`, "decision"), { text: "saver is done" }]),
    reader: steps([begin, save("The lighthouse stairs are steep", "fact"), { text: "reader is done" }]),
    finder: async (conversation) => {
      if (stepOf(conversation) === 0) return begin(conversation)
      const texts = toolTexts(conversation)
      const found = texts.findIndex((text) => text.includes(secret))
      if (found === -1 && texts.length > 100) throw new Error("the finder gave up")
      if (found === -1) return { toolCalls: [search], delayMs: 200 }
      if (texts.length === found + 1) return save("The lighthouse tests use the lamp interval", "code")
      return { text: `finder read ${secret}` }
    }
  })
}

const cases = programs.flatMap((program) =>
  people.flatMap((person) => (["key", "login"] as const).map((means) => ({ program, person, means })))
)

const titled = cases.map((each) => [`${each.program.name} as ${each.person.name} with a ${each.means}`, each] as const)

describe.each(titled)("%s", (_, { program, person, means }) => {
  const secret = randomBytes(6).toString("hex")
  let server: ModelServer
  let world: World
  let ended: Ended
  let run: RunSeen

  beforeAll(async () => {
    server = await makeModelServer(makeScript(secret))
    world = await makeWorld(person)
    await configure(program, world, server.url)
    if (means === "login") await plant(program, world.home)
    const file = await world.file("agents.json", JSON.stringify(await configuration(program, world, server)))
    await world.handOver()
    const env = { ...program.env(server.url), ...(means === "key" ? program.key : {}) }
    ended = await world.contextfs(["orchestrator", "run", file, "--workers", "3", "--json"], env)
    run = runSeen(ended)
  })
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]()
    await server?.close()
  })

  it("completes all three", () => {
    expect(run.jobs.map(({ agentId, status, error }) => ({ agentId, status, error }))).toEqual(
      agents.map(({ id }) => ({ agentId: id, status: "completed", error: "" }))
    )
    expect(ended.code).toBe(0)
    expect(run.status).toBe("completed")
    expect(server.failures).toEqual([])
  })

  it("runs them side by side: the barrier opened for all three at once", () => {
    const first = server.requests.filter(({ side }) => !side).slice(0, agents.length)
    expect(first.map(({ conversation }) => promptTag(conversation)).sort()).toEqual(["finder", "reader", "saver"])
  })

  it("reaches the model with the user's own login and nothing else", () => {
    const wanted = means === "key" ? program.keyAuth : program.login.auth
    expect([...new Set(server.requests.map(({ auth }) => auth))]).toEqual([wanted])
  })

  it("tells session and tokens of each", () => {
    for (const { sessionId, usage, attempts } of run.jobs) {
      expect(sessionId).not.toBe("")
      expect(usage["inputTokens"]).toBeGreaterThan(0)
      expect(usage["outputTokens"]).toBeGreaterThan(0)
      expect(attempts).toBe(1)
    }
  })

  it("gives each agent the search and the save, and says so in its result", () => {
    for (const { searches, saved } of run.jobs) {
      expect(searches).toBeGreaterThan(0)
      expect(saved).toHaveLength(1)
    }
  })

  it("shows who followed the protocol of its role, and what was skipped", () => {
    expect(run.jobs.map(({ agentId, done, ignored }) => ({ agentId, done, ignored }))).toEqual([
      {
        agentId: "saver",
        done: ["search prior decisions", "save decisions with their rationale as decision"],
        ignored: ["save patterns that others should follow as code"]
      },
      {
        agentId: "finder",
        done: ["search existing test patterns", "save test patterns as code"],
        ignored: ["save test failures as error"]
      },
      {
        agentId: "reader",
        done: ["search related decisions", "save findings as fact"],
        ignored: ["link findings and the decisions or errors they bear on"]
      }
    ])
  })

  it("lets one agent find what another saved", () => {
    expect(run.jobs.find(({ agentId }) => agentId === "finder")?.result).toBe(`finder read ${secret}`)
  })

  it("stores every memory under the right project, role, run and job", async () => {
    const listed = await world.contextfs(["memory", "list", "--project", project, "--limit", "100", "--json"])
    const rows = memoriesSeen(listed)
    for (const { agentId, jobId, role, saved } of run.jobs) {
      const row = rows.find(({ id }) => id === saved[0])
      expect(row).toMatchObject({ project, role, runId: run.runId, jobId, agentId, trust: "agent" })
    }
    expect(new Set(rows.map(({ project }) => project))).toEqual(new Set([project]))
  })

  it("adds nothing to HOME but our data and cache, and leaves the login as it was", async () => {
    expect(await world.strangers(program)).toEqual([])
    if (means === "login") {
      expect(await readFile(join(world.home, program.login.file), "utf8")).toBe(program.login.content)
    }
  })

  it("leaves nothing in the agents' folders and in the temporary folder", async () => {
    expect(await world.litter()).toEqual([])
  })

  it("leaves no process", async () => {
    expect(run.jobs.map(({ evidence }) => evidence["survivors"])).toEqual([0, 0, 0])
    await world.quiet()
  })
})

const configuration = async (program: Program, world: World, server: ModelServer) => ({
  project,
  tool: program.name,
  retries: 0,
  tools: { [program.name]: program.settings(server.url) },
  agents: await Promise.all(
    agents.map(async ({ id, role }) => ({
      id,
      role,
      directory: await world.directory(id),
      ...(program.model === undefined ? {} : { model: program.model }),
      task: `[[agent:${id}]] Keep the lighthouse.`
    }))
  )
})
