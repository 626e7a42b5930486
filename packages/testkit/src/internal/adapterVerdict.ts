/** What an attempt is judged to be, from what the adapter makes of its output. */
import assert from "node:assert/strict"
import type { ToolAdapter } from "@contextfs/core/ToolAdapter"
import type { AdapterRecording } from "../AdapterConformance.js"
import type { Check } from "../Check.js"
import { decode, type End, isFinished, judge, linesOf } from "./decode.js"

const endings: ReadonlyArray<End> = [
  { code: 0 },
  { code: 1 },
  { code: 143 },
  { code: null, signal: "SIGTERM" },
  { code: null, signal: "SIGKILL" }
]

const ending = ({ code, signal }: End): string => (code === null ? `ended by ${signal}` : `exit code ${code}`)

export const verdictChecks = (
  adapter: ToolAdapter,
  recordings: ReadonlyArray<AdapterRecording>
): ReadonlyArray<Check> => [
  ...recordings.map((run) => ({
    name: `verdict: ${run.name}: ${run.expected}`,
    run: () => {
      const verdict = judge(adapter, linesOf(run.stdout), run)
      const said = verdict.reason ?? verdict.status
      if (run.expected === "completed") {
        assert.equal(said, "completed", `judged ${said} (${verdict.error})`)
        return
      }
      assert.notEqual(verdict.status, "completed", `judged completed by rule ${verdict.rule}, expected ${run.expected}`)
      assert.ok(verdict.reason !== null && verdict.error !== null, "failed without a reason and an error")
      if (run.expected !== "failed") assert.equal(said, run.expected, `judged ${said} (${verdict.error})`)
    }
  })),
  ...(adapter.output === "text"
    ? []
    : recordings
        .filter(({ expected }) => expected === "completed")
        .map((run) => ({
          name: `verdict: ${run.name}: without its terminal event it is not completed, whatever the exit`,
          run: () => {
            const lines = linesOf(run.stdout)
            const { byLine } = decode(adapter, lines, run)
            // Where the end of the program is what ends the run, its last event is what has to be there.
            const last = lines.findLastIndex((_, index) => (byLine[index] ?? []).length > 0)
            const none = !byLine.some((events) => events.some(isFinished))
            const rest = lines.filter((_, index) => !byLine[index]?.some(isFinished) && !(none && index === last))
            assert.notEqual(rest.length, lines.length, "no line of this completed run is an event")
            for (const end of endings) {
              const { rule, status } = judge(adapter, rest, { ...end, stderr: run.stderr ?? "" })
              assert.notEqual(status, "completed", `${ending(end)} is judged completed by rule ${rule}`)
            }
          }
        }))),
  ...(adapter.output === "events"
    ? [
        {
          name: "verdict: a program that prints nothing is not completed, whatever the exit",
          run: () => {
            for (const end of endings) assert.notEqual(judge(adapter, [], end).status, "completed", ending(end))
          }
        }
      ]
    : [])
]
