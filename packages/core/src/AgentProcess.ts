/**
 * Agent programs as processes: launched through a small shell, followed through files, and ended whole. Nothing that an
 * agent started is left behind, whatever way it ends; where the host cannot promise that, what was found is counted.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as internal from "./internal/agentProcess.js"
import type { Containment, Level } from "./internal/containment.js"
import * as containment from "./internal/containment.js"
import type { HostUnfit, SpawnFailed } from "./OrchestratorError.js"

export type { Containment, Level } from "./internal/containment.js"
export { markerVariable } from "./internal/marker.js"
export { isAlive, isStopped } from "./internal/procfs.js"

export interface LaunchSpec {
  /** The program by absolute path, and its arguments. */
  readonly command: ReadonlyArray<string>
  /** Absolute. */
  readonly directory: string
  /** The whole environment; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Folder (0700) in which `prompt` lies and `stdout` and `stderr` are made. */
  readonly folder: string
  /** Value of {@link markerVariable} in `env`; unique to the attempt. */
  readonly marker: string
  readonly level: Level
  /** How long after TERM an agent may take to leave before KILL. */
  readonly grace: Duration.Duration
}

/** Pid, start time and boot together name a process for good; a pid alone is never trusted. */
export interface ProcessIdentity {
  /** Also the process group. */
  readonly pid: number
  /** Clock ticks since boot; null where unknown, or when it was gone before we could look. */
  readonly startTime: string | null
  readonly bootId: string | null
}

/** Called synchronously, while the files are read. */
export interface Observer {
  /** One line of stdout. */
  readonly line: (line: string) => void
  readonly grew: (stream: "stdout" | "stderr", bytes: number) => void
  /** A line of stdout over 8 MiB was dropped. */
  readonly overlong: () => void
  /** Every 50 ms. */
  readonly tick: () => void
  /** Nothing more is wanted of the output: at the end the rest stays unread in its files. */
  readonly sated: () => boolean
}

export interface Ended {
  /** 128 + n for death by signal n; null when nobody could tell. */
  readonly exitCode: number | null
  /** What we sent. */
  readonly sent: "nothing" | "TERM" | "KILL"
  /** Processes that were still alive after the end of the program or its group, and were ended then. */
  readonly survivors: number
}

export interface RunningAgent {
  readonly identity: ProcessIdentity
  /** Waits for the program's own end. */
  readonly exited: Effect.Effect<number | null>
  /** Ends what is left: TERM, grace, KILL; then the output is complete. The same answer however often it is asked. */
  readonly end: Effect.Effect<Ended>
}

export interface AgentProcessService {
  /** The strongest containment of this host. */
  readonly level: Level
  /** What `wanted` comes to on this host; none where a namespace is asked for and cannot be had. */
  readonly choose: (wanted: Containment) => Option.Option<Level>
  /** 128 random bits; the marker of an attempt is this, a hyphen, and what names the attempt. */
  readonly marker: string
  /** No grace any more, for any agent: whoever is being ended, or will be, is killed at once. */
  readonly hurry: Effect.Effect<void>
  /** The agent is ended when the scope closes, if not before. */
  readonly launch: (spec: LaunchSpec, observer: Observer) => Effect.Effect<RunningAgent, SpawnFailed, Scope.Scope>
}

export class AgentProcess extends Context.Tag("@contextfs/core/AgentProcess")<AgentProcess, AgentProcessService>() {}

export interface Options {
  /** An existing private folder for the lifeline. */
  readonly folder: string
  /** Where to look for the few system programs that are needed: the user's PATH. */
  readonly path: string
}

export const layer = (options: Options): Layer.Layer<AgentProcess, HostUnfit> =>
  Layer.scoped(AgentProcess, internal.make(options))

/** The strongest containment of this host and what it promises, in words; makes nothing. */
export const look = (path: string): Effect.Effect<{ readonly level: Level; readonly promise: string }, HostUnfit> =>
  Effect.map(containment.look(path), ({ level }) => ({ level, promise: containment.describe(level) }))
