/**
 * What an attempt came to. One pure table over what was observed: the terminal event, its error flag, the text, the exit
 * and what we did to end it. An exit code alone never makes a success where the program has events.
 */
import * as failure from "./internal/failure.js"
import type { JobReason, JobStatus } from "./Job.js"
import type { AgentEvent, AgentFailure, Denial, FailureClass, Limit, ToolAdapter, Usage } from "./ToolAdapter.js"

/** Who or what ended the process: `self` is the program (or someone outside), all others are us. */
export type Ended =
  | "self"
  | "drain"
  | "timeout"
  | "startTimeout"
  | "idleTimeout"
  | "retryTimeout"
  | "auth"
  | "cancelled"
  | "outputLimit"
  | "budget"
  | "spawnFailed"
  | "unplaced"

/** What the events of an attempt add up to. */
export interface Tally {
  /** The last terminal event, or none so far. */
  readonly finished: Extract<AgentEvent, { kind: "finished" }> | null
  /** All messages, separated by a blank line. */
  readonly text: string
  readonly toolCalls: number
  /** Calls that have begun and not ended: while there are some, silence is work. */
  readonly openCalls: ReadonlySet<string>
  readonly usage: Usage | null
  /** The limit that the program is in; null as soon as it goes on. */
  readonly limit: Limit | null
  readonly denials: ReadonlyArray<Denial>
  readonly sessionId: string | null
  readonly model: string | null
  /** MCP servers that the program could not start. */
  readonly failedServers: ReadonlyArray<string>
  readonly lastEvent: AgentEvent["kind"] | null
}

export const emptyTally: Tally = {
  finished: null,
  text: "",
  toolCalls: 0,
  openCalls: new Set(),
  usage: null,
  limit: null,
  denials: [],
  sessionId: null,
  model: null,
  failedServers: [],
  lastEvent: null
}

/** A program may print without end; the answer stands at the end of it. */
const maxText = 4 * 1024 * 1024
const bounded = (text: string): string =>
  text.length > maxText ? `[the beginning is left out]\n\n${text.slice(-maxText / 2)}` : text

/** Adds one event to the tally. */
export const tally = (state: Tally, event: AgentEvent): Tally => {
  const next = { ...state, lastEvent: event.kind }
  switch (event.kind) {
    case "started":
      return {
        ...next,
        sessionId: event.sessionId ?? state.sessionId,
        model: event.model ?? state.model,
        failedServers: event.failedServers ?? state.failedServers
      }
    case "message": {
      const gap = state.text === "" || event.delta === true ? "" : "\n\n"
      return { ...next, limit: null, text: bounded(state.text + gap + event.text) }
    }
    case "toolCall":
      return {
        ...next,
        limit: null,
        toolCalls: state.toolCalls + 1,
        openCalls: new Set([...state.openCalls, event.id])
      }
    case "toolResult": {
      const open = new Set(state.openCalls)
      open.delete(event.id)
      const denials =
        event.denied === true
          ? [...state.denials, { tool: event.name ?? event.id, message: failure.oneLine(event.message ?? "denied") }]
          : state.denials
      return { ...next, limit: null, openCalls: open, denials }
    }
    case "usage":
      return { ...next, usage: event.usage }
    case "limit":
      return { ...next, limit: event.limit }
    case "finished":
      return { ...next, finished: event, openCalls: new Set(), denials: event.denials ?? state.denials }
  }
}

export interface Observation {
  /** Name of the tool, for the error line. */
  readonly tool: string
  readonly output: ToolAdapter["output"]
  readonly exitAbove128: ToolAdapter["exitAbove128"]
  readonly tally: Tally
  /** The terminal event was read only after we had begun to end the agent, so that it may be an echo of that. */
  readonly late?: boolean
  /** Exactly one of the two is there; both null where nobody saw the end. */
  readonly exit: { readonly code: number | null; readonly signal: string | null }
  readonly ended: Ended
  /** The last part of stderr; also what the system said where the spawn failed. */
  readonly stderr: string
}

export interface Verdict {
  readonly status: Extract<JobStatus, "completed" | "failed" | "cancelled" | "timeout">
  readonly reason: JobReason | null
  /** The agent's answer; also kept as evidence where the attempt failed. Null: it said nothing. */
  readonly text: string | null
  /** One line: what – where – what to do; null where completed. */
  readonly error: string | null
  /** Which row of the table fired. */
  readonly rule: string
  /** Completed, but something deserves a look. */
  readonly warnings: ReadonlyArray<string>
  /** Nothing was done as far as can be seen, and another try may go better. */
  readonly retryable: boolean
  /** The provider's failure behind it, where there was one. */
  readonly cause: AgentFailure | null
}

