/** Memories as people read them, one or many. */
import type { Memory } from "@contextfs/memory/Memory"
import type { Session } from "../Session.js"
import { clean, cleanLines, firstLine } from "./clean.js"
import { moment } from "./format.js"
import { cut, style, table } from "./layout.js"

/** Below this a line has no room for what a memory says. */
const narrow = 120

/** One line each: id, type, who, when, tags, what; where there is little room what it says has a line of its own. */
export const memoryLines = (memories: ReadonlyArray<Memory>, { stdout }: Session): string => {
  const { columns } = stdout
  const facts = memories.map((memory) => [
    memory.id,
    memory.type,
    clean(memory.role ?? memory.sourceTool),
    moment(memory.createdAt),
    memory.tags.map((tag) => clean(tag)).join(",")
  ])
  const texts = memories.map(
    ({ content, summary, supersededBy }) =>
      `${supersededBy === null ? "" : `(superseded by ${supersededBy}) `}${firstLine(summary ?? content)}`
  )
  const bold = (row: string): string => `${style(stdout.colour).bold(row.slice(0, 12))}${row.slice(12)}\n`
  if (columns >= narrow) {
    return table(facts.map((row, index) => [...row, texts[index] ?? ""]))
      .map((row) => bold(cut(row, columns)))
      .join("")
  }
  return table(facts)
    .map((row, index) => `${bold(cut(row, columns))}  ${cut(texts[index] ?? "", columns - 2)}\n`)
    .join("")
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
