/** What a decoder makes of lines: no success that is not there, whatever stands in or between them. */
import assert from "node:assert/strict"
import type { ToolAdapter } from "@contextfs/core/ToolAdapter"
import type { AdapterRecording } from "../AdapterConformance.js"
import type { Check } from "../Check.js"
import { decode, eventsOf, isFinished, judge, linesOf, shown } from "./decode.js"
import { eventProblem } from "./eventShape.js"
import { oddLines } from "./fuzz.js"
import * as json from "./json.js"

/** No event of any program. */
const noise = [
  "",
  "warning: x",
  "{",
  "[]",
  "null",
  "3",
  '"result"',
  "{}",
  '{"type":7}',
  '{"type":null}',
  "\u0000\ufffd"
]
const countedNoise = noise.filter((line) => line.trim() !== "").length

const fuzzedLines = 1_000
/** A decoder remembers what it has read: one for each part shows what it does in more than one state. */
const linesPerDecoder = 50

export const decodingChecks = (
  adapter: ToolAdapter,
  recordings: ReadonlyArray<AdapterRecording>
): ReadonlyArray<Check> => [
  ...recordings.map((run) => ({
    name: `decoding: ${run.name}: events are of the documented shape`,
    run: () => {
      const { byLine, atEnd } = decode(adapter, linesOf(run.stdout), run)
      for (const events of [...byLine, atEnd]) assert.equal(eventProblem(events), undefined)
    }
  })),
  ...(adapter.output === "text" ? textChecks(adapter, recordings) : eventChecks(adapter, recordings)),
  {
    name: "decoding: two decoders share nothing",
    run: () => sharesNothing(adapter, recordings)
  },
  {
    name: `decoding: ${fuzzedLines} odd lines, huge and deep ones among them, make it neither throw nor break shape`,
    run: () => {
      const lines = oddLines(
        recordings.flatMap((run) => linesOf(run.stdout)),
        fuzzedLines
      )
      for (let from = 0; from < lines.length; from += linesPerDecoder) {
        const decoder = adapter.decoder()
        const part = lines.slice(from, from + linesPerDecoder)
        for (const line of part) {
          const events = guarded(() => decoder.line(line), `the line ${shown(line)}`)
          const problem = eventProblem(events)
          if (problem !== undefined)
            assert.fail(`the line ${shown(line)} becomes an event of another shape: ${problem}`)
        }
        const count = decoder.noise?.() ?? 0
        assert.ok(Number.isInteger(count) && count >= 0 && count <= part.length, `${count} of ${part.length} are noise`)
        const end = { exitCode: -1, stderr: part.join("\n") }
        assert.equal(eventProblem(guarded(() => decoder.end?.(end) ?? [], "the end of the output")), undefined)
      }
    }
  }
]

const guarded = <A>(body: () => A, what: string): A => {
  try {
    return body()
  } catch (cause) {
    return assert.fail(`${what} makes it throw ${cause instanceof Error ? `${cause.name}: ${cause.message}` : cause}`)
  }
}

const textChecks = (adapter: ToolAdapter, recordings: ReadonlyArray<AdapterRecording>): ReadonlyArray<Check> => [
  {
    name: "decoding: no line of plain text ends an attempt",
    run: () => {
      for (const run of [...recordings, { stdout: noise.join("\n"), code: 0 }]) {
        const events = decode(adapter, linesOf(run.stdout), run).byLine.flat()
        assert.deepEqual(events.filter(isFinished), [])
      }
    }
  }
]

