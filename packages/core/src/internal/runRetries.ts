/** Further attempts of all jobs of a run together. */
import type { Job } from "../Job.js"

export interface RunRetries {
  /** Uses one up; false where none is left. */
  readonly take: () => boolean
}

/** The first attempt is none; one that waits for its next attempt has been granted that. */
const used = ({ charged, status }: Pick<Job, "charged" | "status">): number =>
  status === "pending" ? charged : Math.max(0, charged - 1)

/** `most`: null is "no limit". `jobs`: all that the run has so far. */
export const make = (most: number | null, jobs: ReadonlyArray<Pick<Job, "charged" | "status">>): RunRetries => {
  let left = most === null ? Number.POSITIVE_INFINITY : most - jobs.reduce((sum, job) => sum + used(job), 0)
  return { take: () => left-- > 0 }
}
