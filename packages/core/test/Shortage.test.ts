/** A start that the system refuses for want of something: held and tried again, at no attempt's cost, wherever it meets that. */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"
import { makeHome } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const program = fileURLToPath(new URL("./programs/starved.mjs", import.meta.url))

it.each([
  [0, /^cannot write .+: EMFILE/],
  [1, /^cannot prepare .+: EMFILE/],
  // Enough for the agent's files, and not for the shell that starts it.
  [4, /^spawn .*sh EMFILE/]
])("with %i file descriptors left", (left, held) => {
  const said = execFileSync(
    "prlimit",
    ["--nofile=256", process.execPath, program, home.dataDir, home.work, `${left}`],
    { env: home.env, encoding: "utf8" }
  )
  const { seen, ...ended } = JSON.parse(said)
  expect(ended).toEqual({ status: "completed", error: null, result: "done", attempts: 2, charged: 1 })
  expect(seen).toEqual([
    "runStarted",
    "jobStarted",
    expect.stringMatching(held),
    "jobStarted",
    "agentEvent",
    "jobEnded"
  ])
})
