/** What a run came to: a table, then everything about each agent that deserves a look. */
import * as path from "node:path"
import type { JobResult } from "@contextfs/core/Job"
import type { RunResult } from "@contextfs/core/Orchestrator"
import { clean, firstLine } from "./clean.js"
import { amount, dollars, moment, plural, seconds, unknown } from "./format.js"
import { cut, type Style, table } from "./layout.js"
import { resumeCommand } from "./runState.js"

type Colour = (text: string) => string

export const statusColour = (style: Style, { status, denials, warnings }: JobResult): Colour => {
  if (status === "completed") return denials.length + warnings.length === 0 ? style.green : style.yellow
  return status === "cancelled" ? style.yellow : style.red
}

/** Tokens in and out together; unknown where the program told neither. */
export const tokens = (usage: JobResult["usage"]): number | undefined =>
  usage?.inputTokens === undefined && usage?.outputTokens === undefined
    ? undefined
    : (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)

/** How far the agent did what its role asks of its memory; what it did not do is told below the table. */
const memoryOf = ({ memory }: JobResult): string => {
  if (memory === null) return unknown
  const { asked, done, saved, searches } = memory
  const how =
    asked.length === 0 ? plural(searches, "search", "searches") : `${done.length} of ${plural(asked.length, "step")}`
  return `${how}, ${saved.length} saved`
}

/** A word that a shell takes as it is. */
export const shellWord = (word: string): string =>
  /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

export const summary = (run: RunResult, style: Style, columns: number): string => {
  const head = ["AGENT", "STATUS", "TIME", "TOKENS", "COST", "MEMORY", "RESULT"]
  const rows = run.results.map((result) => [
    clean(result.agentId),
    result.status,
    seconds(result.duration),
    amount(tokens(result.usage)),
    dollars(result.usage?.costUsd),
    memoryOf(result),
    firstLine(result.reason === null ? (result.result ?? "") : `${result.reason}: ${result.error ?? ""}`)
  ])
  const all = [...rows, ...run.pending.map(({ agentId }) => [clean(agentId), "pending"])]
  // A column of which nothing is known takes the room of what is.
  const known = head.map((_, column) => all.some((row) => (row[column] ?? unknown) !== unknown))
  const [title = "", ...lines] = table([head, ...all].map((row) => row.filter((_, column) => known[column]))).map(
    (line) => cut(line, columns)
  )
  const total = run.results.length + run.pending.length
  const facts = [
    `${run.results.filter(({ status }) => status === "completed").length} of ${total} completed`,
    ...(run.pending.length === 0 ? [] : [`${run.pending.length} pending`]),
    seconds(run.duration)
  ]
  const folder = run.results.find(({ evidence }) => evidence !== null)?.evidence?.folder
  const colour = run.status === "completed" ? style.green : run.status === "failed" ? style.red : style.yellow
  return `${[
    "",
    style.dim(title),
    ...lines.map((line, index) => {
      const result = run.results[index]
      return result === undefined ? style.dim(line) : statusColour(style, result)(line)
    }),
    ...run.results.flatMap((result) => details(result, style)),
    ...sharedLines(run, style),
    "",
    `run ${style.bold(run.runId)} ${colour(run.status)} · ${facts.join(" · ")}`,
    ...(folder === undefined ? [] : [`logs   ${clean(path.dirname(path.dirname(folder)))}`]),
    ...goingOn(run),
    `saved  contextfs orchestrator findings --project ${shellWord(clean(run.project))}`
  ].join("\n")}\n`
}

const mostShared = 10

/** Files that more than one agent may have written. */
const sharedLines = ({ shared }: RunResult, style: Style): ReadonlyArray<string> => {
  if (shared.length === 0) return []
  const rows = shared
    .slice(0, mostShared)
    .map(({ agents, file }) => [`  ${clean(file)}`, agents.map((id) => clean(id)).join(", ")])
  const left = shared.length - rows.length
  return [
    "",
    style.yellow("changed while more than one agent was at work in its folder"),
    ...table(rows),
    ...(left > 0 ? [`  and ${left} more`] : [])
  ]
}

/** What has not come to its end, and how it does. */
const goingOn = ({ parked, runId, shortage, status, timedOut }: RunResult): ReadonlyArray<string> => {
  if (status !== "interrupted") return []
  return [
    ...(timedOut ? ["ended  its time was up"] : []),
    ...parked.map(({ tool, until }) => `waits  ${clean(tool)} until ${moment(until)} UTC for its usage limit`),
    ...(shortage === null ? [] : [`waits  for room on this machine: ${clean(shortage)}`]),
    `resume ${resumeCommand(runId)}`
  ]
}

/** Nothing where nothing deserves a look. */
const details = (result: JobResult, style: Style): ReadonlyArray<string> => {
  const rows = [
    ...(result.error === null ? [] : [["error", result.error]]),
    ...result.denials.map(({ message, tool }) => ["denied", `${tool}: ${message}`]),
    ...result.warnings.map((warning) => ["warning", warning]),
    // Of an agent that failed nobody expects the rest.
    ...(result.status === "completed" ? (result.memory?.ignored ?? []) : []).map((step) => ["did not", step]),
    ...(result.error === null || result.evidence === null ? [] : [["logs", result.evidence.folder]])
  ].map(([label = "", text = ""]) => [`  ${label}`, clean(text)])
  if (rows.length === 0) return []
  const title = `${clean(result.agentId)} ${result.status}${result.reason === null ? "" : ` (${result.reason})`}`
  return ["", statusColour(style, result)(title), ...table(rows)]
}