const reasonOf: Readonly<Record<FailureClass, JobReason>> = {
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

const adviceOf: Readonly<Record<FailureClass, (tool: string) => string>> = {
  auth: (tool) => `log in to ${tool} or give it a valid key, then run again`,
  rate: () => "run again later or with fewer workers",
  quota: () => "run again when the limit resets",
  context: () => "shorten the task or split it",
  permission: () => "give the agent a higher permission if it needs this",
  server: () => "run again later",
  network: () => "check the network and run again",
  turns: () => "raise the limit or split the task",
  other: () => "see the agent's log"
}

/** Another try may help; the others need a person, or time. */
const worthRetrying: ReadonlySet<FailureClass> = new Set(["rate", "server", "network", "other"])

const line = (what: string, where: string, todo: string): string => failure.oneLine(`${what} – ${where} – ${todo}`, 600)

const lastLine = (text: string): string =>
  failure.oneLine(
    text
      .split("\n")
      .filter((part) => part.trim() !== "")
      .at(-1) ?? ""
  )

const signalNames: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM"
}

/** The signal that ended the process, also where a shell or init turned it into 128 + n. */
const signalOf = (observation: Observation): string | null => {
  const { code, signal } = observation.exit
  if (signal !== null) return signal
  // Where codes are an HTTP status modulo 256, those from 144 (400) on are.
  if (code === null || code <= 128 || code >= (observation.exitAbove128 === "status" ? 144 : 192)) return null
  return signalNames[code - 128] ?? `signal ${code - 128}`
}

const endings: Readonly<
  Record<
    Exclude<Ended, "self" | "drain" | "retryTimeout" | "auth" | "spawnFailed" | "unplaced">,
    { readonly status: Verdict["status"]; readonly reason: JobReason; readonly what: string; readonly todo: string }
  >
> = {
  timeout: {
    status: "timeout",
    reason: "JobTimeout",
    what: "the job's time was up",
    todo: "raise timeout or split the task"
  },
  startTimeout: {
    status: "failed",
    reason: "JobStalled",
    what: "no first event in time",
    todo: "check that the program runs by hand, or raise startTimeout"
  },
  idleTimeout: {
    status: "failed",
    reason: "JobStalled",
    what: "silent for too long with no tool call open",
    todo: "see the agent's log, or raise idleTimeout"
  },
  cancelled: {
    status: "cancelled",
    reason: "JobCancelled",
    what: "cancelled",
    todo: "run again if it is still wanted"
  },
  budget: {
    status: "failed",
    reason: "BudgetExceeded",
    what: "the agent's budget is spent",
    todo: "raise its budget or split the task"
  },
  outputLimit: {
    status: "failed",
    reason: "OutputLimit",
    what: "the output grew beyond its limit",
    todo: "see the head and tail that were kept, or raise maxOutput"
  }
}

const denialWarning = (denials: ReadonlyArray<Denial>): ReadonlyArray<string> =>
  denials.length === 0
    ? []
    : [
        `${denials.length} tool call${denials.length === 1 ? " was" : "s were"} denied: ${[
          ...new Set(denials.map((denial) => denial.tool))
        ].join(", ")} – give the agent a higher permission if it needs this`
      ]

