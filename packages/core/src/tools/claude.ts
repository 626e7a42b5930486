/** Claude Code, headless: `claude -p` with its stream of JSON lines. */
import * as failure from "../internal/failure.js"
import { mcpName, refusal } from "../internal/invocation.js"
import * as json from "../internal/json.js"
import type { AgentEvent, AgentFailure, Denial, InvocationRequest, ToolAdapter, Usage } from "../ToolAdapter.js"

/**
 * `read` and `dontAsk`: what is not allowed is denied; shell commands that the program itself knows to be read-only
 * (git log, git diff …, checked with their flags) stay allowed. A prefix rule such as `Bash(git log:*)` would let
 * `--output=FILE` write.
 */
const permissionArgs = (
  permission: InvocationRequest["permission"],
  server: string | undefined
): ReadonlyArray<string> => {
  const memory = server === undefined ? [] : [`mcp__${server}`]
  const allow = (tools: ReadonlyArray<string>): ReadonlyArray<string> =>
    tools.length === 0 ? [] : ["--allowedTools", ...tools]
  switch (permission) {
    case "read":
      return [
        "--permission-mode",
        "dontAsk",
        ...allow([...memory, "Read", "Glob", "Grep"]),
        "--disallowedTools",
        "Edit",
        "Write",
        "NotebookEdit"
      ]
    case "edit":
      return ["--permission-mode", "acceptEdits", ...allow(memory)]
    case "exec":
      return ["--permission-mode", "acceptEdits", ...allow([...memory, "Bash"])]
    case "full":
      return ["--permission-mode", "bypassPermissions", ...allow(memory)]
  }
}

const neutral: Readonly<Record<string, string>> = {
  Bash: "shell",
  Read: "read",
  Write: "write",
  Edit: "edit",
  MultiEdit: "edit",
  NotebookEdit: "edit",
  Glob: "search",
  Grep: "search",
  WebFetch: "fetch",
  WebSearch: "fetch"
}
const nameOf = (name: string): string => mcpName(name) ?? neutral[name] ?? name

/** "… usage limit reached|1763906400": the time at which it resets, in milliseconds. */
const resetIn = (text: string): number | undefined => {
  const match = /limit reached\|(\d{10})(\d{3})?\b/.exec(text)
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1000
}

const failureOf = (message: string, status: number | undefined, hint: string | undefined): AgentFailure => {
  const words = hint === "authentication_failed" || hint === "oauth_org_not_allowed" ? "auth" : undefined
  const billing = hint === "billing_error" ? "quota" : undefined
  const resetsAt = resetIn(message)
  return {
    class: resetsAt !== undefined ? "quota" : (words ?? billing ?? failure.classify(message, status)),
    message: failure.oneLine(message),
    ...json.defined<{ status: number; resetsAt: number }>({ status, resetsAt })
  }
}

const usageOf = (event: json.JsonObject): Usage => {
  const usage = json.object(event["usage"])
  const input = json.number(usage["input_tokens"])
  const cached = json.number(usage["cache_read_input_tokens"])
  const written = json.number(usage["cache_creation_input_tokens"])
  return json.defined<Required<Usage>>({
    inputTokens: input === undefined ? undefined : json.sum(input, cached, written),
    outputTokens: json.number(usage["output_tokens"]),
    cachedTokens: cached,
    costUsd: json.number(event["total_cost_usd"]),
    turns: json.number(event["num_turns"])
  })
}

