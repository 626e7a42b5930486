/**
 * The `mock` agent: no model, no dependency; a real process that speaks real MCP. Reads the prompt on stdin, then
 * searches memory for its task, recalls the best hit, does what `mock:` lines of the task say in their order, saves what
 * its role is asked to save unless a line saved something, links that to the hit where the role links, and prints our
 * event lines (`internal/eventLines.ts`).
 *
 *     mock: delay 500ms                      wait (ms, s or m)
 *     mock: say "text"                       a message
 *     mock: search "query"                   one search
 *     mock: save decision "text"             one memory of a type
 *     mock: wait-for "query" [within 60s]    search until something is found that another agent saved
 *     mock: call contextfs_list {"limit":1}  one call of any tool; its answer is a message
 *     mock: watch                            until the agents have ended that it asked for
 *     mock: fail "message"                   end with a failure
 *     mock: exit 3                           end at once, without saying so
 */
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { parseArgs } from "node:util"
import * as json from "./internal/json.js"
import { McpClient, type ToolAnswer } from "./internal/mcpClient.js"
import { type Directive, parseDirectives, parsePrompt } from "./internal/mockTask.js"

class Failed extends Error {}

const { values: options } = parseArgs({
  options: { "mcp-config": { type: "string" }, model: { type: "string" }, resume: { type: "string" } }
})

const emit = (event: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const { links, role, saves, task } = parsePrompt(readFileSync(0, "utf8"))
const topic =
  task
    .split("\n")
    .find((line) => line.trim() !== "" && !line.trimStart().startsWith("mock:"))
    ?.trim() ?? role

const memory = options["mcp-config"] === undefined ? undefined : McpClient.fromFile(options["mcp-config"])
const own = new Set<string>()
let turns = 0
let searches = 0

const use = async (tool: string, input: json.JsonObject): Promise<ToolAnswer | undefined> => {
  if (memory === undefined) return undefined
  turns += 1
  const id = `call-${turns}`
  const name = `${memory.server}.${tool}`
  emit({ type: "tool_call", id, name, input })
  const answer = await memory.callTool(tool, input)
  emit({ type: "tool_result", id, name, ok: answer.ok, ...(answer.ok ? {} : { message: answer.text }) })
  return answer
}

const call = async (tool: string, input: json.JsonObject): Promise<ReadonlyArray<string>> => {
  const answer = await use(tool, input)
  return answer?.ok === true ? answer.ids : []
}

/** Asks again and again how the agents stand that this one has asked for. */
const watch = async (): Promise<void> => {
  for (;;) {
    const answer = await use("contextfs_orchestrator_run", { wait_seconds: 50 })
    if (answer === undefined) return
    if (!answer.ok) throw new Failed(answer.text)
    const jobs = Array.isArray(answer.structured["jobs"]) ? answer.structured["jobs"].map(json.object) : []
    if (jobs.some(({ status }) => status === "pending" || status === "running")) continue
    emit({ type: "message", text: answer.text })
    return
  }
}

const search = async (query: string): Promise<ReadonlyArray<string>> => {
  searches += 1
  return call("contextfs_search", { query, limit: 5 })
}

const save = async (type: string, content: string): Promise<void> => {
  for (const id of await call("contextfs_save", { type, content, tags: [`${role}-agent`] })) own.add(id)
}

const obey = async (directive: Directive): Promise<void> => {
  switch (directive.verb) {
    case "delay":
      await sleep(directive.millis)
      return
    case "say":
      emit({ type: "message", text: directive.text })
      return
    case "search":
      await search(directive.query)
      return
    case "save":
      await save(directive.type, directive.text)
      return
    case "wait-for": {
      const until = performance.now() + directive.millis
      for (;;) {
        const found = (await search(directive.query)).find((id) => !own.has(id))
        if (found !== undefined) {
          await call("contextfs_recall", { id: found })
          emit({ type: "message", text: `Found what I waited for: ${found}.` })
          return
        }
        if (memory === undefined || performance.now() >= until)
          throw new Failed(`nobody saved "${directive.query}" in time`)
        await sleep(250)
      }
    }
    case "call": {
      const answer = await use(directive.tool, directive.input)
      if (answer !== undefined) emit({ type: "message", text: answer.text })
      return
    }
    case "watch":
      return watch()
    case "fail":
      throw new Failed(directive.message)
    case "exit":
      memory?.close()
      process.exit(directive.code)
  }
}

const work = async (): Promise<string> => {
  await memory?.connect()
  const hit = (await search(topic.slice(0, 200)))[0]
  if (hit !== undefined) await call("contextfs_recall", { id: hit })
  const directives = parseDirectives(task)
  for (const directive of directives) await obey(directive)
  if (!directives.some((directive) => directive.verb === "save")) {
    const asked = saves.length > 0 ? saves : [{ what: "the outcome", type: "fact" }]
    for (const { what, type } of asked)
      await save(type, `${what} (rehearsal of the ${role} agent): ${topic.slice(0, 500)}`)
  }
  const mine = [...own][0]
  if (links && hit !== undefined && mine !== undefined) {
    await call("contextfs_link", { from_id: mine, to_id: hit, relation: "related_to" })
  }
  return `Rehearsed as ${role}: ${searches} searches, ${own.size} memories saved.`
}

emit({ type: "started", sessionId: options.resume ?? randomUUID(), model: options.model ?? "mock" })
try {
  const text = await work()
  emit({ type: "message", text })
  emit({ type: "usage", costUsd: 0, turns })
  emit({ type: "result", ok: true, text })
} catch (cause) {
  // Its memory may be gone with whoever runs this agent, who takes it along in a moment: it has no say in its job then.
  if (!(cause instanceof Failed)) await sleep(2_000)
  const message = cause instanceof Error ? cause.message : `${cause}`
  emit({ type: "result", ok: false, error: { class: "other", message } })
  process.exitCode = 1
} finally {
  memory?.close()
}
