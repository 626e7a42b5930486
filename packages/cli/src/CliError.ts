/** What can go wrong on the command line: one table from an error to its class and the exit code of the process. */
import type {
  AgentUnavailable,
  HostUnfit,
  NotFound as JobNotFound,
  Overlapping,
  PolicyRefused,
  RunOwned,
  Undecided
} from "@contextfs/core/OrchestratorError"
import type { ConfigError, ConfigNotFound } from "@contextfs/core/RunConfig"
import type { ServerError, ToolError } from "@contextfs/mcp/McpError"
import type {
  AmbiguousId,
  InvalidMemory,
  MemoryConflict,
  MemoryNotFound,
  StorageError
} from "@contextfs/memory/MemoryError"
import type { RoleFileError } from "@contextfs/roles/RoleError"
import * as Data from "effect/Data"

/** The words given are not a command line of ours. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly message: string
  /** The command it is about. */
  readonly where: string
  readonly hint: string
}> {}

/** Something of the given name is not there. */
export class NotFound extends Data.TaggedError("NotFound")<{
  readonly message: string
  readonly hint: string
}> {}

/** Something is in the way and is left alone. */
export class Conflict extends Data.TaggedError("Conflict")<{
  readonly message: string
  readonly hint: string
}> {}

/** A file could not be read or written. */
export class FileError extends Data.TaggedError("FileError")<{
  readonly message: string
  readonly hint: string
}> {}

/** The process that should work on a run in the background did not take it up; the run is stored. */
export class Supervisor extends Data.TaggedError("Supervisor")<{
  readonly message: string
  readonly runId: string
}> {}

export type Failure =
  | Supervisor
  | UsageError
  | NotFound
  | JobNotFound
  | Overlapping
  | RunOwned
  | Undecided
  | Conflict
  | FileError
  | ConfigError
  | ConfigNotFound
  | RoleFileError
  | AgentUnavailable
  | PolicyRefused
  | HostUnfit
  | ServerError
  | ToolError
  | StorageError
  | MemoryNotFound
  | AmbiguousId
  | InvalidMemory
  | MemoryConflict

export const exitCodes = {
  completed: 0,
  failed: 1,
  usage: 2,
  config: 3,
  notFound: 4,
  storage: 5,
  unavailable: 6,
  waiting: 7,
  runTimeout: 8,
  refused: 9,
  conflict: 10,
  internal: 70
} as const

/** Ended by a signal: 128 and its number. */
export const signalCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export const table: Readonly<Record<Failure["_tag"], { readonly class: string; readonly code: number }>> = {
  UsageError: { class: "UsageError", code: exitCodes.usage },
  InvalidMemory: { class: "UsageError", code: exitCodes.usage },
  ConfigError: { class: "ConfigError", code: exitCodes.config },
  RoleFileError: { class: "ConfigError", code: exitCodes.config },
  ConfigNotFound: { class: "NotFound", code: exitCodes.notFound },
  NotFound: { class: "NotFound", code: exitCodes.notFound },
  MemoryNotFound: { class: "NotFound", code: exitCodes.notFound },
  AmbiguousId: { class: "NotFound", code: exitCodes.notFound },
  StorageError: { class: "StorageError", code: exitCodes.storage },
  FileError: { class: "StorageError", code: exitCodes.storage },
  ServerError: { class: "StorageError", code: exitCodes.storage },
  ToolError: { class: "ToolError", code: exitCodes.failed },
  AgentUnavailable: { class: "AgentUnavailable", code: exitCodes.unavailable },
  HostUnfit: { class: "AgentUnavailable", code: exitCodes.unavailable },
  PolicyRefused: { class: "PolicyRefused", code: exitCodes.refused },
  Conflict: { class: "Conflict", code: exitCodes.conflict },
  Overlapping: { class: "Conflict", code: exitCodes.conflict },
  RunOwned: { class: "Conflict", code: exitCodes.conflict },
  Supervisor: { class: "Supervisor", code: exitCodes.failed },
  Undecided: { class: "Undecided", code: exitCodes.usage },
  MemoryConflict: { class: "Conflict", code: exitCodes.conflict }
}