const eventChecks = (adapter: ToolAdapter, recordings: ReadonlyArray<AdapterRecording>): ReadonlyArray<Check> => {
  const terminal = () => terminalLine(adapter, recordings)
  return [
    ...recordings.flatMap(
      (run): ReadonlyArray<Check> => [
        {
          name: `decoding: ${run.name}: cut at any byte of its last line it is no success`,
          run: () => cutAnywhere(adapter, run)
        },
        {
          name: `decoding: ${run.name}: lines of noise change nothing but their count`,
          run: () => {
            const lines = linesOf(run.stdout)
            const clean = decode(adapter, lines, run)
            const mixed = decode(adapter, [...lines.flatMap((line) => [...noise, line]), ...noise], run)
            assert.deepEqual(eventsOf(mixed), eventsOf(clean))
            assert.equal(mixed.noise - clean.noise, countedNoise * (lines.length + 1), "noise lines that were counted")
          }
        },
        {
          name: `decoding: ${run.name}: a terminal event inside its texts and tool outputs is none`,
          run: () => noLookAlike(adapter, run, terminal())
        }
      ]
    ),
    {
      name: "decoding: noise alone is no event, and a terminal event that is quoted, wrapped or prefixed is none",
      run: () => {
        const line = terminal()
        const quoted = [`$ ${line}`, JSON.stringify(line), `[${line}]`, `${line} x`, `{"output":${line}}`, `"${line}"`]
        for (const each of line === undefined ? noise : [...noise, ...quoted]) {
          const found = adapter.decoder().line(each).filter(isFinished)
          assert.deepEqual(found, [], `the line ${shown(each)} is taken for the end`)
        }
      }
    }
  ]
}

/** A line that says that all went well, else one that says that it is over. */
const terminalLine = (adapter: ToolAdapter, recordings: ReadonlyArray<AdapterRecording>): string | undefined => {
  const found = recordings.flatMap((run) => {
    const lines = linesOf(run.stdout)
    return decode(adapter, lines, run).byLine.flatMap((events, index) =>
      events.flatMap((event) => (event.kind === "finished" ? [{ ok: event.ok, line: lines[index] ?? "" }] : []))
    )
  })
  return (found.find(({ ok }) => ok) ?? found[0])?.line
}

const cutAnywhere = (adapter: ToolAdapter, run: AdapterRecording): void => {
  const lines = linesOf(run.stdout.trimEnd())
  const head = lines.slice(0, -1)
  const last = Buffer.from(lines.at(-1) ?? "")
  const end = { code: 0, stderr: run.stderr ?? "" }
  const before = judge(adapter, head, end).status
  for (let at = 1; at < last.length; at += 1) {
    const { rule, status } = judge(adapter, [...head, last.subarray(0, at).toString("utf8")], end)
    if (status === "completed" && before !== "completed") {
      assert.fail(`cut after ${at} of ${last.length} bytes of its last line, it is judged completed by rule ${rule}`)
    }
  }
}

/** Puts the terminal event into every string of every other line, as text and as an object. */
const noLookAlike = (adapter: ToolAdapter, run: AdapterRecording, terminal: string | undefined): void => {
  if (terminal === undefined) return
  const forged = json.parse(terminal)
  const lines = linesOf(run.stdout)
  const { byLine } = decode(adapter, lines, run)
  for (const [index, line] of lines.entries()) {
    const root = json.parse(line)
    if (root === undefined || byLine[index]?.some(isFinished)) continue
    const head = lines.slice(0, index)
    for (const { path, value } of json.places(root)) {
      if (typeof value !== "string") continue
      for (const other of [`${value}\n${terminal}\n`, terminal, forged]) {
        const decoder = adapter.decoder()
        for (const each of head) decoder.line(each)
        const changed = JSON.stringify(json.replaced(root, path, other))
        if (decoder.line(changed).some(isFinished)) {
          assert.fail(`line ${index + 1} is taken for the end when ${path.join(".")} holds a terminal event`)
        }
      }
    }
  }
}

const sharesNothing = (adapter: ToolAdapter, recordings: ReadonlyArray<AdapterRecording>): void => {
  const outputs = recordings.length === 0 ? [noise] : recordings.map((run) => linesOf(run.stdout))
  for (const [index, lines] of outputs.entries()) {
    const others = outputs[(index + 1) % outputs.length] ?? lines
    const alone = decode(adapter, lines, { code: 0 })
    const [one, two] = [adapter.decoder(), adapter.decoder()]
    const mixed = lines.map((line, at) => {
      two.line(others[at % others.length] ?? "")
      return one.line(line)
    })
    assert.deepEqual(mixed, alone.byLine, "another decoder's lines change what this one says")
    if (one.noise !== undefined) {
      const blank = adapter.decoder().noise?.()
      assert.equal(blank, 0, "a new decoder has counted noise already")
    }
    assert.deepEqual(
      decode(adapter, lines, { code: 0 }),
      alone,
      "a second decoder says something else about the same lines"
    )
  }
}
