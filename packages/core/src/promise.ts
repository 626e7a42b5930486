/** The Promise face: the one place in this package where effects are run. */
import { homedir } from "node:os"
import * as Namespace from "@contextfs/memory/Namespace"
import { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { DurationInput } from "./Duration.js"
import type { JobResult } from "./Job.js"
import * as Live from "./Live.js"
import { Orchestrator, type RunEvent } from "./Orchestrator.js"
import * as RunConfig from "./RunConfig.js"
import type { ToolAdapter } from "./ToolAdapter.js"
import { Workplace } from "./Workplace.js"

/** One agent as it stands in `agents.json`. */
export interface AgentInput {
  readonly role: string
  readonly directory: string
  readonly task: string
  readonly id?: string
  readonly tool?: string
  readonly model?: string
  /** Continue this session of the program: the `sessionId` of an earlier result. */
  readonly session?: string
  readonly timeout?: DurationInput
  readonly permission?: "read" | "edit" | "exec" | "full"
  readonly env?: Readonly<Record<string, string>>
  readonly retries?: number
}

/** A whole configuration, as it stands in a file; relative directories are relative to the process's. */
export interface RunInput {
  readonly agents: ReadonlyArray<AgentInput>
  readonly [setting: string]: unknown
}

export interface RunAgentsOptions {
  /** Concurrent agents; default 3. */
  readonly numWorkers?: number
  /** Per job; a number is seconds. Default: no limit. */
  readonly timeout?: DurationInput
  /** Default `CONTEXTFS_PROJECT`, then `default`. */
  readonly project?: string
  /** Default `claude`. */
  readonly tool?: string
  /** Default `CONTEXTFS_DATA_DIR`, then `~/.contextfs`. */
  readonly dataDir?: string
  /** The environment the agents' own is chosen from; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** More tool adapters. */
  readonly tools?: ReadonlyArray<ToolAdapter>
  /** Ends every agent when aborted; the promise is rejected then. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
  /** Cancel the others as soon as one agent does not complete; default false. */
  readonly failFast?: boolean
}

/** As a configuration has it: seconds or a text. */
const written = (timeout: DurationInput | undefined) =>
  timeout === undefined ? {} : { timeout: Duration.isDuration(timeout) ? Duration.toSeconds(timeout) : timeout }

/**
 * Runs the agents, or a whole configuration, concurrently with one shared memory; results in the order of the agents. A job that fails is a result,
 * not an error. Rejects with `ConfigError`, `AgentUnavailable` or `PolicyRefused` before anything has started, or with
 * `StorageError`.
 */
export const runAgents = async (
  agents: ReadonlyArray<AgentInput> | RunInput,
  options: RunAgentsOptions = {}
): Promise<ReadonlyArray<JobResult>> => {
  const env = options.env ?? process.env
  const { agents: list, ...settings } = "agents" in agents ? agents : { agents }
  const program = Effect.gen(function* () {
    const roles = yield* RoleRegistry
    const { tools } = yield* Workplace
    const orchestrator = yield* Orchestrator
    // An option wins over the environment, which wins over the configuration.
    const project = options.project ?? (env["CONTEXTFS_PROJECT"] || undefined)
    const config = yield* RunConfig.fromInput(
      {
        ...settings,
        agents: list.map((agent) => ({ ...agent, ...written(agent.timeout) })),
        ...(options.numWorkers === undefined ? {} : { workers: options.numWorkers }),
        ...(options.tool === undefined ? {} : { tool: options.tool }),
        ...written(options.timeout)
      },
      {
        roles: yield* roles.list,
        tools: [...tools.keys()],
        overrides: project === undefined ? {} : { project }
      }
    )
    const { failFast = false, onEvent } = options
    const result = yield* orchestrator.run(config, { failFast, ...(onEvent === undefined ? {} : { onEvent }) })
    return result.results
  })
  const layer = Live.layer({
    dataDir: options.dataDir ?? Namespace.dataDir(env, homedir()),
    env,
    directory: process.cwd(),
    ...(options.tools === undefined ? {} : { tools: options.tools })
  })
  const exit = await Effect.runPromiseExit(
    Effect.provide(program, layer),
    options.signal === undefined ? undefined : { signal: options.signal }
  )
  if (Exit.isSuccess(exit)) return exit.value
  options.signal?.throwIfAborted()
  throw Cause.squash(exit.cause)
}
