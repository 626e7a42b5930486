/** A queue for more control: submit jobs, and see each result as soon as it is there. */
import { WorkerQueue } from "@contextfs/core"

await using queue = await WorkerQueue.make({ numWorkers: 3, project: "my-feature" })

// Submit jobs
await queue.submit("test", "./tests", "Write tests")
await queue.submit("code", "./src", "Implement feature")

// Stream results as they complete; what is submitted meanwhile comes too
let reviewed = false
for await (const result of queue.results()) {
  console.log(`Done: ${result.role} in ${result.duration.toFixed(1)}s`)
  if (result.role === "code" && !reviewed) {
    reviewed = true
    await queue.submit("review", ".", "Review what was implemented")
  }
}

// Or wait for all, in the order in which they were submitted
const results = await queue.join()
console.log(results.map(({ role, status }) => `${role} ${status}`).join(", "))
