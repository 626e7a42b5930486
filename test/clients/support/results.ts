/** What `contextfs` prints as JSON, as far as these tests read it. */
import { type Json, list, parse, record, records, string } from "../../../packages/fixtures/src/modelServer/json.js"
import type { Ended } from "./world.js"

export interface JobSeen {
  readonly agentId: string
  readonly role: string
  readonly jobId: string
  readonly runId: string
  readonly status: string
  readonly reason: string | null
  readonly result: string
  readonly error: string
  readonly warnings: ReadonlyArray<string>
  readonly sessionId: string
  readonly attempts: unknown
  readonly usage: Json
  readonly denials: ReadonlyArray<Json>
  readonly searches: unknown
  readonly saved: ReadonlyArray<string>
  /** Steps of the role's protocol. */
  readonly done: ReadonlyArray<string>
  readonly ignored: ReadonlyArray<string>
  readonly evidence: Json
}

export interface RunSeen {
  readonly runId: string
  readonly project: string
  readonly status: string
  readonly jobs: ReadonlyArray<JobSeen>
}

const document = (ended: Ended): unknown => {
  const value = parse(ended.stdout)
  if (value === undefined)
    throw new Error(`not one JSON document (exit ${ended.code}): ${ended.stdout}\n${ended.stderr}`)
  return value
}

const job = (value: Json): JobSeen => {
  const memory = record(value["memory"])
  return {
    agentId: string(value["agentId"]),
    role: string(value["role"]),
    jobId: string(value["jobId"]),
    runId: string(value["runId"]),
    status: string(value["status"]),
    reason: value["reason"] === null ? null : string(value["reason"]),
    result: string(value["result"]),
    error: string(value["error"]),
    warnings: list(value["warnings"]).map(string),
    sessionId: string(value["sessionId"]),
    attempts: value["attempts"],
    usage: record(value["usage"]),
    denials: records(value["denials"]),
    searches: memory["searches"],
    saved: list(memory["saved"]).map(string),
    done: list(memory["done"]).map(string),
    ignored: list(memory["ignored"]).map(string),
    evidence: record(value["evidence"])
  }
}

/** What `orchestrator run --json` printed; throws when it is not one document with results. */
export const runSeen = (ended: Ended): RunSeen => {
  const run = record(document(ended))
  const jobs = records(run["results"]).map(job)
  if (jobs.length === 0) throw new Error(`no results (exit ${ended.code}): ${ended.stdout}\n${ended.stderr}`)
  return { runId: string(run["runId"]), project: string(run["project"]), status: string(run["status"]), jobs }
}

/** What a command that lists memories printed with `--json`. */
export const memoriesSeen = (ended: Ended): ReadonlyArray<Json> => {
  const value = document(ended)
  return Array.isArray(value) ? records(value) : records(record(value)["memories"])
}
