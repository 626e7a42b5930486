/**
 * Every situation a real program can be brought into, and the one reason it must end with. Falsified by: a failure that is
 * called a success, a wrong reason, a program that retries for ever, a process or file that stays, output that is cut.
 */
import { writeSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  byAgent,
  type ModelServer,
  makeModelServer,
  promptTag,
  type Script
} from "../../packages/fixtures/src/ModelServer.js"
import { string } from "../../packages/fixtures/src/modelServer/json.js"
import { people } from "./support/people.js"
import { configure, programs } from "./support/programs.js"
import { type RunSeen, runSeen } from "./support/results.js"
import { chosen, full } from "./support/settings.js"
import { expectedOf, type Made, outcomeOf, type Situation } from "./support/situation.js"
import { situations } from "./support/situations.js"
import { type Ended, makeWorld, type World } from "./support/world.js"

/** As many agents as the machine bears: what a program needs to start counts against its clocks. */
const workers = 8

/** One of the chosen goes on from it. */
const isContinued = (name: string): boolean =>
  situations.some(({ name: chooser, continues }) => continues === name && chosen?.includes(chooser) === true)

const cases = programs.flatMap((program) => people.map((person) => ({ program, person })))

const titled = cases.map((each) => [`${each.program.name} as ${each.person.name}`, each] as const)

describe.each(titled)("%s", (title, { program, person }) => {
  const tried = situations.filter(({ name, full: long }) =>
    chosen === undefined ? full || long === undefined : chosen.includes(name) || isContinued(name)
  )
  const here = tried.filter(({ impossible }) => impossible?.[program.name] === undefined)
  const folderOf = ({ name, folder }: Situation): string => folder ?? name
  let server: ModelServer
  let world: World
  let ended: Ended
  let run: RunSeen
  let later: RunSeen | undefined
  let disturbances: ReadonlyArray<PromiseSettledResult<void>>

  beforeAll(async () => {
    let script: Script = () => ({ status: 503, message: "not yet" })
    server = await makeModelServer((conversation) => script(conversation))
    world = await makeWorld(person)
    await configure(program, world, server.url)
    const made = { world, program, server }
    const scripts = byAgent(Object.fromEntries(here.map((situation) => [situation.name, situation.script(made)])))
    // After a summary nothing tells which agent it was.
    script = (conversation) => (promptTag(conversation) === undefined ? { text: "in the end" } : scripts(conversation))
    const begin = here.filter(({ continues }) => continues === undefined)
    const goOn = here.filter(({ continues }) => continues !== undefined)
    const first = await start("first.json", made, begin)
    disturbances = await Promise.allSettled(here.map(({ meanwhile }) => meanwhile?.(made)))
    ended = await first.ended
    run = runSeen(ended)
    if (goOn.length > 0) later = runSeen(await (await start("later.json", made, goOn)).ended)
  })

  /** Resolves as soon as the run has begun. */
  const start = async (
    name: string,
    made: Made,
    these: ReadonlyArray<Situation>
  ): Promise<{ ended: Promise<Ended> }> => {
    const standard = program.settings(server.url)
    const agents = await Promise.all(
      these.map(async (situation) => {
        const { name, agent, continues, env, keyless, task, tool } = situation
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
            directory: await world.directory(folderOf(situation)),
            ...(program.model === undefined ? {} : { model: program.model }),
            task: task ?? `[[agent:${name}]] Do what you can.`,
            ...(continues === undefined ? {} : { session: jobOf(continues)?.sessionId }),
            ...(await agent?.(made)),
            env: { ...(keyless === true ? {} : program.key), ...(await env?.(made)) }
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
    const file = await world.file(name, JSON.stringify(configuration))
    await world.handOver()
    const args = ["orchestrator", "run", file, "--workers", String(Math.min(workers, these.length)), "--json"]
    return { ended: world.contextfs(args, program.env(server.url)) }
  }
  afterAll(async () => {
    if (run !== undefined) {
      table(
        tried.map((each) => {
          const why = each.impossible?.[program.name]
          return why === undefined
            ? [each.name, expectedOf(each, program.name).join(" or "), seen(each.name)]
            : [each.name, "impossible", why]
        })
      )
    }
    await world?.[Symbol.asyncDispose]()
    await server?.close()
  })

  const jobs = () => [run, later].flatMap((each) => each?.jobs ?? [])
  const jobOf = (name: string) => jobs().find(({ agentId }) => agentId === name)
  const seen = (name: string): string => {
    const job = jobOf(name)
    return job === undefined ? "no result" : outcomeOf(job)
  }
  const table = (rows: ReadonlyArray<readonly [string, string, string]>): void => {
    const line = (row: ReadonlyArray<string>) => row.map((cell) => cell.padEnd(30)).join("  ")
    const differ = rows.filter(
      ([, expected, found]) => expected !== "impossible" && !expected.split(" or ").includes(found)
    )
    const text = [[title, "expected", "seen"], ...rows].map((row) => line(row).trimEnd()).join("\n")
    writeSync(1, `\n${text}\n${rows.length} situations, ${differ.length} differ\n\n`)
  }

  const promises = here.map(
    (situation) => [situation.name, expectedOf(situation, program.name).join(" or "), situation] as const
  )
  it.each(promises)("%s ends as %s", (name, _, situation) => {
    const job = jobOf(name)
    if (job === undefined) throw new Error("no result")
    expect(expectedOf(situation, program.name), `${job.error} ${JSON.stringify(job.evidence)}`).toContain(
      outcomeOf(job)
    )
    expect(job.status).toBe(outcomeOf(job) === "completed" ? "completed" : "failed")
    situation.also?.(job, { world, program, server })
    if (situation.continues !== undefined) expect(job.sessionId).toBe(jobOf(situation.continues)?.sessionId)
  })

  it("was disturbed as planned", () => {
    expect(disturbances.filter(({ status }) => status === "rejected")).toEqual([])
  })

  it("ends 1: some did not complete", () => {
    expect(ended.code).toBe(1)
    expect(run.status).toBe("failed")
  })

  it("keeps the output of each that said that it was done whole: up to the last line, and nothing but its events", async () => {
    for (const { agentId, evidence } of jobs().filter(({ evidence }) => evidence["lastEvent"] === "finished")) {
      const text = await readFile(join(string(evidence["folder"]), "stdout"), "utf8")
      expect({ agentId, noise: evidence["noise"], end: text.at(-1) }).toEqual({ agentId, noise: 0, end: "\n" })
      expect(
        () =>
          text
            .trim()
            .split("\n")
            .map((each): unknown => JSON.parse(each)),
        agentId
      ).not.toThrow()
    }
  })

  it("leaves no process, and nothing in HOME, in the agents' folders and in the temporary folder", async () => {
    await world.quiet()
    const left = here.flatMap((each) => (each.leaves ?? []).map((name) => join("work", folderOf(each), name)))
    expect(await world.litter()).toEqual(left)
    expect(await world.strangers(program)).toEqual([])
  })
})
