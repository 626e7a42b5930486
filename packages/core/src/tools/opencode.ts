/** opencode, headless: `opencode run --format json`. */
import * as failure from "../internal/failure.js"
import { refusal } from "../internal/invocation.js"
import * as json from "../internal/json.js"
import type { AgentEvent, AgentFailure, InvocationRequest, MemoryAttachment, ToolAdapter } from "../ToolAdapter.js"

/**
 * Never "ask": headless that rejects the call and ends the run there. Later rules win over earlier ones. `read` has no
 * shell, thus no git: rules go by pattern, and `git diff --output=FILE` would pass one.
 */
const rules = (permission: InvocationRequest["permission"], server: string | undefined): json.JsonObject => {
  const look = {
    "*": "deny",
    read: "allow",
    glob: "allow",
    grep: "allow",
    list: "allow",
    todowrite: "allow",
    todoread: "allow"
  }
  const memory = server === undefined ? {} : { [`${server}_*`]: "allow" }
  switch (permission) {
    case "read":
      return { ...look, ...memory }
    case "edit":
      return { ...look, edit: "allow", ...memory }
    case "exec":
      return { ...look, edit: "allow", bash: "allow", ...memory }
    case "full":
      return { "*": "allow" }
  }
}

const neutral: Readonly<Record<string, string>> = {
  bash: "shell",
  glob: "search",
  grep: "search",
  list: "search",
  patch: "edit",
  webfetch: "fetch",
  websearch: "fetch"
}
/** Its own tools: one of these is missing only for want of permission. */
const own: ReadonlySet<string> = new Set([...Object.keys(neutral), "read", "edit", "write"])
const nameOf = (name: string): string =>
  name.startsWith("contextfs_") ? `contextfs.${name.slice("contextfs_".length)}` : (neutral[name] ?? name)

const failureOf = (error: json.JsonObject): AgentFailure => {
  const data = json.object(error["data"])
  const message = json.string(data["message"]) ?? json.string(error["name"]) ?? "the program reports an error"
  const status = json.number(data["statusCode"])
  const name = error["name"]
  const cls = name === "ProviderAuthError" ? "auth" : name === "ContextOverflowError" ? "context" : undefined
  return {
    class: cls ?? failure.classify(message, status),
    message: failure.oneLine(message),
    ...json.defined<{ status: number }>({ status })
  }
}

