/** Which job was asked for by which, and what that means: it ends with that one, and works within its turn. */
import type { Job, JobId, JobSpec } from "../Job.js"
import type { Working } from "../WorkerQueue.js"
import { laneOf } from "./overlap.js"

export class Kin {
  private readonly children = new Map<string, ReadonlyArray<JobId>>()
  /** Jobs that have a lane, or were asked for from within one. */
  private readonly inLane = new Set<JobId>()

  constructor(private readonly options: Working) {}

  adopt({ jobId, spec }: Pick<Job, "jobId" | "spec">): void {
    const { parent } = spec
    if (parent !== null) this.children.set(parent, [...this.childrenOf(parent), jobId])
    if (laneOf(this.options, spec) !== null || (parent !== null && this.inLane.has(parent))) this.inLane.add(jobId)
  }

  /** Asked for for its sake. */
  childrenOf(jobId: string): ReadonlyArray<JobId> {
    return this.children.get(jobId) ?? []
  }

  /** None where who asked is in one and waits for it: it would never come in after that one, and works within its turn. */
  laneOf(spec: JobSpec): string | null {
    return spec.parent !== null && this.inLane.has(spec.parent) ? null : laneOf(this.options, spec)
  }
}
