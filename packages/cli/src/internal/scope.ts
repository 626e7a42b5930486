/** Which runs and memories a view is about: a project's, or those of one run, which has its project. */
import { NotFound } from "../CliError.js"
import { option, text } from "../Command.js"
import type { Session } from "../Session.js"
import * as parameters from "./parameters.js"

export interface Scope {
  readonly project?: string
  readonly runId?: string
}

export const run = option({
  name: "run",
  value: "RUN",
  help: "Only of this run, whatever its project",
  completes: "run",
  read: text
})

export const of = (
  given: { readonly project: string | undefined; readonly run: string | undefined },
  session: Session
): Scope =>
  given.run === undefined
    ? { project: parameters.projectOf(given.project, session) }
    : { runId: given.run, ...(given.project === undefined ? {} : { project: given.project }) }

export const unknownRun = (id: string): NotFound =>
  new NotFound({ message: `no run ${JSON.stringify(id)}`, hint: "contextfs orchestrator status --all lists them" })

export const named = ({ project, runId }: Scope): string =>
  [
    ...(runId === undefined ? [] : [`of run ${runId}`]),
    ...(project === undefined ? [] : [`in project ${project}`])
  ].join(" ")