const decoder: ToolAdapter["decoder"] = () => {
  let started = false
  /**
   * How the last step came to its end. Only the end of the program tells whether another follows: it goes on after the summary
   * that it makes of a conversation that was too long, which it first reports as an error.
   */
  let stopped = false
  let failed: AgentFailure | undefined
  /** It went on after an error, and then ends with code 1 all the same. */
  let recovered = false
  let answer: string | undefined
  let [input, output, cached, cost, turns] = [0, 0, 0, 0, 0]

  const part = (type: unknown, value: json.JsonObject): ReadonlyArray<AgentEvent> | undefined => {
    switch (type) {
      case "step_start":
        answer = undefined
        stopped = false
        recovered ||= failed !== undefined
        failed = undefined
        return []
      case "text": {
        const text = json.string(value["text"])
        if (text === undefined) return undefined
        answer = answer === undefined ? text : `${answer}\n\n${text}`
        return [{ kind: "message", text }]
      }
      case "tool_use": {
        const id = json.string(value["callID"])
        const told = json.string(value["tool"])
        const state = json.object(value["state"])
        // What it does not have or did not offer comes as a call of `invalid` that went well.
        const asked = told === "invalid" ? json.object(state["input"]) : {}
        const tool = json.string(asked["tool"]) ?? told
        if (id === undefined || tool === undefined) return undefined
        const name = nameOf(tool)
        const ok = state["status"] === "completed" && told !== "invalid"
        const message = json.string(state["error"]) ?? json.string(asked["error"])
        const withheld = own.has(tool) && /unavailable tool/i.test(message ?? "")
        // It tells of a call only after its end.
        return [
          { kind: "toolCall", id, name, input: state["input"] },
          {
            kind: "toolResult",
            id,
            name,
            ok,
            ...json.defined<{ denied: boolean; message: string }>({
              denied:
                !ok &&
                message !== undefined &&
                (withheld || /rejected permission|permission.{0,40}denied|rule which prevents/i.test(message))
                  ? true
                  : undefined,
              message: ok ? undefined : message
            })
          }
        ]
      }
      case "step_finish": {
        const tokens = json.object(value["tokens"])
        const cache = json.object(tokens["cache"])
        const read = json.number(cache["read"])
        input = json.sum(input, json.number(tokens["input"]), read, json.number(cache["write"]))
        output = json.sum(output, json.number(tokens["output"]), json.number(tokens["reasoning"]))
        cached = json.sum(cached, read)
        cost = json.sum(cost, json.number(value["cost"]))
        turns += 1
        stopped = value["reason"] === "stop"
        return [
          {
            kind: "usage",
            usage: { inputTokens: input, outputTokens: output, cachedTokens: cached, costUsd: cost, turns }
          }
        ]
      }
      default:
        return []
    }
  }

  return json.jsonLines(
    (event) => {
      const session = json.string(event["sessionID"])
      if (session === undefined) return undefined
      const begin: ReadonlyArray<AgentEvent> = started ? [] : [{ kind: "started", sessionId: session }]
      started = true
      if (event["type"] === "error") {
        failed = failureOf(json.object(event["error"]))
        return begin
      }
      const events = part(event["type"], json.object(event["part"]))
      return events === undefined ? undefined : [...begin, ...events]
    },
    ({ exitCode, stderr }) => {
      if (failed !== undefined) return [{ kind: "finished", ok: false, error: failed }]
      if (stopped && (exitCode === 0 || (recovered && exitCode === 1))) {
        return [{ kind: "finished", ok: true, ...json.defined<{ text: string }>({ text: answer }) }]
      }
      const asked = /permission requested: ([^\n;]+); auto-rejecting/.exec(stderr)
      return asked === null
        ? []
        : [{ kind: "finished", ok: false, error: { class: "permission", message: `asked for ${asked[1]}` } }]
    }
  )
}

/** Merged over the user's and the project's own configuration. The server inherits the whole environment. */
const config = (permission: InvocationRequest["permission"], memory: MemoryAttachment | undefined): string =>
  JSON.stringify({
    permission: rules(permission, memory?.server),
    ...(memory === undefined
      ? {}
      : {
          mcp: {
            [memory.server]: {
              type: "local",
              command: [memory.command, ...memory.args],
              enabled: true,
              timeout: 60_000
            }
          }
        })
  })

export const opencode: ToolAdapter = {
  name: "opencode",
  description: "opencode",
  program: "opencode",
  output: "events",
  exitAbove128: "signal",
  passEnv: () => ["OPENCODE_*", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"],
  capabilities: {
    permissions: ["read", "edit", "exec", "full"],
    memory: true,
    resume: true,
    model: true,
    cost: true,
    systemPrompt: true
  },
  invocation: (request) => {
    const refused = refusal(opencode, request)
    if (refused !== undefined) return refused
    const taken = request.env["OPENCODE_CONFIG"] !== undefined
    if (taken && request.env["OPENCODE_CONFIG_CONTENT"] !== undefined) {
      return {
        refused: "OPENCODE_CONFIG and OPENCODE_CONFIG_CONTENT are both set: there is no place left for this run's"
      }
    }
    const text = config(request.permission, request.memory)
    return {
      args: [
        "run",
        "--format",
        "json",
        ...(request.model === undefined ? [] : ["--model", request.model]),
        // Else a request of its own makes a title.
        ...(request.resume === undefined ? ["--title", "contextfs"] : ["--session", request.resume])
      ],
      env: taken ? { OPENCODE_CONFIG_CONTENT: text } : { OPENCODE_CONFIG: `${request.folder}/opencode.json` },
      stdin: request.prompt,
      files: taken ? {} : { "opencode.json": text }
    }
  },
  decoder
}
