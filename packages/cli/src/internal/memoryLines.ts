/** Memories as people read them, one or many. */
import type { Memory } from "@contextfs/memory/Memory"
import type { Session } from "../Session.js"
import { clean, cleanLines, firstLine } from "./clean.js"
import { ago, moment } from "./format.js"
import { type Cell, grid } from "./grid.js"
import { cut, style, table } from "./layout.js"

/** Below this a line has no room for what a memory says. */
const narrow = 120

interface Line {
  readonly memory: Memory
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly who: string
}

/** As its author first saved it. */
export const asSaved = (memory: Memory): Line => ({
  memory,
  at: memory.createdAt,
  who: memory.role ?? memory.sourceTool
})

/**
 * One line each: id, type, who, when, tags, what; where there is little room what it says has a line of its own. In a
 * terminal "when" is how long before `now`.
 */
export const memoryLines = (lines: ReadonlyArray<Line>, { stdout }: Session, now: number): string => {
  const { colour, columns } = stdout
  const { bold, dim, red } = style(colour)
  const facts = lines.map(
    ({ at, memory, who }): ReadonlyArray<Cell> => [
      { text: memory.id, paint: bold },
      { text: memory.type, paint: memory.type === "error" ? red : undefined },
      { text: clean(who) },
      { text: Number.isFinite(columns) ? ago(now - at) : moment(at), paint: dim },
      { text: memory.tags.map((tag) => clean(tag)).join(","), paint: dim }
    ]
  )
  const texts = lines.map(
    ({ memory: { content, summary, supersededBy } }) =>
      `${supersededBy === null ? "" : `(superseded by ${supersededBy}) `}${firstLine(summary ?? content)}`
  )
  const shown =
    columns >= narrow
      ? grid(
          facts.map((row, index) => [...row, { text: texts[index] ?? "" }]),
          columns
        )
      : grid(facts, columns).flatMap((row, index) => [row, `  ${cut(texts[index] ?? "", columns - 2)}`])
  return shown.map((line) => `${line}\n`).join("")
}

/** Everything about one memory. */
export const memoryText = (memory: Memory, { stdout }: Session): string => {
  const facts: ReadonlyArray<readonly [string, string | undefined]> = [
    ["type", memory.type],
    ["summary", memory.summary ?? undefined],
    ["tags", memory.tags.join(", ")],
    ["project", memory.project],
    [
      "by",
      [memory.role, memory.agentId, memory.sourceTool, memory.trust].filter((part) => part !== undefined).join(", ")
    ],
    ["run", memory.runId],
    ["job", memory.jobId],
    ["repo", [memory.repo, memory.branch, memory.commit?.slice(0, 12)].filter((part) => part !== undefined).join(" ")],
    ["files", memory.files.join(", ")],
    ["created", moment(memory.createdAt)],
    ["updated", memory.updatedAt === memory.createdAt ? undefined : moment(memory.updatedAt)],
    ["superseded", memory.supersededBy === null ? undefined : `by ${memory.supersededBy}`],
    ["data", memory.structuredData === null ? undefined : JSON.stringify(memory.structuredData)]
  ]
  const rows = facts.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[`  ${name}`, clean(value)]]
  )
  return `${[style(stdout.colour).bold(memory.id), ...table(rows), "", cleanLines(memory.content)].join("\n")}\n`
}
