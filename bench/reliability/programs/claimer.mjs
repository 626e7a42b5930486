/**
 * Claims and settles the jobs of a run until all have ended, as one of many processes on the same journal. Says what was
 * accepted of it (`S job attempt`), what was refused (`L job attempt`), and what it claimed (`C job attempt`).
 * `stopEvery`: it stops itself, holding a job, about each n-th time. `jumps`: somebody sets its clock on the wall.
 */
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resultOf } from "../../programs/journal.mjs"
import { lyingClock } from "../lib/lyingClock.mjs"
import { random } from "../lib/random.mjs"

const { path, runId, index, seed, millis, stopEvery, jumps, hold } = JSON.parse(process.argv[2])
const { int, next } = random(seed + index)
const owner = { pid: process.pid, startTime: `${index}`, bootId: "one-boot" }
const say = (word, job) => process.stdout.write(`${word} ${job.jobId} ${job.attempts}\n`)

const left = (journal) => Effect.map(journal.counts(runId), ({ pending, running }) => pending + running)

const program = Effect.gen(function* () {
  const journal = yield* JobQueue.JobQueue
  const lease = { owner, millis }
  for (;;) {
    const claimed = yield* journal.claim(runId, lease)
    if (Option.isNone(claimed)) {
      if ((yield* left(journal)) === 0) return
      yield* Effect.sleep("20 millis")
      continue
    }
    const job = claimed.value
    say("C", job)
    if (stopEvery > 0 && int(1, stopEvery) === 1) process.kill(process.pid, "SIGSTOP")
    if (hold > 0) yield* Effect.sleep(next() * hold)
    if (next() < 0.1) yield* journal.renew(runId, lease)
    const result = { ...resultOf(runId, job.jobId, job.spec, "G"), attempts: job.attempts }
    yield* journal.settle(result).pipe(
      Effect.match({
        onSuccess: () => say("S", job),
        onFailure: (error) => {
          if (error._tag !== "LeaseLost") throw error
          say("L", job)
        }
      })
    )
  }
}).pipe(Effect.provide(JobQueue.layerSqlite({ path })))

await Effect.runPromise(jumps ? Effect.withClock(program, lyingClock()) : program)
