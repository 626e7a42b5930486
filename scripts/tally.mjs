/** Adds up the test reports of a run and ends with the line by which a run is counted. */
import { existsSync, readFileSync } from "node:fs"

let passed = 0
let failed = 0
let skipped = 0
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    console.log(`no report at ${file}: that part did not run to its end`)
    failed++
    continue
  }
  const report = JSON.parse(readFileSync(file, "utf8"))
  passed += report.numPassedTests
  failed += report.numFailedTests
  skipped += report.numPendingTests + report.numTodoTests
  for (const suite of report.testResults) {
    // A file that could not even be loaded holds no tests, and is a failure all the same.
    if (suite.status === "failed" && suite.assertionResults.length === 0) failed++
  }
}
if (passed === 0) failed++
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`)
process.exitCode = failed === 0 ? 0 : 1
