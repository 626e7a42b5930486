/** What agents of a run have other agents do: within the user's grant to the one that asks, in the run's own queue. */

import * as fs from "node:fs"
import * as path from "node:path"
import { type McpTool, ToolError } from "@contextfs/mcp/McpTool"
import { viewTools } from "@contextfs/mcp/ViewTools"
import type { StorageError } from "@contextfs/memory/MemoryError"
import { MemoryStore, type MemoryStoreService } from "@contextfs/memory/MemoryStore"
import { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as RcRef from "effect/RcRef"
import type { Scope } from "effect/Scope"
import type { AgentProcess } from "../AgentProcess.js"
import type { AgentRequest } from "../AgentRequest.js"
import { delegateOf, isTerminal, type Job, type JobId, type JobSpec, orchestratorRole, Permission } from "../Job.js"
import { JobQueue } from "../JobQueue.js"
import { PolicyRefused } from "../OrchestratorError.js"
import * as OrchestratorTools from "../OrchestratorTools.js"
import type { WorkerQueue } from "../WorkerQueue.js"
import type { Workplace } from "../Workplace.js"
import { plan } from "./plan.js"

/** Agents that agents asked for, one for the other. */
const maxDepth = 3
/** Of a whole run: agents that agents asked for, at a time and ever. */
const maxLiving = 32
const maxTotal = 200

export interface Delegation {
  /** The run's queue, as soon as there is one. */
  readonly queue: Deferred.Deferred<WorkerQueue>
  /** The tools that this job's agent gets beside the memory; of an attempt, and gone with its scope. */
  readonly tools: (job: Job) => Effect.Effect<ReadonlyArray<McpTool>, never, Scope>
}

/** The agents of a run that agents asked for, and the names that are taken. */
interface Family {
  readonly names: Set<string>
  readonly living: Set<JobId>
  /** By the job that asked. */
  readonly children: Map<JobId, Array<JobId>>
  total: number
}

export const make = (
  store: MemoryStoreService
): Effect.Effect<Delegation, never, AgentProcess | JobQueue | RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<AgentProcess | RoleRegistry | Workplace>()
    const registry = yield* RoleRegistry
    const journal = yield* JobQueue
    const queue = yield* Deferred.make<WorkerQueue>()
    const oneAtATime = yield* Effect.makeSemaphore(1)
    let known: Family | undefined

    /** What the run holds by now; an earlier process may have begun it. */
    const family = (runId: string) =>
      Effect.gen(function* () {
        if (known === undefined) {
          const jobs = yield* Effect.mapError(journal.jobs(runId), asToolError)
          known ??= { names: new Set(), living: new Set(), children: new Map(), total: 0 }
          for (const job of jobs) join(known, job)
        }
        for (const id of known.living) {
          const { status } = yield* Effect.mapError(journal.job(id), asToolError)
          if (isTerminal(status)) known.living.delete(id)
        }
        return known
      })

    const start = (parent: Job, asks: ReadonlyArray<AgentRequest>) =>
      Effect.gen(function* () {
        const { living, names, total } = yield* family(parent.runId)
        if (living.size + asks.length > maxLiving) {
          return yield* refuse(
            `agents of this run may have ${maxLiving} others at work, ${living.size} are: wait for some to end`
          )
        }
        if (total + asks.length > maxTotal) {
          return yield* refuse(`agents of this run may ask for ${maxTotal} others, and have asked for ${total}`)
        }
        const taken = new Set(names)
        const specs = yield* Effect.forEach(asks, (ask) =>
          Effect.gen(function* () {
            const spec = yield* specOf(parent, ask, taken, registry)
            yield* Effect.mapError(Effect.provide(plan(spec), context), asToolError)
            taken.add(spec.agentId)
            return spec
          })
        )
        const { submit } = yield* Deferred.await(queue)
        return yield* Effect.forEach(specs, (spec) =>
          Effect.gen(function* () {
            const jobId = yield* Effect.mapError(submit(spec), asToolError)
            if (known !== undefined) join(known, { jobId, spec, status: "pending" })
            return jobId
          })
        )
      }).pipe(oneAtATime.withPermits(1))

    const host = (parent: Job): Effect.Effect<OrchestratorTools.Host, never, Scope> =>
      Effect.gen(function* () {
        // However many calls wait at a time, it is one worker that is lent.
        const lending = yield* RcRef.make({
          acquire: Deferred.await(queue).pipe(
            Effect.flatMap(({ lend }) => lend(Effect.never)),
            Effect.interruptible,
            Effect.forkScoped
          )
        })
        return {
          store,
          start: (asks) => start(parent, asks),
          started: Effect.map(family(parent.runId), ({ children }) => children.get(parent.jobId) ?? []),
          job: (jobId) =>
            journal.job(jobId).pipe(
              Effect.filterOrFail(({ runId }) => runId === parent.runId),
              Effect.mapError((error) =>
                error._tag === "StorageError"
                  ? asToolError(error)
                  : refuse(`no job ${JSON.stringify(jobId)} in this run`)
              )
            ),
          until: (look) =>
            Effect.gen(function* () {
              yield* RcRef.get(lending)
              const { until } = yield* Deferred.await(queue)
              return yield* until(look)
            }).pipe(
              Effect.scoped,
              Effect.mapError((error) => (error._tag === "ToolError" ? error : asToolError(error)))
            )
        }
      })

    const views = viewTools.map(
      (tool): McpTool => ({
        ...tool,
        call: (args, caller) =>
          tool
            .call(args, caller)
            .pipe(Effect.provideService(MemoryStore, store), Effect.provideService(RoleRegistry, registry))
      })
    )

    return {
      queue,
      tools: (job) => {
        const delegate = delegateOf(job.spec)
        if (delegate === undefined) return Effect.succeed([])
        if (delegate === "none") return Effect.succeed(views)
        return Effect.map(host(job), (its) => [...OrchestratorTools.make(its), ...views])
      }
    }
  })

