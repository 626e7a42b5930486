/** Gemini CLI, headless: `gemini --output-format stream-json`. */
import * as jsonc from "jsonc-parser"
import * as failure from "../internal/failure.js"
import { refusal } from "../internal/invocation.js"
import * as json from "../internal/json.js"
import type {
  AgentEvent,
  AgentFailure,
  InvocationRequest,
  MemoryAttachment,
  Overlay,
  ToolAdapter,
  Usage
} from "../ToolAdapter.js"

/**
 * A tool that would have to ask is not offered at all. `read` has no shell, thus no git: rules go by prefix only here, and
 * `git diff --output=FILE` would pass one.
 */
const permissionArgs = (permission: InvocationRequest["permission"]): ReadonlyArray<string> => {
  switch (permission) {
    case "read":
      return ["--approval-mode", "default"]
    case "edit":
      return ["--approval-mode", "auto_edit"]
    case "exec":
      return ["--approval-mode", "auto_edit", "--allowed-tools", "run_shell_command"]
    case "full":
      return ["--approval-mode", "yolo"]
  }
}

const neutral: Readonly<Record<string, string>> = {
  run_shell_command: "shell",
  read_file: "read",
  read_many_files: "read",
  write_file: "write",
  replace: "edit",
  glob: "search",
  grep_search: "search",
  list_directory: "search",
  search_file_content: "search",
  web_fetch: "fetch",
  google_web_search: "fetch"
}
const nameOf = (name: string): string => {
  const mcp = /^mcp_([^_]+)_(.+)$/.exec(name)
  return mcp === null ? (neutral[name] ?? name) : `${mcp[1]}.${mcp[2]}`
}

const failureOf = (error: json.JsonObject): AgentFailure => {
  const message = json.string(error["message"]) ?? "the program reports an error"
  const code = /"code":\s*(\d{3})\b/.exec(message)?.[1]
  const status = code === undefined ? undefined : Number(code)
  const turns = error["type"] === "FatalTurnLimitedError"
  return {
    class: turns ? "turns" : failure.classify(message, status),
    message: failure.oneLine(message),
    ...json.defined<{ status: number }>({ status })
  }
}

const usageOf = (stats: json.JsonObject): Usage => {
  const total = json.number(stats["total_tokens"])
  const input = json.number(stats["input_tokens"])
  return json.defined<Required<Usage>>({
    inputTokens: input,
    // Thinking is in the total only.
    outputTokens: total === undefined || input === undefined ? json.number(stats["output_tokens"]) : total - input,
    cachedTokens: json.number(stats["cached"]),
    costUsd: undefined,
    turns: undefined
  })
}

/** Exit codes of its own, where no result was printed. */
const exits: Readonly<Record<number, AgentFailure>> = {
  41: { class: "auth", message: "no login and no key" },
  53: { class: "turns", message: "the limit of turns is reached" }
}

const decoder: ToolAdapter["decoder"] = () => {
  const names = new Map<string, string>()
  /** Calls of its own tools: one of these that does not exist was not offered, for want of permission. */
  const own = new Set<string>()
  const withheld = (id: string, error: json.JsonObject): boolean =>
    error["type"] === "tool_not_registered" && own.has(id)
  let finished = false
  let answer: string | undefined

  return json.jsonLines(
    (event): ReadonlyArray<AgentEvent> | undefined => {
      switch (event["type"]) {
        case "init":
          return [
            {
              kind: "started",
              ...json.defined<{ sessionId: string; model: string }>({
                sessionId: json.string(event["session_id"]),
                model: json.string(event["model"])
              })
            }
          ]
        case "message": {
          const text = json.string(event["content"])
          if (text === undefined) return undefined
          if (event["role"] !== "assistant") return []
          const continues = event["delta"] === true && answer !== undefined
          answer = continues ? `${answer}${text}` : text
          return [{ kind: "message", text, ...(continues ? { delta: true } : {}) }]
        }
        case "tool_use": {
          const id = json.string(event["tool_id"])
          const name = json.string(event["tool_name"])
          if (id === undefined || name === undefined) return undefined
          answer = undefined
          names.set(id, nameOf(name))
          if (Object.hasOwn(neutral, name)) own.add(id)
          return [{ kind: "toolCall", id, name: nameOf(name), input: event["parameters"] }]
        }
        case "tool_result": {
          const id = json.string(event["tool_id"])
          if (id === undefined) return undefined
          const ok = event["status"] === "success"
          const error = json.object(event["error"])
          return [
            {
              kind: "toolResult",
              id,
              ok,
              ...json.defined<{ name: string; denied: boolean; message: string }>({
                name: names.get(id),
                denied: !ok && (error["type"] === "policy_violation" || withheld(id, error)) ? true : undefined,
                message: ok ? undefined : (json.string(error["message"]) ?? json.string(event["output"]))
              })
            }
          ]
        }
        case "error":
          return []
        case "result": {
          const status = event["status"]
          if (status !== "success" && status !== "error") return undefined
          finished = true
          const stats = event["stats"]
          return [
            ...(json.isObject(stats) ? [{ kind: "usage", usage: usageOf(stats) } as const] : []),
            status === "success"
              ? { kind: "finished", ok: true, ...json.defined<{ text: string }>({ text: answer }) }
              : { kind: "finished", ok: false, error: failureOf(json.object(event["error"])) }
          ]
        }
        default:
          return undefined
      }
    },
    ({ exitCode }) => {
      if (finished) return []
      // An HTTP status modulo 256.
      const status = exitCode >= 144 && exitCode <= 255 ? exitCode + 256 : undefined
      const found = status === undefined ? exits[exitCode] : undefined
      if (found !== undefined) return [{ kind: "limit", limit: found }]
      return status === undefined
        ? []
        : [{ kind: "limit", limit: { class: failure.classOfStatus(status), message: `HTTP ${status}`, status } }]
    }
  )
}

