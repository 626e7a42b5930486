/** What agents tell in numbers: what cannot be true is unknown, and neither fails a run nor moves its budget. */
import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { afterAll, describe, expect } from "vitest"
import { tokensOf } from "../src/internal/budget.js"
import * as eventLines from "../src/internal/eventLines.js"
import { Watch } from "../src/internal/watch.js"
import type { Decoder } from "../src/ToolAdapter.js"
import { claude } from "../src/tools/claude.js"
import { gemini } from "../src/tools/gemini.js"
import { opencode } from "../src/tools/opencode.js"
import { makeHome, run } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const forever = Number.POSITIVE_INFINITY
const clocks = { start: forever, idle: forever, total: null, retry: forever, drain: forever }

/** What a watch makes of the lines. */
const watched = (decoder: Decoder, ...lines: ReadonlyArray<string>) => {
  const watch = new Watch(clocks, forever, decoder, () => undefined, 0)
  for (const line of lines) watch.line(line, 0)
  return watch
}
const told = (event: object) => watched(eventLines.decoder(), JSON.stringify(event))

describe("what cannot be true", () => {
  it("is unknown, never zero, and told once", () => {
    const line = '{"type":"usage","inputTokens":1e999,"outputTokens":2,"cachedTokens":1.5,"costUsd":-100,"turns":-3}'
    const watch = watched(eventLines.decoder(), line, line)
    expect(watch.tally.usage).toEqual({ outputTokens: 2 })
    expect(watch.unbelieved).toEqual([
      expect.stringMatching(/^inputTokens 1\.79/),
      "cachedTokens 1.5",
      "costUsd -100",
      "turns -3"
    ])
  })

  it("is neither the end of a limit nor a session to go on with", () => {
    for (const resetsAt of [-1, -1e300, 1e300]) {
      const error = { class: "quota", message: "limit", resetsAt, status: 4.5 }
      expect(told({ type: "result", ok: false, error }).tally.finished?.error).toEqual({
        class: "quota",
        message: "limit"
      })
      expect(told({ type: "limit", ...error, attempt: -1, retryInMs: -1 }).tally.limit).toEqual({
        class: "quota",
        message: "limit"
      })
    }
    expect(told({ type: "limit", class: "quota", message: "x", resetsAt: 1.5 }).tally.limit?.resetsAt).toBe(2)
    for (const sessionId of ["", "--yolo", "a b", "x\u0000", "\ud800", "x".repeat(100_000)]) {
      const watch = told({ type: "started", sessionId, model: "m" })
      expect(watch.tally).toMatchObject({ sessionId: null, model: "m" })
      expect(watch.unbelieved).toHaveLength(1)
    }
  })

  const figure = FastCheck.oneof(FastCheck.double(), FastCheck.maxSafeInteger(), FastCheck.constant(-0))
  const fields = { inputTokens: figure, outputTokens: figure, cachedTokens: figure, costUsd: figure, turns: figure }
  it("gets past no figure, and sums stay what the journal takes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.record(fields, { requiredKeys: [] }), (usage) => {
        const decoder: Decoder = { line: () => [{ kind: "usage", usage }] }
        const { costUsd = 0, ...counts } = watched(decoder, "x").tally.usage ?? {}
        expect(costUsd).toBeGreaterThanOrEqual(0)
        expect(costUsd).toBeLessThanOrEqual(1_000_000)
        for (const count of Object.values(counts)) {
          expect(Number.isSafeInteger(count) && count >= 0 && !Object.is(count, -0)).toBe(true)
        }
        expect(Number.isSafeInteger(tokensOf(counts) ?? 0)).toBe(true)
      })
    )
  })

  it("is not hidden in the sums of the adapters", () => {
    const usage = { input_tokens: 5, output_tokens: 1, cache_read_input_tokens: -3 }
    const result = { type: "result", subtype: "success", is_error: false, result: "x", usage, total_cost_usd: -1 }
    expect(watched(claude.decoder(), JSON.stringify(result)).tally.usage).toEqual({ outputTokens: 1 })

    const step = (tokens: object, cost: number) =>
      JSON.stringify({ type: "step_finish", sessionID: "s", part: { type: "step-finish", tokens, cost } })
    const steps = [step({ input: 10, output: -4 }, 1), step({ input: 10, output: 40 }, -9), step({ input: 1 }, 100)]
    expect(watched(opencode.decoder(), ...steps).tally.usage).toEqual({ inputTokens: 21, cachedTokens: 0, turns: 3 })

    const stats = { total_tokens: 5, input_tokens: 10, output_tokens: 1 }
    const ended = JSON.stringify({ type: "result", status: "success", stats })
    expect(watched(gemini.decoder(), ended).tally.usage).toEqual({ inputTokens: 10 })
  })
})

let count = 0
const agent = (lines: ReadonlyArray<string>) => {
  const file = path.join(home.root, `lines-${++count}`)
  fs.writeFileSync(file, `${lines.join("\n")}\n`)
  return { command: ["cat", file], output: "events" }
}
const done = '{"type":"result","ok":true,"text":"ok"}'

it.live("odd figures of one agent leave the run, its sums and its budget alone", () =>
  Effect.gen(function* () {
    const tools = {
      odd: agent([
        '{"type":"started","sessionId":"--help"}',
        '{"type":"usage","inputTokens":1e19,"outputTokens":2,"costUsd":-100}',
        done
      ]),
      most: agent([`{"type":"usage","inputTokens":${Number.MAX_SAFE_INTEGER},"outputTokens":7,"costUsd":1}`, done])
    }
    const agents = ["odd", "most", "most"].map((tool) => ({ role: "docs", directory: ".", task: "go", tool }))
    const result = yield* run(home, { tools, agents, workers: 1, budget: { maxCostUsd: 1 } })
    expect(result.results.map(({ status, usage }) => ({ status, usage }))).toMatchObject([
      { status: "completed", usage: { outputTokens: 2 } },
      { status: "completed", usage: { costUsd: 1 } },
      // Its budget is spent: nothing that an agent says lifts it.
      { status: "failed", usage: null }
    ])
    expect(result.results[0]?.usage).toEqual({ outputTokens: 2 })
    expect(result.results[0]?.warnings.filter((warning) => /cannot be/.test(warning))).toEqual([
      'the program told what cannot be, which counts as unknown: sessionId "--help", inputTokens 10000000000000000000, costUsd -100'
    ])
    expect(result.spent).toEqual({ costUsd: 1, tokens: Number.MAX_SAFE_INTEGER, unknown: 1 })
  })
)

it.live("a limit's end that is no whole millisecond parks its tool, for a day at most", () =>
  Effect.gen(function* () {
    const wall = (resetsAt: number) =>
      agent([
        JSON.stringify({ type: "result", ok: false, error: { class: "quota", message: "usage limit", resetsAt } })
      ])
    const tools = { fraction: wall(Date.now() + 3_600_000.5), ages: wall(8e15), never: wall(1e300) }
    const agents = Object.keys(tools).map((tool) => ({ role: "docs", directory: ".", task: "go", tool }))
    const begun = Date.now()
    const result = yield* run(home, { tools, agents }, undefined, { wait: false })
    const parked = new Map(result.parked.map(({ tool, until }) => [tool, until - begun]))
    expect([...parked.keys()].sort()).toEqual(["ages", "fraction"])
    expect(parked.get("ages")).toBeLessThan(25 * 3_600_000)
    expect(result.results.map(({ reason, tool }) => ({ reason, tool }))).toEqual([
      { reason: "QuotaExhausted", tool: "never" }
    ])
  })
)
