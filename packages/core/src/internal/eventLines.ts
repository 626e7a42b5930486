/**
 * Our own event lines: one JSON object a line, for `mock` and for any program with `output: "events"`.
 *
 *     {"type":"started","sessionId"?,"model"?}
 *     {"type":"message","text","delta"?}
 *     {"type":"tool_call","id","name","input"?}
 *     {"type":"tool_result","id","name"?,"ok","denied"?,"message"?}
 *     {"type":"usage","inputTokens"?,"outputTokens"?,"cachedTokens"?,"costUsd"?,"turns"?}
 *     {"type":"limit","class","message","status"?,"resetsAt"?,"attempt"?,"retryInMs"?}
 *     {"type":"result","ok","text"?,"error"?:{"class","message","status"?,"resetsAt"?},"denials"?:[{"tool","message"}]}
 *
 * Other keys are ignored; a line that lacks a required key, or has it in another type, is noise.
 */
import type { AgentEvent, AgentFailure, Decoder, FailureClass, Limit, Usage } from "../ToolAdapter.js"
import { oneLine } from "./failure.js"
import * as json from "./json.js"

const classes: ReadonlyArray<FailureClass> = [
  "auth",
  "rate",
  "quota",
  "context",
  "server",
  "network",
  "turns",
  "permission",
  "other"
]

const failureOf = (value: unknown): AgentFailure | undefined => {
  if (!json.isObject(value)) return undefined
  const message = json.string(value["message"])
  const found = classes.find((name) => name === value["class"])
  if (message === undefined) return undefined
  return {
    class: found ?? "other",
    message: oneLine(message),
    ...json.defined<{ status: number; resetsAt: number }>({
      status: json.number(value["status"]),
      resetsAt: json.number(value["resetsAt"])
    })
  }
}

const boolean = (value: unknown): boolean | undefined => (typeof value === "boolean" ? value : undefined)

const read = (event: json.JsonObject): ReadonlyArray<AgentEvent> | undefined => {
  const id = json.string(event["id"])
  const name = json.string(event["name"])
  const text = json.string(event["text"])
  const ok = boolean(event["ok"])
  switch (event["type"]) {
    case "started":
      return [
        {
          kind: "started",
          ...json.defined<{ sessionId: string; model: string }>({
            sessionId: json.string(event["sessionId"]),
            model: json.string(event["model"])
          })
        }
      ]
    case "message":
      return text === undefined
        ? undefined
        : [{ kind: "message", text, ...(event["delta"] === true ? { delta: true } : {}) }]
    case "tool_call":
      return id === undefined || name === undefined
        ? undefined
        : [{ kind: "toolCall", id, name, input: event["input"] }]
    case "tool_result":
      if (id === undefined || ok === undefined) return undefined
      return [
        {
          kind: "toolResult",
          id,
          ok,
          ...json.defined<{ name: string; denied: boolean; message: string }>({
            name,
            denied: boolean(event["denied"]),
            message: json.string(event["message"])
          })
        }
      ]
    case "usage":
      return [
        {
          kind: "usage",
          usage: json.defined<Required<Usage>>({
            inputTokens: json.number(event["inputTokens"]),
            outputTokens: json.number(event["outputTokens"]),
            cachedTokens: json.number(event["cachedTokens"]),
            costUsd: json.number(event["costUsd"]),
            turns: json.number(event["turns"])
          })
        }
      ]
    case "limit": {
      const failure = failureOf(event)
      if (failure === undefined) return undefined
      const limit: Limit = {
        ...failure,
        ...json.defined<{ attempt: number; retryInMs: number }>({
          attempt: json.number(event["attempt"]),
          retryInMs: json.number(event["retryInMs"])
        })
      }
      return [{ kind: "limit", limit }]
    }
    case "result": {
      if (ok === undefined) return undefined
      const denials = json.objects(event["denials"]).flatMap((denial) => {
        const tool = json.string(denial["tool"])
        return tool === undefined ? [] : [{ tool, message: json.string(denial["message"]) ?? "denied" }]
      })
      const error = failureOf(event["error"])
      return [
        {
          kind: "finished",
          ok,
          ...json.defined<{ text: string; error: AgentFailure }>({ text, error: ok ? undefined : error }),
          ...(denials.length === 0 ? {} : { denials })
        }
      ]
    }
    default:
      return undefined
  }
}

export const decoder = (): Decoder => json.jsonLines(read)
