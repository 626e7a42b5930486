/** The durable queue against the same statements: over the same client, over @effect/sql-sqlite-node, on the driver. */
import path from "node:path"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { recorder, replayer } from "../lib/record.mjs"
import { line, note } from "../lib/report.mjs"
import { pairs } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"
import { config, openedRun, owner, resultOf } from "../programs/journal.mjs"

const jobs = 500
const rounds = 9
/** One run of the queue: add all, then claim, identify and settle each. */
const work = (journal, specs, runId) =>
  Effect.gen(function* () {
    yield* journal.open(openedRun(runId, "G"))
    yield* journal.add(
      runId,
      specs.map((spec, index) => ({ jobId: `${runId}-${index + 1}`, spec }))
    )
    for (const [index, spec] of specs.entries()) {
      const jobId = `${runId}-${index + 1}`
      yield* journal.claim(runId, { owner, millis: 60_000 })
      yield* journal.identify(jobId, 1, owner)
      yield* journal.settle(resultOf(runId, jobId, spec, "G"))
    }
    yield* journal.close(runId, "completed")
  })

/** What lies between BEGIN and COMMIT is one transaction; everything else is one of its own. */
const transactions = (statements) => {
  const grouped = []
  let open = null
  for (const statement of statements) {
    if (statement.sql.startsWith("BEGIN")) open = []
    else if (statement.sql.startsWith("COMMIT")) {
      grouped.push({ whole: true, statements: open })
      open = null
    } else if (open === null) grouped.push({ whole: false, statements: [statement] })
    else open.push(statement)
  }
  return grouped
}

const timed = async (run) => {
  const began = performance.now()
  const cpu = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(cpu)
  return { wall: performance.now() - began, cpu: (user + system) / 1000 }
}

/** CPU for each job and heap for each queued one, with so many queued. Jobs are added a thousand at a time and not kept. */
const crowded = async (file, spec, queued) => {
  const runId = `crowd-${queued}`
  const worked = 2_000
  const program = Effect.gen(function* () {
    const journal = yield* JobQueue.JobQueue
    const heap = () => {
      globalThis.gc?.()
      return process.memoryUsage().heapUsed
    }
    yield* journal.open(openedRun(runId, "G"))
    const before = heap()
    for (let first = 1; first <= queued; first += 1_000) {
      yield* journal.add(
        runId,
        Array.from({ length: 1_000 }, (_, index) => ({ jobId: `${runId}-${first + index}`, spec }))
      )
    }
    const bytes = (heap() - before) / queued
    const turn = (from, to) =>
      Effect.gen(function* () {
        for (let number = from; number <= to; number++) {
          const jobId = `${runId}-${number}`
          yield* journal.claim(runId, { owner, millis: 60_000 })
          yield* journal.identify(jobId, 1, owner)
          yield* journal.settle(resultOf(runId, jobId, spec, "G"))
        }
      })
    yield* turn(1, 500)
    const { cpu } = yield* Effect.promise(() => timed(() => Effect.runPromise(turn(501, 500 + worked))))
    return { cpu: cpu / worked, bytes }
  })
  return Effect.runPromise(Effect.provide(program, JobQueue.layerSqlite({ path: file })))
}

export const run = async () => {
  const place = makeWork()
  const file = (name) => path.join(place.sub("data"), `${name}.db`)
  const recordedRun = "recordedrun"
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
  const record = recorder()
  const statements = await Effect.runPromise(
    Effect.flatMap(JobQueue.JobQueue, (journal) =>
      Effect.promise(() => record.of(() => Effect.runPromise(work(journal, specs, recordedRun))))
    ).pipe(Effect.provide(JobQueue.layerMemory))
  )
  record.stop()
  const text = JSON.stringify(statements)
  let count = 0
  /** The same statements for a run with another name. */
  const again = () => JSON.parse(text.replaceAll(recordedRun, `again-${++count}`))
  for (const name of ["client", "official", "driver"]) {
    await Effect.runPromise(Effect.provide(JobQueue.JobQueue, JobQueue.layerSqlite({ path: file(name) })))
  }

  const program = Effect.gen(function* () {
    const journal = yield* JobQueue.JobQueue
    const schema = new Database(file("client"), { readonly: true }).pragma("user_version", { simple: true })
    const client = yield* Sqlite.make({ path: file("client"), migrations: Array.from({ length: schema }, () => "") })
    const official = yield* SqliteClient.make({ filename: file("official") })
    const driver = new Database(file("driver"))
    const replay = replayer(driver)

    const queue = () => timed(() => Effect.runPromise(work(journal, specs, `queue-${++count}`)))
    const one = (sql) => (statement) => sql.unsafe(statement.sql, statement.params)
    const overClient = () => {
      const grouped = transactions(again())
      return timed(() =>
        Effect.runPromise(
          Effect.forEach(
            grouped,
            ({ whole, statements }) => {
              const all = Effect.forEach(statements, one(client.sql), { discard: true })
              return whole ? client.writeTransaction(all) : all
            },
            { discard: true }
          )
        )
      )
    }
    const overOfficial = () => {
      const all = again()
      return timed(() => Effect.runPromise(Effect.forEach(all, one(official), { discard: true })))
    }
    const onDriver = () => {
      const all = again()
      return timed(() => replay(all))
    }

    const measure = (other) => Effect.promise(() => pairs(rounds, 2, queue, other))
    const same = yield* measure(overClient)
    const effect = yield* measure(overOfficial)
    const bare = yield* measure(onDriver)
    driver.close()
    note(
      `${jobs} jobs: ${same.ours("cpu").toFixed(0)} ms CPU; bare loop over the same client ${same.theirs("cpu").toFixed(0)} ms`
    )
    // Throughput: how much of the bare loop's the queue has.
    line("queue_of_same_client", 1 / same.ratio("cpu"), "x", { atLeast: 0.8 })
    line("queue_of_sql_sqlite_node", 1 / effect.ratio("cpu"), "x", { atLeast: 0.8 })
    line("queue_of_better_sqlite3", 1 / bare.ratio("cpu"), "x")
  })
  await Effect.runPromise(
    program.pipe(Effect.scoped, Effect.provide([JobQueue.layerSqlite({ path: file("queue") }), Reactivity.layer]))
  )
  // Each on a file of its own, in turn, so that neither finds the machine as the other left it.
  const sides = await pairs(
    3,
    0,
    () => crowded(file(`many-${++count}`), specs[0], 100_000),
    () => crowded(file(`few-${++count}`), specs[0], 10_000)
  )
  line("queue_cpu_100000_of_10000_queued", sides.ratio("cpu"), "x", { atMost: 1.2 })
  line("queue_heap_per_queued_job", Math.max(0, sides.ours("bytes")), "bytes", { atMost: 16 })
  place.close()
}
