/**
 * Prints what the journal runs for a run of no-op jobs, by job and step, and the command line that starts one: so that
 * the bare loop is as small a process as it can be.
 */
import path from "node:path"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as containment from "../../packages/core/dist/internal/containment.js"
import { recorder } from "../lib/record.mjs"
import { config, noop, openedRun, owner, resultOf } from "./journal.mjs"

const options = JSON.parse(process.argv[2])
const { data, env, runId } = options
const host = await Effect.runPromise(containment.prepare(path.join(data, "lifeline"), env.PATH))
const level = Option.getOrThrow(containment.choose(host, options.containment))

const { jobs } = await Effect.runPromise(config({ ...options, tool: "noop" }))
const record = recorder()
const statements = Effect.gen(function* () {
  const journal = yield* JobQueue.JobQueue
  const of = (effect) => Effect.promise(() => record.of(() => Effect.runPromise(effect)))
  const added = jobs.map((spec, index) => ({ jobId: `${runId}-${index + 1}`, spec, lane: null }))
  const open = yield* of(journal.open(openedRun(runId, level)))
  const add = yield* of(journal.add(runId, added))
  const steps = []
  for (const { jobId, spec } of added) {
    steps.push({
      claim: yield* of(journal.claim(runId, { owner, millis: 60_000 })),
      identify: yield* of(journal.identify(jobId, 1, owner)),
      settle: yield* of(journal.settle(resultOf(runId, jobId, spec, level)))
    })
  }
  return { begin: [...open, ...add], steps, end: yield* of(journal.close(runId, "completed")) }
})
// A journal of its own, whose tables the bare loop finds made.
const layer = JobQueue.layerSqlite({ path: path.join(data, "orchestrator.db") })
const plan = await Effect.runPromise(Effect.provide(statements, layer))
process.stdout.write(JSON.stringify({ level, command: [...containment.prefix(host, level), ...noop.command], ...plan }))
