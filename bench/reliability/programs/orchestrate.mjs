/**
 * Goes on with a run (or begins one) as an orchestrating process, to be killed. `site` and `passage`: it kills itself when
 * it comes there for the n-th time. It tells how old it was, in milliseconds, at its first claim. The sites are put around the services; the product knows nothing of them.
 */
import * as AgentProcess from "@contextfs/core/AgentProcess"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Live from "@contextfs/core/Live"
import * as Orchestrator from "@contextfs/core/Orchestrator"
import * as RunConfig from "@contextfs/core/RunConfig"
import { builtIn } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { lyingClock } from "../lib/lyingClock.mjs"

const { dataDir, env, runId, input, jobs, directory, memoryEvery, enqueue, site, passage, jumps } = JSON.parse(
  process.argv[2]
)

let passages = 0
const pass = (name) =>
  Effect.sync(() => {
    if (name === site && ++passages === passage) process.kill(process.pid, "SIGKILL")
  })
const around = (before, effect, after) =>
  Effect.zipRight(pass(before), after === undefined ? effect : Effect.tap(effect, () => pass(after)))

let first = true
const watched = (journal) => ({
  ...journal,
  claim: (...of) =>
    journal.claim(...of).pipe(
      Effect.tap((claimed) => {
        if (Option.isNone(claimed)) return Effect.void
        if (first) process.stdout.write(`claimed ${performance.now()}\n`)
        first = false
        return pass("claimed")
      })
    ),
  identify: (...of) => around("before-identity", journal.identify(...of), "after-identity"),
  retry: (...of) => around("before-retry", journal.retry(...of), "after-retry"),
  settle: (...of) => around("before-commit", journal.settle(...of), "after-commit"),
  takeOver: (...of) => around("before-takeover", journal.takeOver(...of), "after-takeover"),
  add: (...of) => around("before-add", journal.add(...of), "after-add")
})
const launching = (processes) => ({
  ...processes,
  launch: (...of) => around("before-spawn", processes.launch(...of), "after-spawn")
})

const options = {
  onEvent: (event) => {
    if (event.kind === "agentEvent" && event.event.kind === "finished") Effect.runSync(pass("terminal-seen"))
  }
}

// They only read: no two of them are in each other's way.
const agents = Array.from({ length: jobs ?? 0 }, () => ({ role: "review", directory: ".", task: "go" }))
const configured = Effect.map(
  RunConfig.fromInput({ agents, ...input }, { roles: builtIn, tools: [], directory }),
  (config) => ({
    ...config,
    jobs: config.jobs.map((spec, index) => ({ ...spec, memory: memoryEvery > 0 && index % memoryEvery === 0 }))
  })
)

const work = Effect.gen(function* () {
  const orchestrator = yield* Orchestrator.Orchestrator
  if (runId !== undefined) return yield* orchestrator.resume(runId, options)
  const config = yield* configured
  if (!enqueue) return yield* orchestrator.run(config, options)
  return { runId: yield* orchestrator.enqueue(config), status: "enqueued", results: [] }
})

const program = Effect.gen(function* () {
  const journal = watched(yield* JobQueue.JobQueue)
  const processes = launching(yield* AgentProcess.AgentProcess)
  return yield* work.pipe(
    Effect.provide(Orchestrator.layer),
    Effect.provideService(JobQueue.JobQueue, journal),
    Effect.provideService(AgentProcess.AgentProcess, processes)
  )
}).pipe(Effect.provide(Live.layer({ dataDir, env })))

const {
  results,
  status,
  runId: id
} = await Effect.runPromise(jumps ? Effect.withClock(program, lyingClock()) : program)
process.stdout.write(`${JSON.stringify({ runId: id, status, results: results.length })}\n`)
