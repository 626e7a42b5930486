import { JobId, type JobResult, RunId } from "@contextfs/core/Job"
import type { RunEvent } from "@contextfs/core/Orchestrator"
import { describe, expect, it } from "vitest"
import { style, width } from "../../src/internal/layout.js"
import { render } from "../../src/internal/liveView.js"
import { erase, height, repaint } from "../../src/internal/painter.js"
import { type RunRecord, record } from "../../src/internal/runRecord.js"
import { evil, harmful, random } from "../harness.js"
import { terminal } from "../terminal.js"

const id = (index: number) => JobId.make(`r-${index}`)

const head = (agentId: string) => ({ agentId, role: "code", tool: "mock", directory: "/x", parent: null })

const started = (agents: ReadonlyArray<string>): RunEvent => ({
  kind: "runStarted",
  at: 1_000,
  runId: RunId.make("r"),
  project: "shop",
  workers: 2,
  containment: "K1",
  earlier: 0,
  overlaps: [],
  jobs: agents.map((agentId, index) => ({ ...head(agentId), jobId: id(index) }))
})

const result = (index: number, more: Partial<JobResult> = {}): JobResult => ({
  jobId: id(index),
  runId: RunId.make("r"),
  agentId: `code-${index + 1}`,
  role: "code",
  tool: "mock",
  directory: "/x",
  status: "completed",
  reason: null,
  result: "All done.\nMore of it.",
  error: null,
  warnings: [],
  duration: 12.34,
  attempts: 1,
  usage: { inputTokens: 12_000, outputTokens: 345, costUsd: 0.5 },
  sessionId: null,
  filesChanged: null,
  denials: [],
  memory: null,
  evidence: null,
  ...more
})

const of = (events: ReadonlyArray<RunEvent>): RunRecord => {
  const run = events.reduce<RunRecord | undefined>(record, undefined)
  if (run === undefined) throw new Error("no run")
  return run
}

const job = (index: number) => ({ at: 2_000, jobId: id(index), agentId: `code-${index + 1}` })
const small = of([
  started(["code-1", "code-2", "code-3", "code-4"]),
  { kind: "jobStarted", ...job(0), attempt: 1 },
  { kind: "jobStarted", ...job(1), attempt: 1 },
  { kind: "jobStarted", ...job(2), attempt: 1 },
  {
    kind: "agentEvent",
    ...job(1),
    event: { kind: "toolCall", id: "1", name: "contextfs.contextfs_save", input: { type: "fact", content: "It works" } }
  },
  { kind: "agentEvent", ...job(1), event: { kind: "toolResult", id: "1", ok: true } },
  { kind: "jobEnded", at: 14_340, result: result(0) },
  {
    kind: "jobEnded",
    at: 15_000,
    result: result(2, { status: "failed", reason: "AuthFailed", error: "no login – mock – log in", usage: null })
  }
])
const plain = { columns: 80, rows: 23, now: 62_000, style: style(false), ending: false }