const join = (family: Family, { jobId, spec, status }: Pick<Job, "jobId" | "spec" | "status">): void => {
  family.names.add(spec.agentId)
  if (spec.parent === null) return
  family.total += 1
  if (!isTerminal(status)) family.living.add(jobId)
  family.children.set(spec.parent, [...(family.children.get(spec.parent) ?? []), jobId])
}

const refuse = (message: string): ToolError => new ToolError({ message })

const asToolError = (error: { readonly message: string } & Partial<Pick<StorageError, "hint">>): ToolError =>
  refuse(error.hint === undefined ? error.message : `${error.message} (${error.hint})`)

/** From the least to the most. */
const rank = (permission: Permission): number => Permission.literals.indexOf(permission)

/** The job that is asked for, where the grant of the one that asks allows it. */
const specOf = (
  { jobId, spec: parent }: Job,
  ask: AgentRequest,
  taken: ReadonlySet<string>,
  roles: RoleRegistry["Type"]
): Effect.Effect<JobSpec, ToolError> =>
  Effect.gen(function* () {
    const grant = parent.delegate
    if (grant === "none") return yield* refuse("the user lets you ask for no agents (delegate)")
    const role = yield* Effect.mapError(roles.get(ask.role), asToolError)
    const permission = ask.permission ?? (rank(role.permission) > rank(grant) ? grant : role.permission)
    if (rank(permission) > rank(grant)) {
      return yield* refuse(
        `permission "${permission}" for ${role.name}: the user lets the agents that you ask for have at most "${grant}" (delegate)`
      )
    }
    const timeout = ask.timeout === undefined ? parent.timeout : ask.timeout * 1_000
    if (timeout !== null && parent.timeout !== null && timeout > parent.timeout) {
      return yield* refuse(
        `timeout ${timeout / 1_000}: yours is ${parent.timeout / 1_000} seconds, and theirs at most that`
      )
    }
    if (ask.id !== undefined && taken.has(ask.id)) {
      return yield* refuse(`the id ${JSON.stringify(ask.id)} is taken in this run: leave it out, or give another`)
    }
    const tool = ask.tool ?? parent.tool
    const mayAsk = role.name === orchestratorRole && parent.depth + 1 < maxDepth
    return {
      agentId: ask.id ?? nameFor(role.name, taken),
      project: parent.project,
      role: role.name,
      tool,
      directory: yield* inside(parent.directory, ask.directory),
      task: ask.task,
      model: ask.model ?? (tool === parent.tool ? parent.model : null),
      session: null,
      permission,
      timeout,
      startTimeout: parent.startTimeout,
      idleTimeout: parent.idleTimeout,
      retryTimeout: parent.retryTimeout,
      grace: parent.grace,
      maxOutput: parent.maxOutput,
      retries: parent.retries,
      containment: parent.containment,
      env: parent.env,
      memory: parent.memory,
      budget: parent.budget,
      settings:
        tool === parent.tool ? parent.settings : Object.hasOwn(parent.tools, tool) ? (parent.tools[tool] ?? {}) : {},
      delegate: mayAsk ? grant : "none",
      tools: mayAsk ? { ...parent.tools, [parent.tool]: parent.settings } : {},
      parent: jobId,
      depth: parent.depth + 1
    }
  })

/** `<role>-<n>`, as in a configuration. */
const nameFor = (role: string, taken: ReadonlySet<string>): string => {
  let count = 1
  while (taken.has(`${role}-${count}`)) count += 1
  return `${role}-${count}`
}

const realPath = (directory: string): string | undefined => {
  try {
    const real = fs.realpathSync(directory)
    return fs.statSync(real).isDirectory() ? real : undefined
  } catch {
    return undefined
  }
}

/** The directory by its real path, links resolved, if it is the parent's or in it. */
const inside = (parent: string, asked: string): Effect.Effect<string, ToolError> => {
  const root = realPath(parent)
  const real = asked.includes("\u0000") ? undefined : realPath(path.resolve(parent, asked))
  if (root === undefined || real === undefined) return refuse(`no directory ${JSON.stringify(asked)} in yours`)
  const way = path.relative(root, real)
  return way === ".." || way.startsWith(`..${path.sep}`) || path.isAbsolute(way)
    ? refuse(`directory ${JSON.stringify(asked)} leads to ${real}, out of your own ${root}`)
    : Effect.succeed(real)
}

/** Before every attempt: since it was asked for, no link has come into the way of the job's directory. */
export const confined = ({ directory, parent }: JobSpec): Effect.Effect<void, PolicyRefused> =>
  parent === null || realPath(directory) === directory
    ? Effect.void
    : new PolicyRefused({
        message: `${directory} is gone, or leads elsewhere than when an agent was asked for there`,
        hint: "an agent that another one asked for works within the directory of that one"
      })
