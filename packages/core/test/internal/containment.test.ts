import { expect, it } from "vitest"
import { couldNotFork } from "../../src/internal/containment.js"

/** As the programs print it where RLIMIT_NPROC is reached. */
it.each([
  ["unshare: fork failed: Resource temporarily unavailable\n", 1],
  ["init: 1: Cannot fork\n", 2],
  ["init: fork: retry: Resource temporarily unavailable\ninit: fork: Resource temporarily unavailable\n", 254]
])("%j with exit code %i is no word of the agent, which never began", (stderr, exitCode) => {
  expect(couldNotFork(exitCode, stderr)).toBe(true)
  expect(couldNotFork(0, stderr)).toBe(false)
  expect(couldNotFork(exitCode, `${stderr}then the agent spoke\n`)).toBe(false)
})

it("what an agent says of a fork of its own is the agent's", () => {
  expect(couldNotFork(2, "./agent.sh: 0: Cannot fork\n")).toBe(false)
  expect(couldNotFork(1, "fatal: the init: fork of this repository is gone\n")).toBe(false)
})
