import { Evidence, JobId, JobResult, RunId } from "@contextfs/core/Job"
import type { AttemptRecord } from "@contextfs/core/JobQueue"
import { describe, expect, it } from "vitest"
import { style, width } from "../../src/internal/layout.js"
import type { JobState, RunState } from "../../src/internal/runState.js"
import { jobText, type Look, listText, runText } from "../../src/internal/statusText.js"
import { evil, harmful, random } from "../harness.js"

const now = Date.UTC(2026, 10, 23, 13, 5)
const look = (columns = Number.POSITIVE_INFINITY, colour = false): Look => ({ style: style(colour), columns, now })

const result = (more: Partial<JobResult> = {}): JobResult =>
  JobResult.make({
    jobId: JobId.make("r1-1"),
    runId: RunId.make("r1"),
    agentId: "code-1",
    role: "code",
    tool: "mock",
    directory: "/x",
    status: "completed",
    reason: null,
    result: "It works.\nTruly.",
    error: null,
    warnings: [],
    duration: 1.4,
    attempts: 1,
    usage: null,
    sessionId: null,
    filesChanged: null,
    denials: [],
    memory: null,
    evidence: null,
    ...more
  })

const job = (more: Partial<JobState> = {}): JobState => ({
  jobId: "r1-1",
  runId: "r1",
  agentId: "code-1",
  role: "code",
  tool: "mock",
  directory: "/x",
  task: "Implement it",
  status: "completed",
  attempts: 1,
  startedAt: now - 60_000,
  duration: 1.4,
  folder: "/data/runs/r1/r1-1/1",
  reason: null,
  error: null,
  result: result(),
  ...more
})

const run = (more: Partial<RunState> = {}): RunState => ({
  runId: "r1",
  project: "shop",
  status: "completed",
  createdAt: now - 180_000,
  endedAt: now - 178_200,
  duration: 1.8,
  containment: "K1",
  owner: 17,
  stopped: false,
  shortage: null,
  folder: "/data/runs/r1",
  resume: null,
  jobs: [job()],
  ...more
})

const waiting = job({ agentId: "test-1", status: "pending", attempts: 0, duration: null, folder: null, result: null })
const failed = job({ status: "failed", attempts: 2, reason: "AgentExit", error: "exit 1", result: null })

describe("status in lines", () => {
  it("a run and its jobs, as far as there is room", () => {
    expect(listText([run({ jobs: [job(), failed] })], [], look(), false)).toBe(
      [
        "run r1 completed · 1 of 2 completed · 1.8 s · 3 min ago",
        "  ✓ code-1  completed  code  mock             1.4 s  It works.",
        "  ✗ code-1  failed     code  mock  attempt 2  1.4 s  AgentExit: exit 1",
        ""
      ].join("\n")
    )
    expect(listText([run()], [], look(60), true)).toBe(
      [
        "run r1 completed · project shop · 1 of 1 completed · 1.8 s …",
        "  ✓ code-1  completed  1.4 s  It works.",
        ""
      ].join("\n")
    )
    const coloured = listText([run()], [], look(60, true), true)
    expect(coloured).toContain("run \u001b[1mr1\u001b[22m \u001b[32mcompleted\u001b[39m · ")
    expect(coloured).toContain("\u001b[32m  ✓ code-1\u001b[39m  \u001b[32mcompleted\u001b[39m  1.4 s  It works.\n")
  })

  it("an interrupted run comes with what to do, a parked tool with its time", () => {
    const interrupted = run({
      status: "interrupted",
      endedAt: null,
      duration: null,
      resume: "contextfs orchestrator resume r1",
      jobs: [job({ status: "interrupted", duration: null, result: null }), waiting]
    })
    const parked = { tool: "claude", until: now, since: now, message: "limit reached", probe: null }
    expect(listText([interrupted], [parked], look(), false)).toBe(
      [
        "claude waits until 2026-11-23 13:05 UTC: limit reached",
        "",
        "run r1 interrupted · 0 of 2 completed · 1 waiting · 3 min ago",
        "  go on with it: contextfs orchestrator resume r1",
        "  ✗ code-1  interrupted  code  mock  –  its process is gone",
        "  · test-1  pending      code  mock  –",
        ""
      ].join("\n")
    )
  })

  it("of many jobs those that need a look come first, and the rest is counted", () => {
    const text = listText([run({ jobs: [...Array.from({ length: 30 }, () => job()), failed] })], [], look(), false)
    const lines = text.trimEnd().split("\n")
    expect(lines).toHaveLength(13)
    expect(lines[1]).toContain("AgentExit")
    expect(lines.at(-1)).toBe("  … and 20 more: contextfs orchestrator status r1")
  })

  it("a job in full: attempts, evidence, logs, and the whole answer last", () => {
    const evidence = Evidence.make({
      rule: "finished",
      exitCode: 0,
      sent: null,
      ended: "self",
      lastEvent: "finished",
      stdoutBytes: 1200,
      stderrBytes: 0,
      noise: 0,
      toolCalls: 4,
      survivors: 0,
      containment: "K1",
      folder: "/data/runs/r1/r1-1/2"
    })
    const attempts: ReadonlyArray<AttemptRecord> = [
      {
        number: 1,
        startedAt: now,
        endedAt: now + 1_000,
        reason: "RateLimited",
        error: "slow",
        charged: false,
        process: null
      },
      {
        number: 2,
        startedAt: now,
        endedAt: null,
        reason: null,
        error: null,
        charged: true,
        process: { pid: 18, startTime: null, bootId: null }
      }
    ]
    const text = jobText(job({ result: result({ evidence }) }), attempts, look())
    expect(text).toMatch(/ {2}1 {2}2026-11-23 13:05 UTC {2}1\.0 s +RateLimited: slow \(not counted\)\n/)
    expect(text).toMatch(/ {2}2 {2}2026-11-23 13:05 UTC {2}not ended {2}pid 18\n/)
    expect(text).toMatch(/ {2}logs +\/data\/runs\/r1\/r1-1\/1\n/)
    expect(text).toMatch(/ {2}rule +finished\n/)
    expect(text.endsWith("\nresult\nIt works.\nTruly.\n")).toBe(true)
  })

  it("never wider than the terminal in the listing, and nothing in any of it controls it", () => {
    const source = random(13)
    for (let turn = 0; turn < 300; turn++) {
      const text = evil(source)
      const columns = 40 + source.below(160)
      const answer = result({ result: text, warnings: [text], denials: [{ tool: text, message: text }] })
      const jobs = [
        job({ agentId: text, role: text, tool: text, task: text, directory: text, result: answer }),
        job({ status: "failed", reason: text, error: text, result: null })
      ]
      const parked = { tool: text, until: now, since: now, message: text, probe: null }
      const state = run({ project: text, containment: text, folder: text, jobs })
      const list = listText([state], [parked], look(columns), true)
      for (const line of list.split("\n")) expect(width(line), JSON.stringify(text)).toBeLessThanOrEqual(columns)
      for (const shown of [
        list,
        runText(state, look(columns)),
        ...jobs.map((one) => jobText(one, [], look(columns)))
      ]) {
        expect(shown).not.toMatch(harmful)
      }
    }
  })
})
