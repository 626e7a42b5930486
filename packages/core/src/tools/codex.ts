/** OpenAI Codex, headless: `codex exec --json`. */
import * as failure from "../internal/failure.js"
import { refusal } from "../internal/invocation.js"
import * as json from "../internal/json.js"
import type { AgentEvent, AgentFailure, InvocationRequest, ToolAdapter, Usage } from "../ToolAdapter.js"

/** JSON strings and arrays of strings are TOML too. */
const setting = (key: string, value: string | boolean | number | ReadonlyArray<string>): ReadonlyArray<string> => [
  "-c",
  `${key}=${JSON.stringify(value)}`
]

/**
 * The sandbox decides by effect, not by kind of tool: in `read` and `edit` commands run too, and the kernel keeps them
 * from writing (at all, or outside the directory) and from the network. `exec` leaves the network to the user's settings.
 */
const permissionArgs = (permission: InvocationRequest["permission"]): ReadonlyArray<string> => {
  const sandbox = (mode: string): ReadonlyArray<string> => [
    ...setting("sandbox_mode", mode),
    ...setting("approval_policy", "never")
  ]
  switch (permission) {
    case "read":
      return sandbox("read-only")
    case "edit":
      return [...sandbox("workspace-write"), ...setting("sandbox_workspace_write.network_access", false)]
    case "exec":
      return sandbox("workspace-write")
    case "full":
      return ["--dangerously-bypass-approvals-and-sandbox"]
  }
}

const memoryArgs = (memory: InvocationRequest["memory"]): ReadonlyArray<string> => {
  if (memory === undefined) return []
  const key = (name: string): string => `mcp_servers.${memory.server}.${name}`
  return [
    ...setting(key("command"), memory.command),
    ...setting(key("args"), memory.args),
    // By name: argv is public, and this program gives its servers a clean environment.
    ...setting(key("env_vars"), Object.keys(memory.env)),
    // Else the first request may go out before the server is ready, without its tools.
    ...setting(key("required"), true),
    ...setting(key("startup_timeout_sec"), 60),
    ...setting(key("default_tools_approval_mode"), "approve")
  ]
}

const failureOf = (message: string): AgentFailure => {
  const found = /\bstatus:? (\d{3})\b/.exec(message)?.[1]
  const status = found === undefined ? undefined : Number(found)
  return {
    class: failure.classify(message, status),
    message: failure.oneLine(message),
    ...json.defined<{ status: number }>({ status })
  }
}

const usageOf = (usage: json.JsonObject): Usage =>
  json.defined<Required<Usage>>({
    inputTokens: json.number(usage["input_tokens"]),
    outputTokens: json.number(usage["output_tokens"]),
    cachedTokens: json.number(usage["cached_input_tokens"]),
    costUsd: undefined,
    turns: undefined
  })

/** A call as the items of this program tell it; undefined for items that are none. */
const callOf = (item: json.JsonObject): { readonly name: string; readonly input: unknown } | undefined => {
  switch (item["type"]) {
    case "mcp_tool_call": {
      const server = json.string(item["server"])
      const tool = json.string(item["tool"])
      return server === undefined || tool === undefined
        ? undefined
        : { name: `${server}.${tool}`, input: item["arguments"] }
    }
    case "command_execution":
      return { name: "shell", input: item["command"] }
    case "file_change":
      return { name: "edit", input: item["changes"] }
    case "web_search":
      return { name: "fetch", input: item["query"] }
    default:
      return undefined
  }
}

const decoder: ToolAdapter["decoder"] = () => {
  const open = new Set<string>()
  let last: string | undefined

  const item = (phase: "started" | "completed", value: json.JsonObject): ReadonlyArray<AgentEvent> => {
    const text = json.string(value["text"])
    if (value["type"] === "agent_message") {
      if (phase === "started" || text === undefined) return []
      last = text
      return [{ kind: "message", text }]
    }
    const id = json.string(value["id"])
    const call = callOf(value)
    if (id === undefined || call === undefined) return []
    const begin: ReadonlyArray<AgentEvent> = open.has(id) ? [] : [{ kind: "toolCall", id, ...call }]
    open.add(id)
    if (phase === "started") return begin
    const status = json.string(value["status"])
    const message = json.string(json.object(value["error"])["message"]) ?? contentOf(value)
    const ok = status === "completed" && (value["type"] !== "command_execution" || value["exit_code"] === 0)
    const error = json.string(json.object(value["error"])["message"]) ?? ""
    const denied =
      status === "declined" || (status === "failed" && /requires approval|rejected by (?:user|policy)/i.test(error))
    return [
      ...begin,
      {
        kind: "toolResult",
        id,
        name: call.name,
        ok: ok || (status === undefined && value["error"] === undefined),
        ...json.defined<{ denied: boolean; message: string }>({
          denied: denied ? true : undefined,
          message: ok ? undefined : message
        })
      }
    ]
  }

  return json.jsonLines((event) => {
    switch (event["type"]) {
      case "thread.started":
        return [
          { kind: "started", ...json.defined<{ sessionId: string }>({ sessionId: json.string(event["thread_id"]) }) }
        ]
      case "turn.started":
      case "item.updated":
        return []
      case "item.started":
        return item("started", json.object(event["item"]))
      case "item.completed":
        return item("completed", json.object(event["item"]))
      case "error": {
        // A retry notice, or the error that `turn.failed` is about to repeat.
        const message = json.string(event["message"])
        if (message === undefined) return undefined
        const attempt = /^Reconnecting\.\.\. (\d+)\/\d+/.exec(message)?.[1]
        return [
          {
            kind: "limit",
            limit: {
              ...failureOf(message),
              ...json.defined<{ attempt: number }>({ attempt: attempt === undefined ? undefined : Number(attempt) })
            }
          }
        ]
      }
      case "turn.failed": {
        const message = json.string(json.object(event["error"])["message"])
        return [{ kind: "finished", ok: false, error: failureOf(message ?? "the turn failed") }]
      }
      case "turn.completed": {
        const usage = event["usage"]
        return [
          ...(json.isObject(usage) ? [{ kind: "usage", usage: usageOf(usage) } as const] : []),
          { kind: "finished", ok: true, ...json.defined<{ text: string }>({ text: last }) }
        ]
      }
      default:
        return undefined
    }
  })
}

const contentOf = (item: json.JsonObject): string | undefined =>
  json.string(item["aggregated_output"]) ?? json.contentText(json.object(item["result"])["content"])

export const codex: ToolAdapter = {
  name: "codex",
  description: "Codex by OpenAI",
  program: "codex",
  output: "events",
  exitAbove128: "signal",
  passEnv: () => ["OPENAI_*", "CODEX_*"],
  capabilities: {
    permissions: ["read", "edit", "exec", "full"],
    memory: true,
    resume: true,
    model: true,
    cost: false,
    systemPrompt: true,
    outputSchema: true
  },
  invocation: (request) => {
    const refused = refusal(codex, request)
    if (refused !== undefined) return refused
    return {
      args: [
        "exec",
        ...(request.resume === undefined ? [] : ["resume"]),
        "--json",
        "--skip-git-repo-check",
        ...permissionArgs(request.permission),
        ...memoryArgs(request.memory),
        ...(request.model === undefined ? [] : ["-m", request.model]),
        ...(request.resume === undefined ? [] : [request.resume]),
        "-"
      ],
      env: {},
      stdin: request.prompt
    }
  },
  decoder
}
