/** What a shape cannot say: names that must exist, directories, tasks, ids. Looks at the raw value, so that it runs
 * whatever else is wrong. */
import { isUtf8 } from "node:buffer"
import * as fs from "node:fs"
import * as path from "node:path"
import { isProject, projectExpected } from "@contextfs/memory/vocabulary"
import { type Path, type Problem, show, suggest } from "./configIssue.js"
import { isObject, type JsonObject, string } from "./json.js"

export interface Surroundings {
  /** What relative paths are relative to. */
  readonly directory: string
  readonly roles: ReadonlyArray<string>
  /** Names of the tool adapters. */
  readonly tools: ReadonlyArray<string>
  /** Ids of agents that others have. */
  readonly taken?: ReadonlySet<string>
  /** Settings of the command line. */
  readonly overrides?: { readonly project?: string; readonly tool?: string } | undefined
}

/** Tasks larger than this are a mistake. */
const maxTaskBytes = 4 * 1024 * 1024

export const isDirectory = (directory: string): boolean => {
  try {
    return fs.statSync(directory).isDirectory()
  } catch {
    return false
  }
}

const checkAgent = (
  agent: JsonObject,
  here: Path,
  around: Surroundings,
  tools: ReadonlyArray<string>
): Array<Problem> => {
  const problems: Array<Problem> = []
  const role = string(agent["role"])
  if (role !== undefined && isName(role) && !around.roles.includes(role)) {
    problems.push({
      path: [...here, "role"],
      message: `unknown role ${show(role)}`,
      suggestion: suggest(role, around.roles)
    })
  }
  const tool = string(agent["tool"])
  if (tool !== undefined && isName(tool) && !tools.includes(tool)) {
    problems.push({ path: [...here, "tool"], message: `unknown tool ${show(tool)}`, suggestion: suggest(tool, tools) })
  }
  const directory = string(agent["directory"])
  if (directory !== undefined && isName(directory) && !isDirectory(path.resolve(around.directory, directory))) {
    problems.push({
      path: [...here, "directory"],
      message: `no directory ${show(path.resolve(around.directory, directory))}`,
      suggestion: directory.startsWith("~")
        ? "write the whole path: ~ is not expanded here"
        : "make it, or correct the path"
    })
  }
  const hasTask = Object.hasOwn(agent, "task")
  const hasFile = Object.hasOwn(agent, "taskFile")
  if (hasTask === hasFile) {
    problems.push({
      path: hasTask ? [...here, "taskFile"] : here,
      message: hasTask ? "task and taskFile exclude each other" : "task is missing",
      suggestion: hasTask ? "keep one of them" : "add task, or taskFile with the name of a file"
    })
  }
  const taskFile = string(agent["taskFile"])
  if (taskFile !== undefined && taskFile !== "-" && isName(taskFile)) {
    const problem = taskProblem(path.resolve(around.directory, taskFile))
    if (problem !== undefined) problems.push({ path: [...here, "taskFile"], ...problem })
  }
  return problems
}

/** What is no name at all is told with its shape. */
const isName = (text: string): boolean => text.trim() !== "" && !text.includes("\u0000")

const unreadable: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ["is not there", "make it, or correct the path, which is relative to the configuration"],
  ENOTDIR: ["is not there", "make it, or correct the path, which is relative to the configuration"],
  EACCES: ["may not be read by you", "give yourself the right: chmod u+r"],
  ELOOP: ["is a link that leads to itself", "mend the link"]
}

