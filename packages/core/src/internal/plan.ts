/** What a job comes to on this machine: checked as a whole before anything starts. */
import type { Role } from "@contextfs/roles/Role"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AgentProcess from "../AgentProcess.js"
import type { JobSpec } from "../Job.js"
import { AgentUnavailable, PolicyRefused } from "../OrchestratorError.js"
import type { ToolAdapter } from "../ToolAdapter.js"
import * as Tools from "../Tools.js"
import { Workplace, type WorkplaceService } from "../Workplace.js"
import { findProgram } from "./findProgram.js"
import { quote } from "./jobFile.js"

export interface Plan {
  readonly role: Role
  readonly adapter: ToolAdapter
  /** The program by absolute path, and what always comes first after it. */
  readonly program: ReadonlyArray<string>
  readonly level: AgentProcess.Level
}

const programOf = (
  workplace: WorkplaceService,
  adapter: ToolAdapter,
  spec: JobSpec
): Effect.Effect<ReadonlyArray<string>, AgentUnavailable> =>
  Effect.gen(function* () {
    const [name, ...args] =
      spec.settings.command ?? adapter.command ?? (adapter.program === null ? [] : [adapter.program])
    if (name === undefined) {
      return yield* new AgentUnavailable({
        tool: spec.tool,
        message: `tool ${spec.tool} has no program`,
        hint: `set tools.${spec.tool}.command in the configuration`
      })
    }
    const found = findProgram(name, spec.env["PATH"] ?? workplace.env["PATH"] ?? "", spec.directory)
    if ("missing" in found) {
      return yield* new AgentUnavailable({
        tool: spec.tool,
        message: `${spec.tool} cannot be started: ${found.missing}`,
        hint: `install it, or set tools.${spec.tool}.command in the configuration`
      })
    }
    return [found.file, ...args]
  })

const roleOf = (spec: JobSpec): Effect.Effect<Role, PolicyRefused, RoleRegistry.RoleRegistry> =>
  Effect.gen(function* () {
    const roles = yield* RoleRegistry.RoleRegistry
    const role = yield* roles
      .get(spec.role)
      .pipe(
        Effect.mapError(
          ({ message }) =>
            new PolicyRefused({ message, hint: "contextfs orchestrator roles lists the roles there are" })
        )
      )
    const refused = RoleRegistry.refusal(role, spec.permission)
    if (refused === undefined) return role
    return yield* new PolicyRefused({
      message: refused.message,
      hint: `read that file, then contextfs trust ${quote(refused.file)}`
    })
  })

/** One for each of those that differ in more than their task: of a large run few do. */
export const kinds = (specs: ReadonlyArray<JobSpec>): ReadonlyArray<JobSpec> => {
  const found = new Map<string, JobSpec>()
  for (const spec of specs) {
    const kind = JSON.stringify({ ...spec, agentId: "", task: "" })
    if (!found.has(kind)) found.set(kind, spec)
  }
  return [...found.values()]
}

export const plan = (
  spec: JobSpec
): Effect.Effect<
  Plan,
  AgentUnavailable | PolicyRefused,
  AgentProcess.AgentProcess | RoleRegistry.RoleRegistry | Workplace
> => Effect.flatMap(AgentProcess.AgentProcess, ({ choose }) => planOn(choose, spec))

/** The same where the host is known and nothing can be started. */
export const planOn = (
  choose: AgentProcess.AgentProcessService["choose"],
  spec: JobSpec
): Effect.Effect<Plan, AgentUnavailable | PolicyRefused, RoleRegistry.RoleRegistry | Workplace> =>
  Effect.gen(function* () {
    const workplace = yield* Workplace
    const role = yield* roleOf(spec)
    const adapter = Tools.adapterFor(spec.tool, spec.settings, workplace.tools)
    if (adapter === undefined) {
      return yield* new AgentUnavailable({
        tool: spec.tool,
        message: `unknown tool ${spec.tool}`,
        hint: `known tools: ${[...workplace.tools.keys()].join(", ")}`
      })
    }
    const program = yield* programOf(workplace, adapter, spec)
    if (spec.session !== null && !adapter.capabilities.resume) {
      return yield* new PolicyRefused({
        message: `agent ${spec.agentId} is to continue session ${spec.session}, which ${spec.tool} cannot`,
        hint: "leave out session, or choose a tool that can: contextfs orchestrator tools"
      })
    }
    // Whatever the adapter says of it.
    if (spec.permission === "full" && workplace.isRoot) {
      return yield* new PolicyRefused({
        message: `permission "full" is refused as root`,
        hint: "run as another user, or choose another permission for this agent"
      })
    }
    const invocation = adapter.invocation({
      prompt: "",
      directory: spec.directory,
      folder: spec.directory,
      permission: spec.permission,
      model: spec.model ?? undefined,
      resume: spec.session ?? undefined,
      memory: undefined,
      env: { ...workplace.env, ...spec.settings.env, ...spec.env },
      root: workplace.isRoot
    })
    if ("refused" in invocation) {
      return yield* new PolicyRefused({
        message: invocation.refused,
        hint: "choose another permission, model, session or tool for this agent"
      })
    }
    const level = choose(spec.containment)
    if (Option.isNone(level)) {
      return yield* new PolicyRefused({
        message: `containment "${spec.containment}" cannot be had on this host`,
        hint: 'use "auto" or "group"'
      })
    }
    return { role, adapter, program, level: level.value }
  })