const decoder: ToolAdapter["decoder"] = () => {
  const names = new Map<string, string>()
  const denied = new Map<string, string>()
  let hint: string | undefined
  let quota: { readonly resetsAt?: number } | undefined

  const system = (event: json.JsonObject): ReadonlyArray<AgentEvent> => {
    switch (event["subtype"]) {
      case "init":
        return [
          {
            kind: "started",
            ...json.defined<{ sessionId: string; model: string }>({
              sessionId: json.string(event["session_id"]),
              model: json.string(event["model"])
            }),
            failedServers: json
              .objects(event["mcp_servers"])
              .filter((server) => server["status"] === "failed")
              .flatMap((server) => json.string(server["name"]) ?? [])
          }
        ]
      case "api_retry": {
        const status = json.number(event["error_status"])
        const word = json.string(event["error"]) ?? "unknown"
        const message = status === undefined ? `no answer from the provider (${word})` : `HTTP ${status} ${word}`
        const cause = failureOf(message, status, word)
        return [
          {
            kind: "limit",
            limit: {
              ...cause,
              class: status === undefined && cause.class === "other" ? "network" : cause.class,
              ...json.defined<{ attempt: number; retryInMs: number }>({
                attempt: json.number(event["attempt"]),
                retryInMs: json.number(event["retry_delay_ms"])
              })
            }
          }
        ]
      }
      case "permission_denied": {
        const id = json.string(event["tool_use_id"])
        if (id !== undefined) denied.set(id, json.string(event["message"]) ?? "denied")
        return []
      }
      default:
        return []
    }
  }

  const assistant = (event: json.JsonObject): ReadonlyArray<AgentEvent> => {
    if (event["is_api_error_message"] === true) {
      hint = json.string(event["error"])
      return []
    }
    const inner = json.string(event["parent_tool_use_id"]) !== undefined
    return json.objects(json.object(event["message"])["content"]).flatMap((part): ReadonlyArray<AgentEvent> => {
      const text = json.string(part["text"])
      if (part["type"] === "text" && text !== undefined && !inner) return [{ kind: "message", text }]
      const id = json.string(part["id"])
      const name = json.string(part["name"])
      if (part["type"] !== "tool_use" || id === undefined || name === undefined) return []
      names.set(id, nameOf(name))
      return [{ kind: "toolCall", id, name: nameOf(name), input: part["input"] }]
    })
  }

  const user = (event: json.JsonObject): ReadonlyArray<AgentEvent> => {
    for (const meta of json.objects(event["tool_result_meta"])) {
      const id = json.string(meta["id"])
      if (id !== undefined && json.object(meta["permission_decision"])["decision"] === "reject" && !denied.has(id)) {
        denied.set(id, "denied")
      }
    }
    return json.objects(json.object(event["message"])["content"]).flatMap((part): ReadonlyArray<AgentEvent> => {
      const id = json.string(part["tool_use_id"])
      if (part["type"] !== "tool_result" || id === undefined) return []
      const refused = denied.get(id)
      const ok = part["is_error"] !== true && refused === undefined
      return [
        {
          kind: "toolResult",
          id,
          ok,
          ...json.defined<{ name: string; denied: boolean; message: string }>({
            name: names.get(id),
            denied: refused === undefined ? undefined : true,
            message: ok ? undefined : (refused ?? json.contentText(part["content"]))
          })
        }
      ]
    })
  }

  const result = (event: json.JsonObject): ReadonlyArray<AgentEvent> | undefined => {
    const isError = event["is_error"]
    const subtype = json.string(event["subtype"])
    if (typeof isError !== "boolean" || subtype === undefined) return undefined
    const text = json.string(event["result"])
    const denials = json.objects(event["permission_denials"]).map((denial): Denial => {
      const id = json.string(denial["tool_use_id"])
      return {
        tool: nameOf(json.string(denial["tool_name"]) ?? "unknown"),
        message: (id === undefined ? undefined : denied.get(id)) ?? "denied"
      }
    })
    const ok = !isError && !subtype.startsWith("error")
    const told = text ?? json.string(Array.isArray(event["errors"]) ? event["errors"][0] : undefined)
    const cause = (): AgentFailure => {
      const limited = subtype === "error_max_turns" || subtype === "error_max_budget_usd"
      const found = failureOf(told ?? subtype, json.number(event["api_error_status"]), hint)
      if (limited) return { ...found, class: "turns", message: `${subtype}: ${found.message}` }
      return quota !== undefined && found.class === "rate" ? { ...found, ...quota, class: "quota" } : found
    }
    return [
      { kind: "usage", usage: usageOf(event) },
      { kind: "finished", ok, denials, ...(ok ? (text === undefined ? {} : { text }) : { error: cause() }) }
    ]
  }

  const rateLimit = (event: json.JsonObject): ReadonlyArray<AgentEvent> => {
    const info = json.object(event["rate_limit_info"])
    if (info["status"] !== "rejected") return []
    const seconds = json.number(info["resetsAt"])
    quota = seconds === undefined ? {} : json.defined<{ resetsAt: number }>({ resetsAt: json.number(seconds * 1000) })
    return [{ kind: "limit", limit: { class: "quota", message: "usage limit reached", ...quota } }]
  }

  return json.jsonLines((event) => {
    switch (event["type"]) {
      case "system":
        return system(event)
      case "assistant":
        return assistant(event)
      case "user":
        return user(event)
      case "result":
        return result(event)
      case "rate_limit_event":
        return rateLimit(event)
      case "stream_event":
        return []
      default:
        return typeof event["session_id"] === "string" ? [] : undefined
    }
  })
}

/** With the delays of this program, five retries of an error that stays end within half a minute; its own ten take minutes. */
const retries = "5"

export const claude: ToolAdapter = {
  name: "claude",
  description: "Claude Code by Anthropic",
  program: "claude",
  output: "events",
  exitAbove128: "signal",
  passEnv: (env) => [
    "ANTHROPIC_*",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_*",
    "API_TIMEOUT_MS",
    "BASH_DEFAULT_TIMEOUT_MS",
    "BASH_MAX_TIMEOUT_MS",
    "DISABLE_AUTOUPDATER",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_TELEMETRY",
    "ENABLE_TOOL_SEARCH",
    "MAX_THINKING_TOKENS",
    "MCP_TIMEOUT",
    "MCP_TOOL_TIMEOUT",
    ...(isSet(env["CLAUDE_CODE_USE_BEDROCK"]) ? ["AWS_*"] : []),
    ...(isSet(env["CLAUDE_CODE_USE_VERTEX"]) ? ["GOOGLE_*", "CLOUD_ML_REGION", "VERTEX_REGION_*"] : []),
    ...(isSet(env["CLAUDE_CODE_USE_FOUNDRY"]) ? ["AZURE_*"] : [])
  ],
  capabilities: {
    permissions: ["read", "edit", "exec", "full"],
    memory: true,
    resume: true,
    model: true,
    cost: true,
    turnLimit: true,
    systemPrompt: true,
    outputSchema: true
  },
  invocation: (request) => {
    const refused = refusal(claude, request)
    if (refused !== undefined) return refused
    const { memory } = request
    return {
      args: [
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        ...(memory === undefined ? [] : ["--mcp-config", `${request.folder}/mcp.json`]),
        ...permissionArgs(request.permission, memory?.server),
        ...(request.model === undefined ? [] : ["--model", request.model]),
        ...(request.resume === undefined ? [] : ["--resume", request.resume])
      ],
      env: isSet(request.env["CLAUDE_CODE_MAX_RETRIES"]) ? {} : { CLAUDE_CODE_MAX_RETRIES: retries },
      stdin: request.prompt,
      files:
        memory === undefined
          ? {}
          : {
              // The server inherits the whole environment of this program, so its variables need not be written here.
              "mcp.json": JSON.stringify({
                mcpServers: {
                  [memory.server]: { type: "stdio", command: memory.command, args: memory.args, alwaysLoad: true }
                }
              })
            }
    }
  },
  decoder
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ""