/** Why a task cannot be read from a file, and what to do. */
const taskProblem = (file: string): Pick<Problem, "message" | "suggestion"> | undefined => {
  const told = (what: string, suggestion: string) => ({ message: `${show(file)} ${what}`, suggestion })
  try {
    const stat = fs.statSync(file)
    if (stat.isDirectory()) return told("is a folder", "name a file in it")
    if (!stat.isFile()) return told("is no regular file", "write the task to a file, or pipe it in and say -")
    if (stat.size > maxTaskBytes) {
      return told(
        `is larger than ${maxTaskBytes / 1024 / 1024} MiB`,
        "keep the task, and name in it what is to be read"
      )
    }
    const bytes = fs.readFileSync(file)
    if (!isUtf8(bytes)) return told("is not UTF-8 text", "save it as UTF-8")
    const text = bytes.toString("utf8")
    if (text.includes("\u0000")) return told("holds the character NUL", "name a file of text")
    return text.trim() === "" ? told("is empty", "write the task into it") : undefined
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? `${cause.code}` : `${cause}`
    const [what, suggestion] = unreadable[code] ?? [`cannot be read: ${code}`, "look at the file"]
    return told(what, suggestion)
  }
}

/** Agents in the raw value, with where they stand. */
const agentsOf = (value: unknown): ReadonlyArray<readonly [JsonObject, Path]> => {
  const [list, base]: readonly [unknown, Path] = Array.isArray(value)
    ? [value, []]
    : [isObject(value) ? value["agents"] : undefined, ["agents"]]
  return Array.isArray(list)
    ? list.flatMap((agent: unknown, index) => (isObject(agent) ? [[agent, [...base, index]] as const] : []))
    : []
}

export const check = (value: unknown, around: Surroundings): Array<Problem> => {
  const problems: Array<Problem> = []
  const configured = isObject(value) && isObject(value["tools"]) ? value["tools"] : {}
  const tools = [...new Set([...around.tools, ...Object.keys(configured)])]
  for (const [name, settings] of Object.entries(configured)) {
    const here: Path = ["tools", name]
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
      problems.push({
        path: here,
        message: `${show(name)} is no name for a tool`,
        suggestion: "letters, digits, dot, dash",
        atKey: true
      })
    }
    if (!isObject(settings)) continue
    const adapter = string(settings["adapter"])
    if (adapter !== undefined && adapter !== "command" && !around.tools.includes(adapter)) {
      const choices = [...around.tools, "command"]
      problems.push({
        path: [...here, "adapter"],
        message: `unknown adapter ${show(adapter)}`,
        suggestion: suggest(adapter, choices)
      })
    }
    if (
      !Object.hasOwn(settings, "command") &&
      (adapter ?? (around.tools.includes(name) ? name : "command")) === "command"
    ) {
      problems.push({
        path: here,
        message: "command is missing",
        suggestion: 'add "command": ["program", "argument"]',
        atKey: true
      })
    }
  }
  const tool = isObject(value) ? string(value["tool"]) : undefined
  if (tool !== undefined && isName(tool) && !tools.includes(tool)) {
    problems.push({ path: ["tool"], message: `unknown tool ${show(tool)}`, suggestion: suggest(tool, tools) })
  }
  const project = around.overrides?.project
  if (project !== undefined && !isProject(project)) {
    problems.push({ path: ["project"], message: `expected ${projectExpected}, got ${show(project)}` })
  }
  const forced = around.overrides?.tool
  if (forced !== undefined && !tools.includes(forced)) {
    problems.push({ path: ["--tool"], message: `unknown tool ${show(forced)}`, suggestion: suggest(forced, tools) })
  }
  const ids = new Set(around.taken)
  const sessions = new Set<string>()
  let stdin = false
  for (const [agent, here] of agentsOf(value)) {
    problems.push(...checkAgent(agent, here, around, tools))
    const id = string(agent["id"])
    if (id !== undefined && ids.has(id)) {
      problems.push({
        path: [...here, "id"],
        message: `the id ${show(id)} is there twice`,
        suggestion: "give each agent its own"
      })
    }
    if (id !== undefined) ids.add(id)
    const session = string(agent["session"])
    if (session !== undefined && sessions.has(session)) {
      problems.push({
        path: [...here, "session"],
        message: `the session ${show(session)} is there twice`,
        suggestion: "only one agent can continue it"
      })
    }
    if (session !== undefined) sessions.add(session)
    if (agent["taskFile"] === "-") {
      if (stdin) problems.push({ path: [...here, "taskFile"], message: "only one agent can read its task from stdin" })
      stdin = true
    }
  }
  return problems
}