describe("the picture of a run", () => {
  it("shows the agents that an agent asked for below it, in the order in which it did", () => {
    const child = (index: number, agentId: string, parent: number): RunEvent => ({
      ...head(agentId),
      kind: "jobAdded",
      at: 3_000,
      jobId: id(index),
      parent: id(parent)
    })
    const run = of([started(["chief", "other"]), child(2, "a", 0), child(3, "b", 0), child(4, "a-1", 2)])
    expect(render(run, plain).slice(1)).toEqual([
      "· chief    code  mock              waiting",
      "·   a      code  mock              waiting",
      "·     a-1  code  mock              waiting",
      "·   b      code  mock              waiting",
      "· other    code  mock              waiting"
    ])
  })

  it("says who does what, and what came of it", () => {
    expect(render(small, plain)).toEqual([
      "run r · shop · 2 of 4 done · 1 at work · 1 not completed · 01:01 · 12.3 k token…",
      "✓ code-1  code  mock      12.3 s  All done.",
      "● code-2  code  mock   1 min 0 s  → contextfs_save fact It works",
      "✗ code-3  code  mock      12.3 s  AuthFailed: no login – mock – log in",
      "· code-4  code  mock              waiting"
    ])
    expect(render(small, { ...plain, ending: true })[1]).toMatch(/^ending the agents/)
  })

  it("shows those at work first where not all fit", () => {
    expect(render(small, { ...plain, rows: 3 }).map((line) => line.slice(0, 8))).toEqual([
      "run r · ",
      "● code-2",
      "  … and "
    ])
  })

  it("fits its terminal, and nothing in it controls one, whatever agents are called and say", () => {
    const source = random(7)
    const anything = (): RunEvent => {
      const at = job(source.below(6))
      const text = evil(source)
      return source.pick<RunEvent>([
        { kind: "jobStarted", ...at, attempt: 1 },
        { kind: "agentEvent", ...at, event: { kind: "message", text } },
        { kind: "agentEvent", ...at, event: { kind: "toolCall", id: text, name: text, input: { [text]: text } } },
        { kind: "agentEvent", ...at, event: { kind: "toolResult", id: text, ok: false, denied: true, message: text } },
        { kind: "agentEvent", ...at, event: { kind: "limit", limit: { class: "rate", message: text, attempt: 2 } } },
        { kind: "jobRetrying", ...at, reason: text, error: text },
        { kind: "jobEnded", at: 3_000, result: result(source.below(6), { result: text, warnings: [text] }) },
        {
          kind: "jobEnded",
          at: 3_000,
          result: result(source.below(6), { status: "failed", reason: "AgentExit", error: text })
        }
      ])
    }
    for (let turn = 0; turn < 1_500; turn++) {
      const agents = Array.from({ length: 1 + source.below(6) }, () => evil(source))
      const run = of([started(agents), ...Array.from({ length: source.below(12) }, anything)])
      const columns = 1 + source.below(100)
      const rows = 1 + source.below(10)
      const colour = source.below(2) === 0
      const lines = render(run, { columns, rows, now: 5_000, style: style(colour), ending: source.below(2) === 0 })
      expect(lines.length).toBeLessThanOrEqual(rows)
      for (const line of lines) {
        const bare = colour ? line.replaceAll(/\u001b\[\d+m/g, "") : line
        expect(bare, JSON.stringify(line)).not.toMatch(harmful)
        expect(bare).not.toContain("\n")
        expect(width(bare), JSON.stringify([bare, columns])).toBeLessThanOrEqual(columns)
      }
    }
  })
})

describe("painting", () => {
  it("leaves the last picture and nothing else, below what was there, and removes it whole", () => {
    const source = random(8)
    for (let turn = 0; turn < 300; turn++) {
      const screen = terminal(20, 8)
      const before = Array.from({ length: source.below(12) }, (_, index) => `before ${index}`)
      screen.write(before.map((line) => `${line}\r\n`).join(""))
      let picture: ReadonlyArray<string> = []
      for (let frame = 0; frame < 6; frame++) {
        const next = Array.from({ length: source.below(8) }, () => "x".repeat(source.below(21)))
        screen.write(repaint(picture, next))
        picture = next
        expect(screen.lines()).toEqual([...before, ...picture, ""])
      }
      screen.write(erase(height(picture.map(width), 20)))
      expect(screen.lines()).toEqual([...before, ...picture.map(() => ""), ""])
      screen.write("after\r\n")
      expect(screen.lines().slice(0, before.length + 1)).toEqual([...before, "after"])
    }
  })

  it("writes nothing for the same picture", () => {
    expect(repaint(["a", "b"], ["a", "b"])).toBe("")
    expect(repaint([], [])).toBe("")
  })

  it("knows how many rows a picture takes in a narrower terminal", () => {
    expect(height([0, 10, 11, 25], 10)).toBe(1 + 1 + 2 + 3)
  })
})
