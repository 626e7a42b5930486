/** An error as it is shown: one line for people, one document for programs. */
import type { Report } from "../CliError.js"
import { clean, json } from "./clean.js"
import { plural } from "./format.js"
import type { Style } from "./layout.js"

/** `error[Class]: what – where – what to do`; of a configuration, every problem on a line of its own. */
export const errorText = (report: Report, style: Style): string => {
  const head = style.red(`error[${report.class}]:`)
  const { file, issues } = report
  if (issues !== undefined && issues.length > 1) {
    const lines = report.message.split("\n").map((issue) => `  ${clean(issue)}\n`)
    return `${head} ${plural(issues.length, "problem")} – ${clean(file ?? "configuration")} – nothing was started\n${lines.join("")}`
  }
  const [issue] = issues ?? []
  const told =
    issue === undefined
      ? [report.message, report.where, report.hint]
      : [issue.message, place(file, issue), issue.suggestion ?? "correct it; nothing was started"]
  const parts = told.flatMap((part) => (part === undefined || part === "" ? [] : [clean(part)]))
  return `${head} ${parts.join(" – ")}\n`
}

type Issue = NonNullable<Report["issues"]>[number]

/** `agents.json:3:12 agents[0].role`, as far as it is known; the whole needs no path. */
const place = (file: string | undefined, { column, line, path }: Issue): string =>
  [file === undefined ? "" : typeof line === "number" ? `${file}:${line}:${column}` : file, path === "$" ? "" : path]
    .filter((part) => part !== "")
    .join(" ")

export const errorJson = ({ code, class: name, result, ...rest }: Report): string =>
  `${json({ error: { class: name, exitCode: code, ...rest }, ...(result === undefined ? {} : { result }) })}\n`
