#!/usr/bin/env node
/** CI script that runs test agents before deploying. */
import { JobStatus, runAgents } from "@contextfs/core"

const results = await runAgents(
  [
    { role: "test", directory: "./tests", task: "Run all tests and report failures" },
    { role: "review", directory: ".", task: "Check for security issues in recent changes" }
  ],
  { numWorkers: 2, timeout: 300 }
)

// Check results
const failed = results.filter((r) => r.status !== JobStatus.COMPLETED)
if (failed.length > 0) {
  console.log("CI Failed:")
  for (const r of failed) console.log(`  ${r.role}: ${r.error}`)
  process.exit(1)
}

console.log("CI Passed!")
