/**
 * What has to be known about an agent program in order to start it and to understand what it prints. An adapter is a
 * plain value of data and pure functions: it needs no service and no particular version of anything.
 */
import type { Permission } from "@contextfs/roles/Role"

/** One thing that an agent did, in words that are the same for every program. */
export type AgentEvent =
  | {
      readonly kind: "started"
      readonly sessionId?: string
      readonly model?: string
      readonly failedServers?: ReadonlyArray<string>
    }
  /** `delta`: a piece that continues the message before it. */
  | { readonly kind: "message"; readonly text: string; readonly delta?: boolean }
  /** `name` is neutral: `shell`, `read`, `write`, `edit`, `search`, `fetch`, or for MCP `server.tool`. */
  | { readonly kind: "toolCall"; readonly id: string; readonly name: string; readonly input?: unknown }
  | {
      readonly kind: "toolResult"
      readonly id: string
      readonly name?: string
      readonly ok: boolean
      /** The program refused the call for want of permission. */
      readonly denied?: boolean
      readonly message?: string
    }
  | { readonly kind: "usage"; readonly usage: Usage }
  /** The program meets a limit or an error of its provider and tries again by itself. */
  | { readonly kind: "limit"; readonly limit: Limit }
  /** The program says that it is done: the only event that ends an attempt. */
  | {
      readonly kind: "finished"
      readonly ok: boolean
      /** The answer, where the event carries it; else it is made of the messages. */
      readonly text?: string
      readonly error?: AgentFailure
      readonly denials?: ReadonlyArray<Denial>
    }

/** Tokens and money; what a program does not say is absent, never zero. A later `usage` event replaces an earlier one. */
export interface Usage {
  /** All input, cached or not. */
  readonly inputTokens?: number
  /** All output, reasoning included. */
  readonly outputTokens?: number
  /** The part of the input that came from a cache. */
  readonly cachedTokens?: number
  readonly costUsd?: number
  readonly turns?: number
}

export type FailureClass =
  | "auth"
  | "rate"
  | "quota"
  | "context"
  | "server"
  | "network"
  | "turns"
  | "permission"
  | "other"

export interface AgentFailure {
  readonly class: FailureClass
  readonly message: string
  /** HTTP status, where known. */
  readonly status?: number
  /** Milliseconds since the epoch, where a quota says when it ends. */
  readonly resetsAt?: number
}

export interface Limit extends AgentFailure {
  /** The program's own count of this retry, from 1. */
  readonly attempt?: number
  readonly retryInMs?: number
}

export interface Denial {
  readonly tool: string
  readonly message: string
}

/** Turns the lines of one attempt into events. Made anew for every attempt; the state is its own. */
export interface Decoder {
  /** One whole line of stdout, without its newline. Anything that is not an event yields nothing. */
  readonly line: (line: string) => ReadonlyArray<AgentEvent>
  /** Called once when the output is complete, with the last part of stderr and the exit code. */
  readonly end?: (end: { readonly exitCode: number; readonly stderr: string }) => ReadonlyArray<AgentEvent>
  /** How many lines so far were not events of this program; blank lines do not count. */
  readonly noise?: () => number
}

/** The shared memory as an MCP server for one attempt. */
export interface MemoryAttachment {
  /** Name of the server: `contextfs`. */
  readonly server: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  /**
   * Variables the server needs, the attempt's marker among them. They are in the agent's environment already; for
   * programs that give their servers a clean one, the adapter passes them on by name.
   */
  readonly env: Readonly<Record<string, string>>
}

export interface InvocationRequest {
  readonly prompt: string
  /** Absolute path in which the agent works. */
  readonly directory: string
  /** Private folder (0700) of this attempt; `files` are written here. */
  readonly folder: string
  readonly permission: Permission
  readonly model: string | undefined
  /** Continue this session of the program. */
  readonly resume: string | undefined
  readonly memory: MemoryAttachment | undefined
  /** The environment the user gave us; for decisions only, it is not what the agent gets. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** We run as root: `full` is refused then. */
  readonly root: boolean
}

export interface Invocation {
  /** Arguments after the program. Never the prompt, never a secret: argv is public. */
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** What the agent reads on stdin, from a file that ends by itself; default the prompt. */
  readonly stdin?: string
  /** Files to write (0600) into the attempt's folder before the start, by plain name. */
  readonly files?: Readonly<Record<string, string>>
  /** Views of the user's folders, below the attempt's folder while the attempt lasts. */
  readonly overlays?: ReadonlyArray<Overlay>
}

/**
 * A folder whose entries are links to those of a folder of the user's, but for some files that are made anew: for a program
 * that takes its configuration from one folder only. What it writes through the links is the user's; ours never gets there.
 */
export interface Overlay {
  /** Where it appears: a relative path below the attempt's folder. */
  readonly at: string
  /** The user's folder, absolute; it need not exist. */
  readonly of: string
  /** Link these entries only; default all. */
  readonly only?: ReadonlyArray<string>
  /** Made in the user's folder where they are missing and can be: what is kept there, such as sessions, outlasts the attempt. */
  readonly folders?: ReadonlyArray<string>
  /** By name: the text the agent sees instead of the user's (undefined: there is no such file). */
  readonly files?: Readonly<Record<string, (text: string | undefined) => string>>
}

/** The program cannot honour what was asked: it is refused before anything starts. */
export interface Refusal {
  readonly refused: string
}

export interface ToolAdapter {
  /** What `--tool` takes. */
  readonly name: string
  readonly description: string
  /** The program's name on PATH; `tools.NAME.command` replaces it. `null`: there is `command`, or only configuration. */
  readonly program: string | null
  /** What to start instead of `program`: a program of the adapter's own, absolute, with its first arguments. */
  readonly command?: ReadonlyArray<string>
  /** `events`: a terminal event decides; `text`: there is none, the exit code is all we have. */
  readonly output: "events" | "text"
  /** Some programs exit with an HTTP status modulo 256, so that a code above 128 is not a signal. */
  readonly exitAbove128: "signal" | "status"
  /** Names of variables of the user's that this program needs; a trailing `*` stands for any ending. */
  readonly passEnv: (env: Readonly<Record<string, string | undefined>>) => ReadonlyArray<string>
  readonly capabilities: {
    readonly permissions: ReadonlyArray<Permission>
    readonly memory: boolean
    readonly resume: boolean
    readonly model: boolean
    readonly cost: boolean
    /** What the program can do when it is told so by `tools.NAME.args` or its own settings; default false. */
    readonly turnLimit?: boolean
    readonly systemPrompt?: boolean
    readonly outputSchema?: boolean
  }
  readonly invocation: (request: InvocationRequest) => Invocation | Refusal
  readonly decoder: () => Decoder
}
