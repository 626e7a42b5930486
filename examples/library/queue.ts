/** Everything a queue can do. Without `await using` (plain JavaScript on Node 20), close it in a `finally`. */
import { type Job, JobStatus, WorkerQueue } from "@contextfs/core"

const queue = await WorkerQueue.make({
  numWorkers: 3, // Concurrent workers
  project: "my-project", // ContextFS project for memory grouping
  tool: "claude", // CLI tool to use
  defaultTimeout: 120, // Default per-job timeout
  maxQueueSize: 10 // Backpressure (0 = unlimited)
})
try {
  // Submit jobs (returns job ID)
  const jobId = await queue.submit({
    role: "test",
    directory: "./tests",
    task: "Write unit tests",
    timeout: 60 // Override default timeout
  })
  const other = await queue.submit("docs", "./src", "Document it", { timeout: "5 minutes" })

  // Check job status
  const job: Job = queue.getJob(jobId)
  console.log(job.status === JobStatus.COMPLETED ? "already done" : `it is ${job.status}`)

  // Cancel a pending or a running job
  const cancelled = await queue.cancel(other)
  console.log(`Cancelled: ${cancelled}`)

  // Get queue stats
  console.log(`Pending: ${queue.pendingCount}`)
  console.log(`Running: ${queue.runningCount}`)

  // Wait for all jobs
  const results = await queue.join()
  console.log(`${results.length} results`)

  // Or stream results
  for await (const result of queue.results()) {
    console.log(result.role, result.status, result.reason)
  }
} finally {
  await queue.close()
}
