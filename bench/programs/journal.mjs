/** What both sides of a benchmark do: the configuration of the no-op jobs, and what the journal is told of them. */
import path from "node:path"
import * as RunConfig from "@contextfs/core/RunConfig"
import { command } from "@contextfs/core/tools/command"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"

/** A program that says one word and ends. */
export const noop = { ...command("noop"), command: ["/bin/echo", "done"] }

const task = "Do nothing, and say so. The words of this task only give it the length that a short task has.\n".repeat(5)

export const config = ({ jobs, workers, containment, memory, directory, tool }) =>
  Effect.gen(function* () {
    const roles = yield* (yield* RoleRegistry.RoleRegistry).list
    return yield* RunConfig.fromInput(
      {
        tool,
        workers,
        containment,
        agents: Array.from({ length: jobs }, () => ({ role: "code", directory, task }))
      },
      { roles, tools: ["noop", "silent"], overrides: { memory } }
    )
  }).pipe(Effect.provide(RoleRegistry.layer))

/** A process as the journal knows it. */
export const owner = { pid: 12345, startTime: "123456789", bootId: "7a0b2a4e-0000-4000-8000-000000000000" }

export const openedRun = (runId, level) => ({
  runId,
  project: "default",
  owner,
  settings: {},
  marker: "0".repeat(32),
  runtimeDir: "/tmp/contextfs-recorded",
  containment: level
})

/** The result of a no-op job, as long as a real one is. */
export const resultOf = (runId, jobId, { agentId, role, tool, directory }, level) => ({
  jobId,
  runId,
  agentId,
  role,
  tool,
  directory,
  status: "completed",
  reason: null,
  result: "done",
  error: null,
  warnings: [],
  duration: 0.0123,
  attempts: 1,
  usage: null,
  sessionId: null,
  filesChanged: null,
  denials: [],
  memory: null,
  evidence: {
    rule: "exit 0 with text",
    exitCode: 0,
    sent: null,
    ended: "self",
    lastEvent: "message",
    stdoutBytes: 5,
    stderrBytes: 0,
    noise: 0,
    toolCalls: 0,
    survivors: 0,
    containment: level,
    folder: path.join(directory, "data", "runs", runId, jobId, "1")
  }
})
