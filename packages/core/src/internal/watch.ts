/**
 * Watches one attempt: turns its lines into events, adds them up, and says when it has to be ended and why. Holds no
 * timer: time is what it is told, in milliseconds of a monotonic clock.
 */
import type { AgentEvent, Decoder, Usage } from "../ToolAdapter.js"
import { type Ended, emptyTally, type Tally, tally } from "../Verdict.js"
import { believable } from "./figures.js"

/** Milliseconds; null is "no limit". */
export interface Clocks {
  readonly start: number
  readonly idle: number
  readonly total: number | null
  /** How long a program may go on retrying the same limit. */
  readonly retry: number
  /** From the terminal event to the end of the process. */
  readonly drain: number
}

export class Watch {
  tally: Tally = emptyTally
  stdoutBytes = 0
  stderrBytes = 0
  /** The terminal event came only after we had begun to end the agent. */
  late = false
  ending: Ended | null = null

  private readonly started: number
  private active: number
  private limitedSince: number | null = null
  private finishedAt: number | null = null
  private strange = 0
  private readonly odd = new Map<string, string>()

  constructor(
    private readonly clocks: Clocks,
    private readonly maxOutput: number,
    private readonly decoder: Decoder,
    private readonly onEvent: (event: AgentEvent) => void,
    now: number,
    /** Whether more is used than there is left to spend. */
    private readonly overspent: (usage: Usage) => boolean = () => false
  ) {
    this.started = now
    this.active = now
  }

  line(line: string, now: number): void {
    const events = this.decoder.line(line)
    if (events.length === 0 && this.decoder.noise === undefined && line.trim() !== "") this.strange++
    for (const event of events) this.event(event, now)
  }

  /** Lines that were no events. */
  get noise(): number {
    return this.strange + (this.decoder.noise?.() ?? 0)
  }

  /** What the program told that cannot be true, in words, each thing once. */
  get unbelieved(): ReadonlyArray<string> {
    return [...this.odd].map(([name, said]) => `${name} ${said}`)
  }

  /** There is more output than is wanted. */
  get sated(): boolean {
    return this.stdoutBytes + this.stderrBytes > this.maxOutput
  }

  overlong(): void {
    this.strange++
  }

  /** The output is complete. */
  complete(exitCode: number, stderr: string, now: number): void {
    for (const event of this.decoder.end?.({ exitCode, stderr }) ?? []) this.event(event, now)
  }

  grew(stream: "stdout" | "stderr", bytes: number, now: number): void {
    if (stream === "stdout") this.stdoutBytes += bytes
    else this.stderrBytes += bytes
    this.active = now
  }

  /** Why the agent has to be ended now, or null. The first reason stands. */
  check(now: number): Ended | null {
    this.ending ??= this.reason(now)
    return this.ending
  }

  private event(told: AgentEvent, now: number): void {
    const event = believable(told, (name, said) => this.odd.set(name, said))
    this.tally = tally(this.tally, event)
    this.active = now
    if (this.tally.limit === null) this.limitedSince = null
    else this.limitedSince ??= now
    if (event.kind === "finished") {
      this.finishedAt ??= now
      if (this.ending !== null) this.late = true
    }
    this.onEvent(event)
  }

  private reason(now: number): Ended | null {
    const { drain, idle, retry, start, total } = this.clocks
    // Done is done: from here on only the drain counts.
    if (this.finishedAt !== null) return now - this.finishedAt >= drain ? "drain" : null
    if (this.sated) return "outputLimit"
    if (this.tally.usage !== null && this.overspent(this.tally.usage)) return "budget"
    if (this.tally.limit?.class === "auth") return "auth"
    if (total !== null && now - this.started >= total) return "timeout"
    if (this.limitedSince !== null && now - this.limitedSince >= retry) return "retryTimeout"
    if (this.tally.lastEvent === null && now - this.started >= start) return "startTimeout"
    if (this.tally.openCalls.size === 0 && now - this.active >= idle) return "idleTimeout"
    return null
  }
}
