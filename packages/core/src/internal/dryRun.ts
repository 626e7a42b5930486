import * as fs from "node:fs"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { databaseName } from "@contextfs/memory/Namespace"
import type { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import type { DryRun, PlannedAgent } from "../DryRun.js"
import type { JobSpec } from "../Job.js"
import { type Options, toolsOf } from "../Live.js"
import { type AgentUnavailable, type HostUnfit, PolicyRefused } from "../OrchestratorError.js"
import type { RunConfig } from "../RunConfig.js"
import * as Workplace from "../Workplace.js"
import * as containment from "./containment.js"
import { type Plan, planOn } from "./plan.js"
import { prepare, recall } from "./preparation.js"
import * as redaction from "./redaction.js"

/** Stands for the names that a run makes up. */
const unnamed = "RUN"

export const make = (
  config: RunConfig,
  options: Options
): Effect.Effect<DryRun, AgentUnavailable | HostUnfit | PolicyRefused | StorageError, RoleRegistry> =>
  Effect.gen(function* () {
    const { dataDir, env } = options
    const workplace = { ...Workplace.facts({ dataDir, env, tools: toolsOf(options) }), runtimeDir: unnamed }
    const host = yield* containment.look(env["PATH"] ?? "")
    const choose = (wanted: containment.Containment) => containment.choose(host, wanted)
    // All of them before the memory is opened, as in a run.
    const plans = yield* Effect.forEach(config.jobs, (spec) =>
      Effect.map(planOn(choose, spec), (plan) => ({ ...plan, spec }))
    ).pipe(Effect.provideService(Workplace.Workplace, workplace))
    const database = path.join(dataDir, databaseName)
    const memory = options.memory !== undefined ? "unread" : fs.existsSync(database) ? "recalled" : "empty"
    const recalled = memory === "recalled" ? yield* recallAll(config.jobs, database) : []
    const agents = yield* Effect.forEach(plans, (plan, index) => {
      const folder = path.join(dataDir, "runs", unnamed, `${unnamed}-${index + 1}`, "1")
      return planned(plan, workplace, folder, recalled[index])
    })
    return { project: config.project, workers: config.workers, dataDir, memory, agents }
  })

const recallAll = (jobs: ReadonlyArray<JobSpec>, database: string) =>
  Effect.forEach(jobs, (spec) =>
    spec.memory ? Effect.flatMap(MemoryStore.MemoryStore, (store) => recall(store, spec)) : Effect.succeed(undefined)
  ).pipe(Effect.provide(MemoryStore.layerSqlite({ path: database })))

const seconds = (millis: number): number => millis / 1_000

const planned = (
  { spec, ...plan }: Plan & { readonly spec: JobSpec },
  workplace: Workplace.WorkplaceService,
  folder: string,
  recalled: string | undefined
): Effect.Effect<PlannedAgent, PolicyRefused> => {
  const prepared = prepare(spec, plan, {
    workplace,
    folder,
    temporary: unnamed,
    marker: unnamed,
    admission: spec.memory ? { env: { CONTEXTFS_SOCKET: unnamed, CONTEXTFS_TOKEN: unnamed } } : null,
    recalled,
    resume: undefined
  })
  if ("refused" in prepared) {
    return new PolicyRefused({ message: prepared.refused, hint: "choose another permission, model or tool" })
  }
  const { command, env, invocation, prompt } = prepared
  const redactor = redaction.make(env)
  return Effect.succeed({
    agentId: spec.agentId,
    role: spec.role,
    tool: spec.tool,
    directory: spec.directory,
    permission: spec.permission,
    model: spec.model,
    containment: plan.level,
    timeout: spec.timeout === null ? null : seconds(spec.timeout),
    startTimeout: seconds(spec.startTimeout),
    idleTimeout: seconds(spec.idleTimeout),
    retryTimeout: seconds(spec.retryTimeout),
    grace: seconds(spec.grace),
    retries: spec.retries,
    maxOutput: spec.maxOutput,
    memory: !spec.memory ? "none" : plan.adapter.capabilities.memory ? "tools" : "environment",
    command: command.map(redactor.text),
    files: Object.keys(invocation.files ?? {}),
    variables: Object.keys(env).sort(),
    prompt: redactor.text(invocation.stdin ?? prompt)
  })
}