/** Judges one attempt. Total: every observation has a verdict. */
export const judge = (observation: Observation): Verdict => {
  const { ended, exit, tool } = observation
  const { denials, finished, limit, toolCalls, usage } = observation.tally
  const answer = finished?.text ?? observation.tally.text
  const text = answer.trim() === "" ? null : answer
  /** Without events nobody can tell whether something was done. */
  const untouched = observation.output === "events" && toolCalls === 0
  const where = (): string =>
    observation.tally.lastEvent === null
      ? `${tool}, before any event`
      : `${tool}, last event ${observation.tally.lastEvent}`

  const failed = (
    reason: JobReason,
    rule: string,
    error: string,
    retryable: boolean,
    status: Verdict["status"] = "failed",
    cause: AgentFailure | null = null
  ): Verdict => ({ status, reason, text, error, rule, warnings: denialWarning(denials), retryable, cause })

  const byClass = (rule: string, cause: AgentFailure, at: string): Verdict =>
    failed(
      reasonOf[cause.class],
      rule,
      line(cause.message, at, adviceOf[cause.class](tool)),
      untouched && worthRetrying.has(cause.class),
      "failed",
      cause
    )

  const completed = (rule: string, warnings: ReadonlyArray<string>): Verdict => ({
    status: "completed",
    reason: null,
    text,
    error: null,
    rule,
    warnings: [...warnings, ...denialWarning(denials)],
    retryable: false,
    cause: null
  })

  if (ended === "spawnFailed") {
    return failed(
      "SpawnFailed",
      "spawn-failed",
      line(lastLine(observation.stderr) || "could not be started", tool, "check the program and the directory"),
      true
    )
  }

  if (ended === "unplaced") {
    const todo = "check the data folder, its permissions and the disk"
    return failed("WorkspaceError", "unplaced", line(lastLine(observation.stderr), tool, todo), true)
  }

  if (finished !== null && (observation.late !== true || ended === "self" || ended === "drain")) {
    if (!finished.ok) {
      return byClass("finished-error", finished.error ?? { class: "other", message: text ?? "reported an error" }, tool)
    }
    if (text === null && denials.length > 0) {
      const names = [...new Set(denials.map((denial) => denial.tool))].join(", ")
      return failed(
        "PermissionAsked",
        "finished-denied-empty",
        line(`asked for ${names} and gave no answer`, tool, adviceOf.permission(tool)),
        false
      )
    }
    const outputTokens = usage?.outputTokens
    if (text === null && (outputTokens === 0 || (outputTokens === undefined && toolCalls === 0))) {
      return failed(
        "EmptyResult",
        "finished-empty",
        line("said that it was done, with no text and no tokens", tool, "run again"),
        untouched
      )
    }
    const silent = text === null ? ["the agent gave no text"] : []
    if (ended === "drain") {
      return completed("finished-drained", [...silent, "the program stayed on after it was done and was ended"])
    }
    if (ended !== "self") {
      return completed("finished-then-ended", [...silent, `the program was done when it was ended (${ended})`])
    }
    const signal = signalOf(observation)
    if (signal !== null)
      return completed("finished-signal", [...silent, `the program was done, then ended by ${signal}`])
    if (exit.code !== null && exit.code !== 0) {
      return completed("finished-exit", [...silent, `the program was done, then ended with exit code ${exit.code}`])
    }
    return completed("finished", silent)
  }

  if (ended === "auth") {
    return byClass("ended-auth", limit ?? { class: "auth", message: "the provider refuses the login" }, where())
  }
  if (ended === "retryTimeout") {
    const cause = limit ?? { class: "other", message: "no answer" }
    return byClass("ended-retrying", { ...cause, message: `kept retrying: ${cause.message}` }, where())
  }
  if (ended !== "self" && ended !== "drain") {
    const ending = endings[ended]
    const again = ending.reason === "JobStalled" && untouched
    return failed(ending.reason, `ended-${ended}`, line(ending.what, where(), ending.todo), again, ending.status)
  }

  const signal = signalOf(observation)
  if (exit.code === null && signal === null) {
    return failed("Indeterminate", "unseen", line("nobody saw how it ended", where(), "see the agent's log"), false)
  }
  if (observation.output === "text" && exit.code === 0) {
    return completed("text-exit-0", ["unverified success: the program has no events, only its exit code says so"])
  }
  // Some programs give up on a limit with exit code 0.
  if (limit !== null) return byClass("absent-limit", limit, where())
  if (exit.code === 0) {
    return failed(
      "AgentProtocol",
      "absent-exit-0",
      line("ended with exit code 0 and never said that it was done", where(), "see the agent's log"),
      untouched
    )
  }
  const heard = failure.classOfText(observation.stderr)
  const told = lastLine(observation.stderr)
  if (heard === "auth" || heard === "quota" || heard === "context") {
    const said = observation.stderr.split("\n").find((part) => failure.classOfText(part) === heard) ?? told
    return byClass("absent-stderr", { class: heard, message: failure.oneLine(said) }, where())
  }
  if (signal !== null) {
    return failed("AgentSignal", "absent-signal", line(`ended by ${signal}`, where(), "see who ended it"), untouched)
  }
  return failed(
    "AgentExit",
    observation.output === "text" ? "text-exit" : "absent-exit",
    line(`exit code ${exit.code}${told === "" ? "" : `: ${told}`}`, where(), "see the agent's log"),
    untouched
  )
}
