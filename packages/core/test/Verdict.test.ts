import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { AgentEvent, FailureClass } from "../src/ToolAdapter.js"
import * as Verdict from "../src/Verdict.js"

const events = (...list: ReadonlyArray<AgentEvent>): Verdict.Tally => list.reduce(Verdict.tally, Verdict.emptyTally)

const observe = (change: Partial<Verdict.Observation>): Verdict.Verdict =>
  Verdict.judge({
    tool: "claude",
    output: "events",
    exitAbove128: "signal",
    tally: Verdict.emptyTally,
    exit: { code: 0, signal: null },
    ended: "self",
    stderr: "",
    ...change
  })

const said: AgentEvent = { kind: "message", text: "the answer" }
const done: AgentEvent = { kind: "finished", ok: true }
const call: AgentEvent = { kind: "toolCall", id: "1", name: "shell" }
const denied: AgentEvent = { kind: "toolResult", id: "1", name: "shell", ok: false, denied: true, message: "no" }
const error = (cls: FailureClass, message = "it broke"): AgentEvent => ({
  kind: "finished",
  ok: false,
  error: { class: cls, message }
})
const limited = (cls: FailureClass): AgentEvent => ({ kind: "limit", limit: { class: cls, message: "try later" } })

describe("Verdict", () => {
  it("row 1: present, no error, exit 0 → completed", () => {
    const verdict = observe({ tally: events(said, done) })
    expect(verdict).toMatchObject({ status: "completed", reason: null, text: "the answer", error: null, warnings: [] })
  })

  it("row 2: present, no error, any other end → completed with a warning", () => {
    const tally = events(said, done)
    for (const change of [
      { exit: { code: 1, signal: null } },
      { exit: { code: null, signal: "SIGKILL" } },
      { exit: { code: 143, signal: null } },
      { ended: "drain" as const, exit: { code: null, signal: "SIGTERM" } },
      { ended: "timeout" as const, exit: { code: null, signal: "SIGTERM" } },
      { ended: "cancelled" as const, exit: { code: null, signal: "SIGTERM" } }
    ]) {
      const verdict = observe({ tally, ...change })
      expect(verdict.status).toBe("completed")
      expect(verdict.warnings).toHaveLength(1)
    }
  })

  it("a terminal event that was read only after we began to end the agent does not undo the ending", () => {
    for (const event of [done, error("other")]) {
      const verdict = observe({ tally: events(said, event), late: true, ended: "timeout" })
      expect(verdict).toMatchObject({ status: "timeout", reason: "JobTimeout" })
    }
  })

  it("row 3: present and error → failed by class, whatever the exit", () => {
    const reasons: Readonly<Record<FailureClass, string>> = {
      auth: "AuthFailed",
      rate: "RateLimited",
      quota: "QuotaExhausted",
      context: "ContextTooLong",
      permission: "PermissionAsked",
      server: "AgentReported",
      network: "AgentReported",
      turns: "AgentReported",
      other: "AgentReported"
    }
    for (const [cls, reason] of Object.entries(reasons) as ReadonlyArray<[FailureClass, string]>) {
      for (const code of [0, 1, 143]) {
        const verdict = observe({ tally: events(said, error(cls)), exit: { code, signal: null } })
        expect(verdict).toMatchObject({ status: "failed", reason, text: "the answer", rule: "finished-error" })
        expect(verdict.error).toMatch(/^it broke – .+ – .+$/)
      }
    }
  })

  it("row 4: no text and no tokens → EmptyResult, retryable when nothing was called", () => {
    expect(observe({ tally: events(done) })).toMatchObject({ reason: "EmptyResult", retryable: true })
    const zero: AgentEvent = { kind: "usage", usage: { inputTokens: 9, outputTokens: 0 } }
    expect(observe({ tally: events(call, zero, done) })).toMatchObject({ reason: "EmptyResult", retryable: false })
    const some: AgentEvent = { kind: "usage", usage: { outputTokens: 7 } }
    expect(observe({ tally: events(call, some, done) })).toMatchObject({ status: "completed" })
  })

  it("row 5: denied calls are shown; PermissionAsked only where there is no text", () => {
    const completed = observe({ tally: events(call, denied, said, done) })
    expect(completed.status).toBe("completed")
    expect(completed.warnings.join()).toMatch(/1 tool call was denied: shell/)
    expect(observe({ tally: events(call, denied, done) })).toMatchObject({
      status: "failed",
      reason: "PermissionAsked"
    })
  })

  it("row 6: absent with exit 0 → AgentProtocol, however plausible the prose", () => {
    expect(observe({ tally: events(said) })).toMatchObject({
      status: "failed",
      reason: "AgentProtocol",
      text: "the answer",
      retryable: true
    })
    expect(observe({ tally: events(call, said) })).toMatchObject({ reason: "AgentProtocol", retryable: false })
  })

  it("row 7: absent with another exit → AgentExit or AgentSignal, after limits, after auth, quota and context on stderr", () => {
    const one = { exit: { code: 1, signal: null } }
    expect(observe(one)).toMatchObject({ reason: "AgentExit", retryable: true })
    expect(observe({ ...one, tally: events(limited("rate")) })).toMatchObject({ reason: "RateLimited" })
    expect(observe({ ...one, tally: events(limited("rate"), said) })).toMatchObject({ reason: "AgentExit" })
    // Some programs give up with exit code 0.
    expect(observe({ tally: events(limited("quota")) })).toMatchObject({ reason: "QuotaExhausted", retryable: false })
    expect(observe({ ...one, tally: events(limited("auth")), stderr: "usage limit reached" })).toMatchObject({
      reason: "AuthFailed"
    })
    expect(observe({ ...one, stderr: "noise\nError: Invalid API key\n  at x" })).toMatchObject({ reason: "AuthFailed" })
    expect(observe({ ...one, stderr: "usage limit reached" })).toMatchObject({
      reason: "QuotaExhausted",
      retryable: false
    })
    expect(observe({ ...one, stderr: "prompt is too long" })).toMatchObject({ reason: "ContextTooLong" })
    expect(observe({ tally: events(said), stderr: "Invalid API key" })).toMatchObject({ reason: "AgentProtocol" })
  })

  it("codes above 128 are signals, except where the program uses them for an HTTP status", () => {
    for (const [code, name] of [
      [137, "SIGKILL"],
      [143, "SIGTERM"]
    ] as const) {
      expect(observe({ exit: { code, signal: null } })).toMatchObject({
        reason: "AgentSignal",
        error: expect.stringContaining(name)
      })
    }
    const status = (code: number) => observe({ exit: { code, signal: null }, exitAbove128: "status" })
    expect(status(143)).toMatchObject({ reason: "AgentSignal" })
    for (const code of [144, 173, 244]) expect(status(code)).toMatchObject({ reason: "AgentExit" })
  })

  it("keeps the end of a text without end", () => {
    const piece: AgentEvent = { kind: "message", text: "x".repeat(1024 * 1024), delta: true }
    const { text } = events(...Array.from({ length: 40 }, () => piece), {
      kind: "message",
      text: "the end",
      delta: true
    })
    expect(text.length).toBeLessThan(5 * 1024 * 1024)
    expect(text.endsWith("the end")).toBe(true)
  })

  it("row 8: a program without events is judged by its exit, and the success says that it is unverified", () => {
    const ok = observe({ output: "text", tally: events(said) })
    expect(ok).toMatchObject({ status: "completed", rule: "text-exit-0", text: "the answer" })
    expect(ok.warnings.join()).toMatch(/unverified success/)
    const bad = observe({ output: "text", exit: { code: 2, signal: null }, stderr: "boom" })
    expect(bad).toMatchObject({
      reason: "AgentExit",
      retryable: false,
      error: expect.stringContaining("exit code 2: boom")
    })
  })

  it("what we did to end it", () => {
    expect(observe({ ended: "timeout" })).toMatchObject({ status: "timeout", reason: "JobTimeout" })
    expect(observe({ ended: "startTimeout" })).toMatchObject({
      status: "failed",
      reason: "JobStalled",
      retryable: true
    })
    expect(observe({ ended: "idleTimeout", tally: events(call) })).toMatchObject({
      reason: "JobStalled",
      retryable: false
    })
    expect(observe({ ended: "cancelled" })).toMatchObject({ status: "cancelled", reason: "JobCancelled" })
    expect(observe({ ended: "outputLimit" })).toMatchObject({ status: "failed", reason: "OutputLimit" })
    expect(observe({ ended: "spawnFailed", stderr: "spawn E2BIG" })).toMatchObject({ reason: "SpawnFailed" })
    expect(observe({ ended: "unplaced", stderr: "cannot write /d" })).toMatchObject({ reason: "WorkspaceError" })
    expect(observe({ ended: "auth", tally: events(limited("auth")) })).toMatchObject({ reason: "AuthFailed" })
    expect(observe({ ended: "retryTimeout", tally: events(limited("rate")) })).toMatchObject({ reason: "RateLimited" })
    expect(observe({ ended: "retryTimeout", tally: events(limited("server")) })).toMatchObject({
      reason: "AgentReported"
    })
    expect(observe({ exit: { code: null, signal: null } })).toMatchObject({ reason: "Indeterminate" })
  })

  it("an error is one printable line", () => {
    const verdict = observe({ tally: events(error("other", "a\n\u001b[31mb\u0007\u009b2Jc\u2028d")) })
    expect(verdict.error).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/)
  })

  it("never calls an attempt completed that has no terminal success, nor one without evidence failed (all cells)", () => {
    const endings = FastCheck.constantFrom<Verdict.Ended>(
      "self",
      "drain",
      "timeout",
      "startTimeout",
      "idleTimeout",
      "retryTimeout",
      "auth",
      "cancelled",
      "outputLimit",
      "spawnFailed"
    )
    const exits = FastCheck.constantFrom(
      { code: 0, signal: null },
      { code: 1, signal: null },
      { code: 137, signal: null },
      { code: 143, signal: null },
      { code: 145, signal: null },
      { code: null, signal: "SIGTERM" },
      { code: null, signal: "SIGKILL" },
      { code: null, signal: null }
    )
    const streams = FastCheck.array(
      FastCheck.constantFrom<AgentEvent>(said, call, denied, limited("rate"), limited("auth"), { kind: "started" }),
      { maxLength: 6 }
    )
    const last = FastCheck.constantFrom<AgentEvent | null>(null, done, error("other"), error("auth"))
    FastCheck.assert(
      FastCheck.property(
        streams,
        last,
        exits,
        endings,
        FastCheck.constantFrom("signal" as const, "status" as const),
        FastCheck.constantFrom("", "noise", "Invalid API key", "usage limit reached"),
        (list, terminal, exit, ended, exitAbove128, stderr) => {
          const tally = events(...list, ...(terminal === null ? [] : [terminal]))
          const verdict = observe({ tally, exit, ended, exitAbove128, stderr })
          if (verdict.status === "completed") expect(terminal).toBe(done)
          if (terminal === done && tally.text !== "" && ended !== "spawnFailed")
            expect(verdict.status).toBe("completed")
          expect(verdict.status === "completed").toBe(verdict.reason === null)
          expect(verdict.status === "completed").toBe(verdict.error === null)
          if (verdict.retryable) expect(tally.toolCalls === 0 || verdict.reason === "SpawnFailed").toBe(true)
        }
      ),
      { numRuns: 2000 }
    )
  })
})
