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
  const parts = [report.message, report.where, report.hint].flatMap((part) => (part === undefined ? [] : [clean(part)]))
  return `${head} ${parts.join(" – ")}\n`
}

export const errorJson = ({ code, class: name, ...rest }: Report): string =>
  `${json({ error: { class: name, exitCode: code, ...rest } })}\n`