/** It retries 429 and 500 with long delays; the user's settings win over this. */
const attempts = 3

export const gemini: ToolAdapter = {
  name: "gemini",
  description: "Gemini CLI by Google",
  program: "gemini",
  output: "events",
  exitAbove128: "status",
  passEnv: () => ["GEMINI_*", "GOOGLE_*"],
  capabilities: {
    permissions: ["read", "edit", "exec", "full"],
    memory: true,
    resume: true,
    model: true,
    cost: false,
    turnLimit: true
  },
  invocation: (request) => {
    const refused = refusal(gemini, request)
    if (refused !== undefined) return refused
    // Not ids: the latest session, or a new one; the session at this place of a list.
    if (request.resume !== undefined && /^(?:latest|\d+)$/.test(request.resume)) {
      return { refused: `the session ${request.resume} is not an id` }
    }
    const home = request.env["GEMINI_CLI_HOME"] ?? request.env["HOME"]
    return {
      args: [
        "--output-format",
        "stream-json",
        "--skip-trust",
        ...permissionArgs(request.permission),
        ...(request.model === undefined ? [] : ["--model", request.model]),
        ...(request.resume === undefined ? [] : ["--resume", request.resume])
      ],
      env: {
        // Else it starts itself again, and the first process ignores TERM.
        GEMINI_CLI_NO_RELAUNCH: "true",
        ...(home === undefined ? {} : { GEMINI_CLI_HOME: `${request.folder}/home` })
      },
      stdin: request.prompt,
      overlays: home === undefined ? [] : homeWith(home, request.memory)
    }
  },
  decoder
}

/**
 * It merges settings from the system (files of root only), the user and the workspace, and has no flag for one run. So it
 * gets a home in which everything is the user's, by links, but for the settings: the user's with our server in them.
 */
const homeWith = (home: string, memory: MemoryAttachment | undefined): ReadonlyArray<Overlay> => [
  { at: "home", of: home, only: [".agents", ".env"] },
  {
    at: "home/.gemini",
    of: `${home}/.gemini`,
    // Sessions are in `tmp`; each folder names its project in both.
    folders: ["tmp", "history"],
    files: { "settings.json": settingsWith(memory) }
  }
]

const settingsWith =
  (memory: MemoryAttachment | undefined) =>
  (text: string | undefined): string => {
    const errors: Array<jsonc.ParseError> = []
    const own: unknown = text === undefined ? {} : jsonc.parse(text, errors, { allowTrailingComma: false })
    // It refuses a broken file in clear words.
    if (text !== undefined && (errors.length > 0 || !json.isObject(own))) return text
    const settings = json.object(own)
    return JSON.stringify({
      ...settings,
      general: { maxAttempts: attempts, ...json.object(settings["general"]) },
      ...(memory === undefined ? {} : servers(settings, memory))
    })
  }

const servers = (settings: json.JsonObject, memory: MemoryAttachment): json.JsonObject => {
  const mcp = json.object(settings["mcp"])
  const allowed = mcp["allowed"]
  return {
    ...(Array.isArray(allowed) ? { mcp: { ...mcp, allowed: [...allowed, memory.server] } } : {}),
    mcpServers: {
      ...json.object(settings["mcpServers"]),
      [memory.server]: {
        command: memory.command,
        args: memory.args,
        // By name: it gives its servers a clean environment, and expands these.
        env: Object.fromEntries(Object.keys(memory.env).map((name) => [name, `$${name}`])),
        trust: true
      }
    }
  }
}
