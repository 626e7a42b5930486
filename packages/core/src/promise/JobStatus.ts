import type * as Job from "../Job.js"

/** The states of a job, to compare with: `JobStatus.COMPLETED === "completed"`. */
export const JobStatus = {
  PENDING: "pending",
  RUNNING: "running",
  COMPLETED: "completed",
  FAILED: "failed",
  CANCELLED: "cancelled",
  TIMEOUT: "timeout"
} as const satisfies { readonly [Status in Job.JobStatus as Uppercase<Status>]: Status }
export type JobStatus = Job.JobStatus
