import { JobId, RunId } from "@contextfs/core/Job"
import type { JobEvent } from "@contextfs/core/JobQueue"
import { Memory } from "@contextfs/memory/Memory"
import type { MemoryEvent } from "@contextfs/memory/MemoryStore"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { style, width } from "../../src/internal/layout.js"
import { type Entry, initial, step } from "../../src/internal/monitorLines.js"
import { evil, harmful, random } from "../harness.js"

const at = Date.UTC(2026, 10, 23, 13, 5)

const job = (more: Partial<JobEvent>): Entry => ({
  kind: "job",
  event: {
    sequence: 1,
    at,
    runId: RunId.make("r1"),
    project: "shop",
    jobId: JobId.make("r1-1"),
    agentId: "code-1",
    role: "code",
    tool: "mock",
    status: "running",
    attempt: 1,
    reason: null,
    error: null,
    ...more
  }
})

const memory = (more: Partial<MemoryEvent> = {}, fields: object = {}): Entry => {
  const by = {
    project: "shop",
    namespace: "global",
    trust: "agent",
    sourceTool: "agent-code",
    role: "code",
    agentId: "code-1",
    runId: "r1"
  } as const
  const whole = Schema.decodeUnknownSync(Memory)({
    id: "abcdef123456",
    type: "decision",
    summary: null,
    content: "We hash with argon2id.\nIt is slow.",
    tags: ["code-agent", "auth"],
    structuredData: null,
    files: [],
    authoritative: false,
    createdAt: at,
    updatedAt: at,
    supersededBy: null,
    ...by,
    ...fields
  })
  return { kind: "memory", event: { sequence: 1, at, kind: "created", by, memory: whole, ...more } }
}

const linesOf = (entries: ReadonlyArray<Entry>, columns = Number.POSITIVE_INFINITY) => {
  const shown: Array<string> = []
  let state = initial
  for (const entry of entries) {
    const [next, lines] = step(state, entry, { style: style(false), columns })
    state = next
    shown.push(...lines)
  }
  return shown
}
const withoutTime = (lines: ReadonlyArray<string>) => lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ""))

const story = [
  job({ jobId: null, agentId: null }),
  job({ status: "pending", attempt: 0 }),
  job({}),
  memory(),
  memory({ kind: "merged" }, { type: "error", tags: [] }),
  job({ status: "pending", reason: "RateLimited", error: "slow down\nplease" }),
  job({ attempt: 2, at: at + 1_000 }),
  job({ status: "failed", attempt: 2, reason: "AgentExit", error: "exit 1", at: at + 2_500 }),
  job({ jobId: null, agentId: null, status: "interrupted" })
]

describe("what happens, in lines", () => {
  it("tells a job's way, and what is saved on it", () => {
    expect(withoutTime(linesOf(story))).toEqual([
      "r1        run         ● started",
      "r1        code-1      · waiting",
      "r1        code-1      ● started",
      "r1        code-1      saved decision abcdef123456: We hash with argon2id. (code-agent, auth)",
      "r1        code-1      said again error abcdef123456: We hash with argon2id.",
      "r1        code-1      · waits for another attempt after RateLimited: slow down",
      "r1        code-1      ● attempt 2 started",
      "r1        code-1      ✗ failed after 2.5 s: AgentExit: exit 1",
      "r1        run         ✗ interrupted: go on with it: contextfs orchestrator resume r1"
    ])
  })

  it("leaves out in a narrow terminal what can be left out", () => {
    expect(withoutTime(linesOf(story, 80)).slice(0, 4)).toEqual([
      "run r1      ● started",
      "code-1      · waiting",
      "code-1      ● started",
      "code-1      saved decision: We hash with argon2id."
    ])
  })

  it("begins with what is at work, and counts its time from its own start", () => {
    const atWork = [{ jobId: "r1-1", agentId: "code-1", attempt: 2, startedAt: at - 3_000 }]
    const entries: ReadonlyArray<Entry> = [
      { kind: "running", at, runId: "r1", createdAt: at - 61_000, atWork, waiting: 3, ended: 0 },
      job({ status: "completed", attempt: 2, at: at + 1_000 }),
      { kind: "interrupted", at, runId: "r1", resume: "contextfs orchestrator resume r1" }
    ]
    expect(withoutTime(linesOf(entries))).toEqual([
      "r1        run         ● running for 1 min 1 s · 1 at work · 3 waiting",
      "r1        code-1      ● running for 3.0 s, attempt 2",
      "r1        code-1      ✓ completed after 4.0 s",
      "r1        run         ✗ interrupted: its process is gone; go on with it: contextfs orchestrator resume r1"
    ])
  })

  it("is never wider than the terminal, and nothing in it controls it", () => {
    const source = random(12)
    for (let turn = 0; turn < 500; turn++) {
      const text = evil(source)
      const columns = 60 + source.below(150)
      const entries = [
        job({ agentId: text, status: "failed", reason: text, error: text }),
        memory(
          { by: { project: text, namespace: text, trust: "agent", sourceTool: text, agentId: text, runId: text } },
          { summary: text, content: `${text}x`, tags: [text] }
        )
      ]
      for (const line of linesOf(entries, columns)) {
        expect(line).not.toMatch(harmful)
        expect(width(line), JSON.stringify(text)).toBeLessThanOrEqual(columns)
      }
    }
  })
})
