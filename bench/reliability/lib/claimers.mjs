/** Many processes that claim and settle the jobs of one run, and what each says was accepted of it. */
import path from "node:path"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import { makeWork } from "../../lib/work.mjs"
import { config, openedRun } from "../../programs/journal.mjs"
import { isStopped, start } from "./children.mjs"
import { damage, look } from "./database.mjs"

const runId = "claimed"

export const claimers = async ({
  jobs,
  processes,
  seed,
  millis,
  stopEvery = 0,
  jumps = false,
  hold = 0,
  stoppedFor
}) => {
  const place = makeWork()
  try {
    const file = path.join(place.sub("data"), "orchestrator.db")
    const { jobs: specs } = await Effect.runPromise(
      config({
        jobs,
        workers: 16,
        containment: "auto",
        memory: true,
        directory: place.sub("project"),
        tool: "noop"
      }).pipe(Effect.provide(RoleRegistry.layer))
    )
    const fill = Effect.gen(function* () {
      const journal = yield* JobQueue.JobQueue
      yield* journal.open(openedRun(runId, "G"))
      yield* journal.add(
        runId,
        specs.map((spec, index) => ({ jobId: `${runId}-${index + 1}`, spec }))
      )
    })
    await Effect.runPromise(Effect.provide(fill, JobQueue.layerSqlite({ path: file })))

    const accepted = new Map()
    const seen = { claims: 0, refused: 0, stops: 0 }
    const line = (text) => {
      const [word, job, attempt] = text.split(" ")
      if (word === "C") seen.claims++
      if (word === "L") seen.refused++
      if (word === "S") accepted.set(job, [...(accepted.get(job) ?? []), Number(attempt)])
    }
    const options = { path: file, runId, seed, millis, stopEvery, jumps, hold }
    const children = Array.from({ length: processes }, (_, index) =>
      start("claimer", { ...options, index }, { env: place.env, line })
    )
    // Whoever stopped itself goes on when its lease has run out, or has not yet.
    const since = new Map()
    const waker = setInterval(() => {
      for (const child of children) {
        if (!isStopped(child.pid)) continue
        if (!since.has(child)) {
          since.set(child, performance.now())
          seen.stops++
        } else if (performance.now() - since.get(child) > stoppedFor) {
          since.delete(child)
          child.kill("SIGCONT")
        }
      }
    }, 20)
    const codes = await Promise.all(children.map(({ ended }) => ended))
    clearInterval(waker)
    if (codes.some((code) => code !== 0)) throw new Error(`claimers ended with ${codes.join(" ")}`)
    const rows = look(file, (db) =>
      db.prepare("SELECT id, status, attempts, result ->> '$.attempts' AS by FROM jobs").all()
    )
    return {
      ...seen,
      jobs: rows.length,
      notCompleted: rows.filter(({ status }) => status !== "completed").length,
      /** Settled by more than one, each time accepted. */
      doubleCommits: [...accepted.values()].filter(({ length }) => length > 1).length,
      /** What was accepted of an attempt that another one had followed, or nobody was told of. */
      staleCommits: rows.filter(({ attempts, by, id }) => by !== attempts || accepted.get(id)?.[0] !== attempts).length,
      reclaimed: rows.reduce((sum, { attempts }) => sum + attempts - 1, 0),
      damage: damage(file)
    }
  } finally {
    place.close()
  }
}
