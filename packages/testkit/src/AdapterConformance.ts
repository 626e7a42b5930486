/**
 * What every tool adapter promises, as checks for any test runner. An adapter that passes can be trusted with the verdict
 * over an agent's work: it invents no success, keeps prompts and secrets out of argv, and widens no permission.
 *
 *     for (const check of adapterConformance(adapter, { recordings })) test(check.name, check.run)
 */
import type { JobReason } from "@contextfs/core/Job"
import type { ToolAdapter } from "@contextfs/core/ToolAdapter"
import type { Check } from "./Check.js"
import { decodingChecks } from "./internal/adapterDecoding.js"
import { descriptionChecks } from "./internal/adapterDescription.js"
import { invocationChecks } from "./internal/adapterInvocation.js"
import { verdictChecks } from "./internal/adapterVerdict.js"

export type { Check } from "./Check.js"

/** What the real program printed in one run, and how it ended. Recordings of 10 to 100 lines do best. */
export interface AdapterRecording {
  /** Names the recording in the checks. */
  readonly name: string
  readonly stdout: string
  /** Default empty. */
  readonly stderr?: string
  /** Exit code; null where a signal ended it. */
  readonly code: number | null
  /** Such as `SIGTERM`; default null. */
  readonly signal?: string | null
  /** What the attempt came to: `completed`, the reason it failed with, or `failed` for any reason. */
  readonly expected: "completed" | "failed" | JobReason
}

export interface AdapterConformanceOptions {
  /**
   * An adapter with `output: "events"` needs at least a completed run and a failed one, else the check `recordings` fails:
   * most checks are made from them. Default none.
   */
  readonly recordings?: ReadonlyArray<AdapterRecording>
  /**
   * The program itself changes nothing and runs nothing, so that all permissions mean the same to it. Default false:
   * each permission must start it in another way.
   */
  readonly harmless?: boolean
}

/** The checks, in order; none needs the program, the network or a file. */
export const adapterConformance = (
  adapter: ToolAdapter,
  options: AdapterConformanceOptions = {}
): ReadonlyArray<Check> => {
  const recordings = options.recordings ?? []
  return [
    ...descriptionChecks(adapter, recordings),
    ...decodingChecks(adapter, recordings),
    ...verdictChecks(adapter, recordings),
    ...invocationChecks(adapter, options.harmless ?? false)
  ]
}
