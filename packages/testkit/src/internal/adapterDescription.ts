/** What an adapter says about itself. */
import assert from "node:assert/strict"
import type { InvocationRequest, ToolAdapter } from "@contextfs/core/ToolAdapter"
import type { AdapterRecording } from "../AdapterConformance.js"
import type { Check } from "../Check.js"
import { decode, eventsOf, linesOf } from "./decode.js"

export const permissions: ReadonlyArray<InvocationRequest["permission"]> = ["read", "edit", "exec", "full"]

export const descriptionChecks = (
  adapter: ToolAdapter,
  recordings: ReadonlyArray<AdapterRecording>
): ReadonlyArray<Check> => {
  const completed = recordings.filter(({ expected }) => expected === "completed")
  const events = () => completed.map((run) => eventsOf(decode(adapter, linesOf(run.stdout), run)))
  return [
    {
      name: "description: name, output, exit codes and permissions are of the documented kind",
      run: () => {
        assert.match(adapter.name, /^[a-z][a-z0-9-]*$/, "name: lower-case letters, digits, hyphens")
        assert.match(adapter.description, /^[^\r\n]+$/, "description: one line")
        assert.ok(["events", "text"].includes(adapter.output), `output is ${adapter.output}`)
        assert.ok(["signal", "status"].includes(adapter.exitAbove128), `exitAbove128 is ${adapter.exitAbove128}`)
        const own = adapter.capabilities.permissions
        assert.ok(own.length > 0, "capabilities.permissions is empty: the adapter could never be used")
        assert.deepEqual(
          own.filter((level, index) => !permissions.includes(level) || own.indexOf(level) !== index),
          [],
          "capabilities.permissions has unknown or repeated levels"
        )
        if (adapter.command !== undefined) {
          assert.match(adapter.command[0] ?? "", /^(?:\/|[A-Za-z]:[\\/])/, "command: starts with an absolute path")
        }
      }
    },
    {
      name: "description: passEnv names variables, never everything, and only by what it is given",
      run: () => {
        for (const env of [{}, { HOME: "/home/someone", PATH: "/bin", SOME_USE_FLAG: "1" }]) {
          const names = adapter.passEnv(Object.freeze(env))
          for (const name of names) {
            assert.match(name, /^[A-Za-z_][A-Za-z0-9_]{2,}\*?$/, `passEnv gives ${name}: a name, or a prefix and *`)
          }
          assert.deepEqual(adapter.passEnv(env), names, "passEnv gives another answer for the same environment")
        }
      }
    },
    ...(adapter.output === "text"
      ? []
      : [
          {
            name: "description: recordings of a completed and of a failed run are given",
            run: () => {
              assert.ok(completed.length > 0, "no recording is expected to be completed")
              assert.ok(completed.length < recordings.length, "no recording is expected to fail")
            }
          },
          {
            name: "description: cost and session are reported as the capabilities say",
            run: () => {
              const costs = events().map((run) =>
                run.some((event) => event.kind === "usage" && event.usage.costUsd !== undefined)
              )
              if (adapter.capabilities.cost) assert.ok(costs.includes(true), "no completed recording has a cost")
              else assert.ok(!costs.includes(true), "a cost is reported that the program does not give")
              if (!adapter.capabilities.resume) return
              const sessions = events().map((run) =>
                run.some((event) => event.kind === "started" && event.sessionId !== undefined)
              )
              assert.ok(!sessions.includes(false), "a completed recording has no session id to resume with")
            }
          }
        ])
  ]
}
