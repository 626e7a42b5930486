/**
 * The shell text that starts one agent. It is the only place where values become shell syntax, and every value is
 * quoted: nothing a user, a configuration or an agent says is ever read as shell.
 */

import { isName } from "../Environment.js"

/** One shell word that stands for exactly `value`. A NUL cannot be passed to a program at all. */
export const quote = (value: string): string => {
  if (value.includes("\0")) throw new RangeError("a NUL byte cannot be part of an argument, a variable or a path")
  return `'${value.replaceAll("'", `'\\''`)}'`
}

export interface JobFile {
  /** Put before the command: containment, session, signal reset. */
  readonly prefix: ReadonlyArray<string>
  readonly command: ReadonlyArray<string>
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string
  readonly stdout: string
  readonly stderr: string
  /** Where this text is written; emptied as soon as it has been read, for it holds the environment. */
  readonly file: string
  /** The lifeline (fd 3) goes on to the prefix (a namespace's init watches it), or is closed. */
  readonly keepLifeline: boolean
}

/**
 * Sourced by a subshell of the launcher, which it replaces. The output is redirected first, so that even a failing `cd`
 * says why in the agent's own stderr file. Files are opened for appending: the follower and we may look at any time.
 */
export const jobFile = (job: JobFile): string => {
  const lines = [`exec <${quote(job.stdin)} >>${quote(job.stdout)} 2>>${quote(job.stderr)}`]
  // OLDPWD would tell the agent where we were.
  lines.push(`cd ${quote(job.directory)} || exit 126`, "unset OLDPWD")
  for (const [name, value] of Object.entries(job.env)) {
    if (!isName(name)) throw new RangeError(`${JSON.stringify(name)} is no name of an environment variable`)
    lines.push(`export ${name}=${quote(value)}`)
  }
  // On one line with what follows it, which the shell has read by then; no special builtin, whose failure would end it.
  const words = [...job.prefix, ...job.command].map(quote).join(" ")
  lines.push(`true >${quote(job.file)}; exec ${words}${job.keepLifeline ? "" : " 3<&-"}`, "")
  return lines.join("\n")
}
