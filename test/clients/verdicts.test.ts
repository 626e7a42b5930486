/**
 * Every situation a real program can be brought into, and the one reason it must end with. Falsified by: a failure that is
 * called a success, a wrong reason, a program that retries for ever, a process or file that stays.
 */
import { writeSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { byAgent, type ModelServer, makeModelServer } from "../../packages/fixtures/src/ModelServer.js"
import { people } from "./support/people.js"
import { configure, programs } from "./support/programs.js"
import { type RunSeen, runSeen } from "./support/results.js"
import { outcomeOf, situations } from "./support/situations.js"
import { type Ended, makeWorld, type World } from "./support/world.js"

const cases = programs.flatMap((program) => people.map((person) => ({ program, person })))

const titled = cases.map((each) => [`${each.program.name} as ${each.person.name}`, each] as const)

describe.each(titled)("%s", (title, { program, person }) => {
  const here = situations.filter(({ only }) => only === undefined || only === program.name)
  let server: ModelServer
  let world: World
  let ended: Ended
  let run: RunSeen
  let disturbances: ReadonlyArray<PromiseSettledResult<void>>

  beforeAll(async () => {
    server = await makeModelServer(byAgent(Object.fromEntries(here.map(({ name, script }) => [name, script]))))
    world = await makeWorld(person)
    await configure(program, world.home, server.url)
    const made = { world, program, server }
    const standard = program.settings(server.url)
    const agents = await Promise.all(
      here.map(async ({ name, agent, task, tool }) => {
        const own = await tool?.(made)
        return {
          settings: {
            adapter: program.name,
            ...standard,
            ...own,
            args: own?.command === undefined ? [...standard.args, ...(own?.args ?? [])] : own.args
          },
          agent: {
            id: name,
            role: "custom",
            tool: `${program.name}-${name}`,
            directory: await world.directory(name),
            task: task ?? `[[agent:${name}]] Do what you can.`,
            ...(await agent?.(made))
          }
        }
      })
    )
    const configuration = {
      project: "verdicts",
      retries: 0,
      retryTimeout: "60s",
      tools: Object.fromEntries(agents.map(({ agent, settings }) => [agent.tool, settings])),
      agents: agents.map(({ agent }) => agent)
    }
    const file = await world.file("agents.json", JSON.stringify(configuration))
    await world.handOver()
    const going = world.contextfs(["orchestrator", "run", file, "--workers", String(here.length), "--json"], {
      ...program.env(server.url),
      ...program.key
    })
    disturbances = await Promise.allSettled(here.map(({ meanwhile }) => meanwhile?.(made)))
    ended = await going
    run = runSeen(ended)
  })
  afterAll(async () => {
    if (run !== undefined) table(here.map(({ name, expected }) => [name, expected.join(" or "), seen(name)]))
    await world?.[Symbol.asyncDispose]()
    await server?.close()
  })

  const jobOf = (name: string) => run.jobs.find(({ agentId }) => agentId === name)
  const seen = (name: string): string => {
    const job = jobOf(name)
    return job === undefined ? "no result" : outcomeOf(job)
  }
  const table = (rows: ReadonlyArray<readonly [string, string, string]>): void => {
    const line = (row: ReadonlyArray<string>) => row.map((cell) => cell.padEnd(30)).join("  ")
    const text = [[title, "expected", "seen"], ...rows].map((row) => line(row).trimEnd()).join("\n")
    writeSync(1, `\n${text}\n\n`)
  }

  const promises = here.map((situation) => [situation.name, situation.expected.join(" or "), situation] as const)
  it.each(promises)("%s ends as %s", (name, _, { expected, also }) => {
    const job = jobOf(name)
    if (job === undefined) throw new Error("no result")
    expect(expected, job.error).toContain(outcomeOf(job))
    expect(job.status).toBe(outcomeOf(job) === "completed" ? "completed" : "failed")
    also?.(job, { world, program, server })
  })

  it("was disturbed as planned", () => {
    expect(disturbances.filter(({ status }) => status === "rejected")).toEqual([])
  })

  it("ends 1: some did not complete", () => {
    expect(ended.code).toBe(1)
    expect(run.status).toBe("failed")
  })

  it("leaves no process, and nothing in HOME, in the agents' folders and in the temporary folder", async () => {
    await world.quiet()
    expect(await world.litter()).toEqual([])
    expect(await world.strangers(program)).toEqual([])
  })
})