/** An error in the shape in which it is shown, before any cleaning. */
export interface Report {
  readonly class: string
  readonly code: number
  readonly message: string
  readonly where?: string
  readonly hint?: string
  readonly issues?: ConfigError["issues"] | RoleFileError["issues"]
  readonly file?: string
  /** What there is all the same, for programs. */
  readonly result?: unknown
}

/** What is known of an error, in the order in which it is told: what, where, what to do. */
export const report = (failure: Failure): Report => {
  const { class: name, code } = table[failure._tag]
  switch (failure._tag) {
    case "ConfigError":
      return {
        class: name,
        code,
        message: failure.message,
        issues: failure.issues,
        ...(failure.file === null ? {} : { file: failure.file })
      }
    case "RoleFileError": {
      const files = new Set(failure.issues.map(({ file }) => file))
      const file = files.size === 1 ? failure.issues[0].file : "role files"
      return { class: name, code, message: failure.message, issues: failure.issues, file }
    }
    case "ConfigNotFound":
      return {
        class: name,
        code,
        message: failure.message.replace(/^E[A-Z]+: /, ""),
        where: failure.file,
        hint: "check the path; contextfs orchestrator init-config writes a first file"
      }
    case "UsageError":
      return { class: name, code, message: failure.message, where: failure.where, hint: failure.hint }
    case "MemoryNotFound":
      return {
        class: name,
        code,
        message: failure.message,
        hint: "see contextfs memory list; ids belong to one project"
      }
    case "NotFound":
      return {
        class: name,
        code,
        message: failure.message,
        hint: "hint" in failure ? failure.hint : "contextfs orchestrator status lists the runs and jobs there are"
      }
    case "Overlapping":
      return {
        class: name,
        code,
        message: failure.message,
        hint: "give them folders of their own, or --overlap serialize"
      }
    case "Supervisor":
      return {
        class: name,
        code,
        message: failure.message,
        hint: `nothing is lost: contextfs orchestrator resume ${failure.runId}`
      }
    case "RunOwned":
      return {
        class: name,
        code,
        message: failure.message,
        hint: `follow it with contextfs orchestrator monitor, or end it: contextfs orchestrator cancel ${failure.runId}`
      }
    case "Undecided":
      return {
        class: name,
        code,
        message: failure.message,
        hint: [
          ...(failure.jobs.length === 0
            ? []
            : [`resume again with ${failure.jobs.map((job) => `--decide ${job}=rerun`).join(" ")} (or =skip)`]),
          ...(failure.contradicted.length === 0 ? [] : ["say one of them"]),
          ...(failure.settled.length === 0 ? [] : ["leave the --decide for what is known out"])
        ].join(", and ")
      }
    case "AmbiguousId":
      return {
        class: name,
        code,
        message: failure.message,
        hint:
          failure.candidates.length === 0
            ? "contextfs memory list shows the ids whole"
            : "give more characters of the id"
      }
    case "InvalidMemory":
      return { class: name, code, message: failure.message, hint: "nothing was saved" }
    case "MemoryConflict":
    case "HostUnfit":
    case "ToolError":
      return { class: name, code, message: failure.message }
    default: {
      const hint = "hint" in failure ? failure.hint : undefined
      return { class: name, code, message: failure.message, ...(hint === undefined ? {} : { hint }) }
    }
  }
}

/** A bug of ours: everything that is no expected error. */
export const internalReport = (defect: unknown): Report => ({
  class: "InternalError",
  code: exitCodes.internal,
  message: defect instanceof Error ? defect.message : `${defect}`,
  hint: "this is a bug of ContextFS: run again with --debug and report what it prints"
})
