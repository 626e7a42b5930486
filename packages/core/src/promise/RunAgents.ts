import * as Effect from "effect/Effect"
import type { DurationInput } from "../Duration.js"
import * as promise from "../internal/promise.js"
import type { JobResult } from "../Job.js"
import { Orchestrator } from "../Orchestrator.js"
import * as RunConfig from "../RunConfig.js"
import type { AgentInput, Surroundings } from "./Surroundings.js"

/** A whole configuration, as it stands in a file; relative directories are relative to the process's. */
export interface RunInput {
  readonly agents: ReadonlyArray<AgentInput>
  readonly [setting: string]: unknown
}

export interface RunAgentsOptions extends Surroundings {
  /** Concurrent agents; default 3. */
  readonly numWorkers?: number
  /** Per job; a number is seconds. Default: no limit. */
  readonly timeout?: DurationInput
}

/**
 * Runs the agents, or a whole configuration, concurrently with one shared memory; results in the order of the agents. A
 * job that fails is a result, not an error. Rejects with `ConfigError`, `AgentUnavailable` or `PolicyRefused` before
 * anything has started, or with `StorageError`.
 */
export const runAgents = async (
  agents: ReadonlyArray<AgentInput> | RunInput,
  options: RunAgentsOptions = {}
): Promise<ReadonlyArray<JobResult>> => {
  const { agents: list, ...settings } = "agents" in agents ? agents : { agents }
  const given = promise.settings(options, { workers: options.numWorkers, timeout: options.timeout })
  return promise.run(
    Effect.gen(function* () {
      const config = yield* RunConfig.fromInput(
        { ...settings, ...given, agents: Array.isArray(list) ? list.map(promise.written) : list },
        yield* promise.known(options)
      ).pipe(Effect.mapError(promise.renamed(options.numWorkers === undefined ? {} : { workers: "numWorkers" })))
      const { results } = yield* Effect.flatMap(Orchestrator, (orchestrator) =>
        orchestrator.run(config, { failFast: options.failFast ?? false, ...promise.listener(options) })
      ).pipe(Effect.provide(promise.layer(options, config)))
      return results
    }),
    options.signal
  )
}
