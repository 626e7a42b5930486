import { describe, expect, it } from "vitest"
import { type Clocks, Watch } from "../src/internal/watch.js"
import type { AgentEvent } from "../src/ToolAdapter.js"

const clocks: Clocks = { start: 100, idle: 1_000, total: 10_000, retry: 500, drain: 50 }

const watching = (partial: Partial<Clocks> = {}, maxOutput = 1_000) => {
  const told: Array<string> = []
  const watch = new Watch(
    { ...clocks, ...partial },
    maxOutput,
    { line: (line): ReadonlyArray<AgentEvent> => (line.startsWith("{") ? [JSON.parse(line)] : []) },
    (event) => told.push(event.kind),
    0
  )
  const say = (event: AgentEvent, now: number) => watch.line(JSON.stringify(event), now)
  return { watch, say, told }
}

describe("the start clock", () => {
  it("ends what says nothing, and is content with the first event", () => {
    expect(watching().watch.check(99)).toBeNull()
    expect(watching().watch.check(100)).toBe("startTimeout")
    const { say, watch } = watching()
    say({ kind: "started" }, 99)
    expect(watch.check(500)).toBeNull()
  })
})

describe("the idle clock", () => {
  it("counts from the last event or growth", () => {
    const { say, watch } = watching()
    say({ kind: "started" }, 10)
    watch.grew("stderr", 1, 800)
    expect(watch.check(1_799)).toBeNull()
    expect(watch.check(1_800)).toBe("idleTimeout")
  })

  it("rests while a tool call is open", () => {
    const { say, watch } = watching()
    say({ kind: "toolCall", id: "1", name: "shell" }, 10)
    expect(watch.check(5_000)).toBeNull()
    say({ kind: "toolResult", id: "1", ok: true }, 5_000)
    expect(watch.check(5_999)).toBeNull()
    expect(watch.check(6_000)).toBe("idleTimeout")
  })
})

describe("the retry clock", () => {
  it("counts from the first notice of a limit, and forgets when the agent goes on", () => {
    const { say, watch } = watching()
    const limit = { kind: "limit", limit: { class: "rate", message: "429" } } as const
    say(limit, 100)
    say(limit, 500)
    expect(watch.check(599)).toBeNull()
    say({ kind: "message", text: "on" }, 599)
    expect(watch.check(600)).toBeNull()
    say(limit, 700)
    expect(watch.check(1_200)).toBe("retryTimeout")
  })

  it("does not wait where the login is refused", () => {
    const { say, watch } = watching()
    say({ kind: "limit", limit: { class: "auth", message: "401" } }, 100)
    expect(watch.check(101)).toBe("auth")
  })
})

describe("the end", () => {
  it("is reached by time", () => {
    const { say, watch } = watching()
    say({ kind: "toolCall", id: "1", name: "shell" }, 10)
    expect(watch.check(9_999)).toBeNull()
    expect(watch.check(10_000)).toBe("timeout")
  })

  it("is a drain after the terminal event, and no other clock counts then", () => {
    const { say, watch } = watching({ total: 210 })
    say({ kind: "finished", ok: true, text: "x" }, 200)
    expect(watch.check(249)).toBeNull()
    expect(watch.check(250)).toBe("drain")
    expect(watch.late).toBe(false)
  })

  it("keeps its first reason, and knows a terminal event that came after it", () => {
    const { say, watch } = watching()
    expect(watch.check(100)).toBe("startTimeout")
    say({ kind: "finished", ok: true, text: "x" }, 120)
    expect(watch.check(20_000)).toBe("startTimeout")
    expect(watch.late).toBe(true)
  })

  it("comes with too much output", () => {
    const { watch } = watching()
    watch.grew("stdout", 600, 1)
    watch.grew("stderr", 400, 1)
    expect(watch.check(2)).toBeNull()
    watch.grew("stderr", 1, 3)
    expect(watch.check(3)).toBe("outputLimit")
  })
})

it("counts lines that are no events, but not empty ones", () => {
  const { told, watch } = watching()
  for (const line of ["warning: x", "", "  ", '{"kind":"started"}']) watch.line(line, 1)
  expect(watch.noise).toBe(1)
  expect(told).toEqual(["started"])
})
