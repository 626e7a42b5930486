/** How a queue comes to be: a new run, one that is only stored, or one that another process has left. */
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import * as RunServer from "@contextfs/mcp/RunServer"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as AgentProcess from "../AgentProcess.js"
import { isTerminal, JobId, RunId } from "../Job.js"
import { JobQueue, type Run } from "../JobQueue.js"
import { HostUnfit, type NotFound, Overlapping, PolicyRefused, RunOwned, type Undecided } from "../OrchestratorError.js"
import type { Failure, Options, ResumeOptions, WorkerQueue } from "../WorkerQueue.js"
import { Workplace } from "../Workplace.js"
import type { Shop } from "./attempt.js"
import * as Delegation from "./delegation.js"
import { endLeftovers, endLeftoversOf, forgetUnstored, redactLeftovers } from "./leftovers.js"
import { laneOf, overlaps } from "./overlap.js"
import { kinds, plan } from "./plan.js"
import { isStopped } from "./procfs.js"
import { reconcile } from "./reconcile.js"
import { isAtWork, self } from "./runOwner.js"
import { type Services, work } from "./workerQueue.js"

// Digits and letters of which no two look alike; eight are easy to type.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
export const newRunId = Effect.sync(() => RunId.make([...randomBytes(8)].map((byte) => alphabet[byte % 32]).join("")))

/** What it takes to run agents: their memory server, in a folder of its own, since several queues may share a process. */
const openShop = (runId: RunId): Effect.Effect<Shop, HostUnfit, Scope | Services> =>
  Effect.gen(function* () {
    const workplace = yield* Workplace
    const store = Redaction.store(yield* MemoryStore.MemoryStore, Redaction.make(workplace.env))
    const directory = path.join(workplace.runtimeDir, runId)
    yield* Effect.sync(() => PrivateFiles.folder(workplace.runtimeDir, runId))
    const server = yield* RunServer.make({ directory }).pipe(
      Effect.provideService(MemoryStore.MemoryStore, store),
      Effect.mapError(
        ({ hint, message }) => new HostUnfit({ message: hint === undefined ? message : `${message} – ${hint}` })
      )
    )
    const delegation = yield* Delegation.make(store)
    return { workplace, processes: yield* AgentProcess.AgentProcess, store, server, delegation }
  })

/** Whether all of it can be run here; what is told of agents that may write the same files. */
const check = (options: Options) =>
  Effect.gen(function* () {
    const jobs = options.jobs ?? []
    const budget = options.budget ?? null
    for (const spec of kinds(jobs)) {
      const { adapter } = yield* plan(spec)
      if (budget?.unknownCost === "refuse" && budget.maxCostUsd !== null && !adapter.capabilities.cost) {
        return yield* new PolicyRefused({
          message: `${spec.tool} does not tell its cost, which is limited for agent ${spec.agentId}`,
          hint: 'limit maxTokens instead, or set budget.unknownCost to "warn"'
        })
      }
    }
    const found = overlaps(jobs)
    const [first, ...more] = found
    if (options.overlap === "refuse" && first !== undefined) return yield* new Overlapping({ pairs: [first, ...more] })
    return options.overlap === "serialize" ? [] : found
  })

const write = (runId: RunId, options: Options) =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const { level, marker } = yield* AgentProcess.AgentProcess
    const { dataDir, runtimeDir } = yield* Workplace
    yield* forgetUnstored(dataDir, journal)
    const jobs = (options.jobs ?? []).map((spec, index) => ({
      jobId: JobId.make(`${runId}-${index + 1}`),
      spec,
      lane: laneOf(options, spec)
    }))
    // A run without its jobs would look like one that has nothing left to do.
    yield* journal.open(
      {
        runId,
        project: options.project,
        settings: options.settings ?? {},
        owner: yield* self,
        marker,
        containment: level,
        runtimeDir
      },
      jobs
    )
    const run = yield* journal.run(runId).pipe(Effect.catchTag("NotFound", Effect.die))
    return { run, jobs: jobs.map((job) => ({ ...job, charged: 0, status: "pending" as const })) }
  })

/** Writes a run down that nobody works off yet. */
export const store = (options: Options): Effect.Effect<Run, Failure, Services> =>
  Effect.gen(function* () {
    yield* check(options)
    return (yield* write(yield* newRunId, options)).run
  })

export const make = (options: Options): Effect.Effect<WorkerQueue, Failure, Scope | Services> =>
  Effect.gen(function* () {
    const overlapping = yield* check(options)
    const runId = yield* newRunId
    const shop = yield* openShop(runId)
    yield* endLeftovers(yield* JobQueue)
    yield* redactLeftovers(shop.workplace, yield* JobQueue)
    const { jobs, run } = yield* write(runId, options)
    return yield* work(shop, run, jobs, options, overlapping)
  })

export const resume = (
  id: string,
  options: ResumeOptions
): Effect.Effect<WorkerQueue, Failure | NotFound | RunOwned | Undecided, Scope | Services> =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const before = yield* journal.run(id)
    const { owner, runId } = before
    if (yield* isAtWork(before)) {
      return yield* new RunOwned({ runId, pid: owner.pid, stopped: isStopped(owner) })
    }
    const shop = yield* openShop(runId)
    // Before jobs are added: they may be numbered as one that was to be added when the last owner died.
    yield* forgetUnstored(shop.workplace.dataDir, journal)
    const left = yield* journal.takeOver(
      {
        runId,
        owner: yield* self,
        marker: shop.processes.marker,
        containment: shop.processes.level,
        runtimeDir: shop.workplace.runtimeDir
      },
      owner
    )
    yield* endLeftoversOf(before, left)
    // Read once: of a run of many thousands that takes longer than all the rest.
    const jobs = yield* Effect.gen(function* () {
      const found = yield* journal.jobs(runId)
      const open = found.flatMap(({ spec, status }) => (isTerminal(status) ? [] : [spec]))
      for (const spec of kinds(open)) yield* plan(spec)
      return yield* reconcile(shop, journal, runId, found, options)
    }).pipe(Effect.onError(() => Effect.ignoreLogged(journal.close(runId, "interrupted"))))
    return yield* work(shop, yield* journal.run(runId), jobs, options, [])
  })
