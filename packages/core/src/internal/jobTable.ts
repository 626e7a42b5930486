/** The jobs of one queue as its events tell of them, to be asked at once. */
import type { Job as StoredJob } from "../Job.js"
import type { RunEvent } from "../Orchestrator.js"
import { NotFound } from "../OrchestratorError.js"

/** What is known of a job without asking the journal. */
export type Job = Pick<StoredJob, "jobId" | "runId" | "spec" | "status" | "attempts" | "result">
type State = Pick<Job, "status" | "attempts" | "result">

export interface JobTable {
  readonly see: (event: RunEvent) => void
  /** Its events may have come before. */
  readonly add: (job: Omit<Job, keyof State>) => void
  /** Throws `NotFound`. */
  readonly get: (jobId: string) => Job
}

export const make = (): JobTable => {
  const jobs = new Map<string, Omit<Job, keyof State>>()
  const states = new Map<string, State>()
  const stateOf = (jobId: string): State => states.get(jobId) ?? { status: "pending", attempts: 0, result: null }
  return {
    see: (event) => {
      switch (event.kind) {
        case "jobStarted":
          states.set(event.jobId, { status: "running", attempts: event.attempt, result: null })
          break
        case "jobRetrying":
          states.set(event.jobId, { ...stateOf(event.jobId), status: "pending" })
          break
        case "jobEnded": {
          const { result } = event
          states.set(result.jobId, { status: result.status, attempts: result.attempts, result })
          break
        }
      }
    },
    add: (job) => {
      jobs.set(job.jobId, job)
    },
    get: (id) => {
      const job = jobs.get(id)
      if (job === undefined) throw new NotFound({ what: "job", id })
      return { ...job, ...stateOf(id) }
    }
  }
}
