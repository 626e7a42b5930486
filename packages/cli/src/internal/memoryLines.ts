/** Memories as people read them, one or many. */
import type { Memory } from "@contextfs/memory/Memory"
import { clean, cleanLines, firstLine } from "./clean.js"
import { moment } from "./format.js"
import { cut, type Style, table } from "./layout.js"

interface Options {
  readonly style: Style
  readonly columns: number
}

/** One line each: id, type, who, when, tags, what. */
export const memoryLines = (memories: ReadonlyArray<Memory>, { columns, style }: Options): string =>
  table(
    memories.map((memory) => [
      memory.id,
      memory.type,
      clean(memory.role ?? memory.sourceTool),
      moment(memory.createdAt),
      memory.tags.map((tag) => clean(tag)).join(","),
      `${memory.supersededBy === null ? "" : `(superseded by ${memory.supersededBy}) `}${firstLine(memory.summary ?? memory.content)}`
    ])
  )
    .map((row) => cut(row, columns))
    .map((row) => `${style.bold(row.slice(0, 12))}${row.slice(12)}\n`)
    .join("")

/** Everything about one memory. */
export const memoryText = (memory: Memory, { style }: Options): string => {
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
  return `${[style.bold(memory.id), ...table(rows), "", cleanLines(memory.content)].join("\n")}\n`
}
