import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Tools from "../../src/Tools.js"
import { command } from "../../src/tools/command.js"

const adapters = [...Tools.builtIn.values(), command("mine"), command("mine", "events")]

const types = FastCheck.constantFrom(
  "system",
  "assistant",
  "user",
  "result",
  "rate_limit_event",
  "thread.started",
  "item.started",
  "item.completed",
  "error",
  "turn.completed",
  "turn.failed",
  "init",
  "message",
  "tool_use",
  "tool_result",
  "step_finish",
  "text",
  "started",
  "tool_call",
  "limit",
  "usage"
)

describe("decoders", () => {
  it("no line makes one throw, and no odd one counts as done", () => {
    const keys = [
      "message",
      "content",
      "item",
      "part",
      "error",
      "usage",
      "stats",
      "session_id",
      "sessionID",
      "subtype",
      "tokens"
    ]
    const odd = FastCheck.record({
      type: types,
      ...Object.fromEntries(keys.map((key) => [key, FastCheck.jsonValue({ maxDepth: 2 })]))
    })
    for (const adapter of adapters.filter((each) => each.output === "events")) {
      FastCheck.assert(
        FastCheck.property(
          FastCheck.array(
            FastCheck.oneof(
              odd.map((value) => JSON.stringify(value)),
              FastCheck.string()
            )
          ),
          (lines) => {
            const decoder = adapter.decoder()
            for (const line of lines) {
              for (const event of decoder.line(line)) {
                // Only codex has a terminal event that says everything by its type.
                if (event.kind === "finished" && event.ok) expect(adapter.name).toBe("codex")
              }
            }
            expect(decoder.noise?.()).toBeLessThanOrEqual(lines.length)
          }
        ),
        { numRuns: 300 }
      )
    }
  })

  it("our own event lines carry everything an adapter can say", () => {
    const decoder = command("mine", "events").decoder()
    const lines: ReadonlyArray<readonly [object, object]> = [
      [
        { type: "started", sessionId: "s", model: "m", more: 1 },
        { kind: "started", sessionId: "s", model: "m" }
      ],
      [
        { type: "message", text: "hi" },
        { kind: "message", text: "hi" }
      ],
      [
        { type: "message", text: "!", delta: true },
        { kind: "message", text: "!", delta: true }
      ],
      [
        { type: "tool_call", id: "1", name: "shell", input: { a: 1 } },
        { kind: "toolCall", id: "1", name: "shell", input: { a: 1 } }
      ],
      [
        { type: "tool_result", id: "1", ok: false, denied: true, message: "no" },
        { kind: "toolResult", id: "1", ok: false, denied: true, message: "no" }
      ],
      [
        { type: "usage", outputTokens: 3, costUsd: 0.5 },
        { kind: "usage", usage: { outputTokens: 3, costUsd: 0.5 } }
      ],
      [
        { type: "limit", class: "quota", message: "wall", resetsAt: 5, attempt: 2 },
        { kind: "limit", limit: { class: "quota", message: "wall", resetsAt: 5, attempt: 2 } }
      ],
      [
        { type: "result", ok: false, error: { class: "auth", message: "no key" } },
        { kind: "finished", ok: false, error: { class: "auth", message: "no key" } }
      ],
      [
        { type: "result", ok: true, text: "done", denials: [{ tool: "shell", message: "no" }] },
        { kind: "finished", ok: true, text: "done", denials: [{ tool: "shell", message: "no" }] }
      ]
    ]
    for (const [line, event] of lines) expect(decoder.line(JSON.stringify(line))).toEqual([event])
    for (const line of [
      { type: "result" },
      { type: "result", ok: "true" },
      { type: "message" },
      { type: "tool_call", id: "1" }
    ]) {
      expect(decoder.line(JSON.stringify(line))).toEqual([])
    }
    expect(decoder.noise?.()).toBe(4)
  })

  it("plain text is the answer as it was printed, and nothing in it is an event", () => {
    const decoder = command("mine").decoder()
    const lines = ["first", "", '{"type":"result","ok":false}', "  last "]
    const text = lines
      .flatMap((line) => decoder.line(line))
      .map((event) => (event.kind === "message" ? event.text : "?"))
    expect(text.join("")).toBe(lines.join("\n"))
  })

  it("a call of a tool that was not offered for want of permission is denied; of one that does not exist it is not", () => {
    const told = (tool: string, lines: ReadonlyArray<unknown>) => {
      const decoder = Tools.builtIn.get(tool)?.decoder()
      return lines
        .flatMap((line) => decoder?.line(JSON.stringify(line)) ?? [])
        .filter((each) => each.kind === "toolResult")
    }
    const gemini = (name: string) =>
      told("gemini", [
        { type: "tool_use", tool_name: name, tool_id: "1", parameters: {} },
        { type: "tool_result", tool_id: "1", status: "error", error: { type: "tool_not_registered", message: "no" } }
      ])
    expect(gemini("run_shell_command")).toMatchObject([{ name: "shell", ok: false, denied: true }])
    expect(gemini("frobnicate")[0]).not.toHaveProperty("denied")
    const opencode = (tool: string) =>
      told("opencode", [
        {
          type: "tool_use",
          sessionID: "s",
          part: {
            type: "tool",
            callID: "1",
            tool: "invalid",
            state: {
              status: "completed",
              input: { tool, error: `Model tried to call unavailable tool '${tool}'. Available tools: read.` },
              output: "The arguments provided to the tool are invalid"
            }
          }
        }
      ])
    expect(opencode("bash")).toMatchObject([{ name: "shell", ok: false, denied: true }])
    expect(opencode("frobnicate")[0]).toMatchObject({ name: "frobnicate", ok: false })
    expect(opencode("frobnicate")[0]).not.toHaveProperty("denied")
  })

  it("opencode is done when it ends, not when it has summed up a conversation that was too long", () => {
    const event = (type: string, part: object) => JSON.stringify({ type, sessionID: "s", part })
    const step = (text: string) => [
      event("step_start", {}),
      event("text", { text }),
      event("step_finish", { reason: "stop", tokens: {} })
    ]
    const error = JSON.stringify({
      type: "error",
      sessionID: "s",
      error: { name: "ContextOverflowError", data: { message: "prompt is too long" } }
    })
    const told = (lines: ReadonlyArray<string>, exitCode: number) => {
      const decoder = Tools.builtIn.get("opencode")?.decoder()
      const during = lines.flatMap((line) => decoder?.line(line) ?? [])
      expect(during.filter((each) => each.kind === "finished")).toEqual([])
      return decoder?.end?.({ exitCode, stderr: "" })
    }
    expect(told([error, ...step("a summary"), ...step("the answer")], 1)).toEqual([
      { kind: "finished", ok: true, text: "the answer" }
    ])
    expect(told(step("cut short by a signal"), 143)).toEqual([])
    expect(told(step("an exit that says otherwise"), 1)).toEqual([])
    expect(told([...step("x"), error], 1)).toMatchObject([{ ok: false, error: { class: "context" } }])
  })
})
