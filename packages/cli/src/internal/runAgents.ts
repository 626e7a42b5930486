/** The way of `run` and `spawn --wait`: configuration, services, view. Loaded only by them. */
import * as path from "node:path"
import * as Live from "@contextfs/core/Live"
import { Orchestrator, type RunOptions } from "@contextfs/core/Orchestrator"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import * as UserModule from "@contextfs/memory/UserModule"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import { type Failure, UsageError } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { dryRunText } from "./dryRunText.js"
import { style } from "./layout.js"
import * as parameters from "./parameters.js"
import { perform } from "./perform.js"
import { chosen, dataDir } from "./store.js"
import type { Format } from "./views.js"

interface Request {
  /** The command, for messages. */
  readonly where: string
  readonly source:
    | { readonly file: string }
    | { readonly role: string; readonly directory: string; readonly task: string }
  readonly overrides: {
    readonly [Key in keyof RunConfig.Overrides]: RunConfig.Overrides[Key] | undefined
  }
  /** Default false. */
  readonly failFast?: boolean
  /** False: end when only jobs are left that wait for a usage limit's end; default true. */
  readonly wait?: boolean
  /** Leave it to a process of its own; default false. */
  readonly detach?: boolean
  /** Show what would be done and do nothing; default false. */
  readonly dryRun?: boolean
  readonly format: Format
}

/** What was given; what is absent leaves the word to the file. */
const given = (overrides: Request["overrides"]): RunConfig.Overrides =>
  Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))

/** A module that is a file is meant from where the user stands, not from where the configuration is. */
const fromHere = (tool: string | undefined, { cwd }: Session) =>
  tool !== undefined && UserModule.isFile(tool) ? path.resolve(cwd, tool) : tool

const load = ({ overrides, source, where }: Request, session: Session, roles: RunConfig.Known["roles"]) => {
  // The variable wins over the file, the option over both.
  const project = parameters.namedProject(overrides.project, session)
  const known: RunConfig.Known = {
    roles,
    tools: [...Tools.builtIn.keys()],
    here: session.cwd,
    overrides: given({ ...overrides, tool: fromHere(overrides.tool, session), project })
  }
  const config =
    "file" in source
      ? RunConfig.load(source.file, known)
      : RunConfig.fromInput({ agents: [source] }, { ...known, directory: session.cwd })
  return config.pipe(
    Effect.catchTag("ConfigError", (error): Effect.Effect<never, RunConfig.ConfigError | UsageError> => {
      // What is wrong on the command line is a matter of usage.
      const [issue] = error.issues
      if (!("role" in source) && !issue.path.startsWith("--")) return error
      return new UsageError({
        message: issue.message,
        where: issue.path.startsWith("--") ? `${where} ${issue.path}` : where,
        hint: issue.suggestion ?? `see ${where} --help`
      })
    })
  )
}

const planned = (
  config: RunConfig.RunConfig,
  session: Session
): Effect.Effect<Answer, Failure, RoleRegistry.RoleRegistry> =>
  Effect.gen(function* () {
    const DryRun = yield* Effect.promise(() => import("@contextfs/core/DryRun"))
    const plan = yield* DryRun.make(config, { dataDir: dataDir(session), env: session.env })
    warnOfFull(config, session)
    const { colour, columns } = session.stdout
    return { text: dryRunText(plan, style(colour), columns), json: plan }
  })

/** Anything at all is never a default: it was asked for by name, and that is said aloud. */
const warnOfFull = ({ jobs }: RunConfig.RunConfig, session: Session): void => {
  const agents = jobs
    .filter(({ delegate, permission }) => permission === "full" || delegate === "full")
    .map(({ agentId }) => agentId)
  if (agents.length === 0) return
  session.note(`warning: permission "full": ${agents.join(", ")} may do anything that you may do, without asking`)
}

/** Runs the agents and shows them. The exit code says whether all completed. */
export const runAgents = (request: Request, session: Session): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const around = { dataDir: dataDir(session), directory: session.cwd }
    const roles = yield* RoleRegistry.loadFiles({ ...around, home: session.env["HOME"] })
    const config = yield* load(request, session, yield* roles.list)
    const memory = (yield* chosen(session)) ?? config.memory
    if (request.dryRun === true) {
      return yield* Effect.provideService(planned(config, session), RoleRegistry.RoleRegistry, roles)
    }
    if (request.detach === true) return yield* detached(request, config, session)
    const live = { adapters: config.adapters, ...(memory === undefined ? {} : { memory }) }
    return yield* perform(session, { format: request.format, live }, (orchestrator, { onEvent }) =>
      orchestrator.run(config, {
        ...optionsOf(request, config, session),
        onEvent: (event) => {
          // Here all has been checked, and nothing is drawn yet.
          if (event.kind === "runStarted") warnOfFull(config, session)
          onEvent?.(event)
        }
      })
    )
  })

const optionsOf = (
  { failFast, wait }: Request,
  { memoryModule }: RunConfig.RunConfig,
  { cwd, memory }: Session
): RunOptions => {
  const named =
    memory?.module === undefined ? memoryModule : { module: memory.module, options: memory.options, directory: cwd }
  return {
    failFast: failFast === true,
    wait: wait !== false,
    ...(named === undefined ? {} : { memoryModule: named })
  }
}

/** The run is stored whole before anybody works on it, so that nothing is lost whatever becomes of the supervisor. */
const detached = (request: Request, config: RunConfig.RunConfig, session: Session): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { launch } = yield* Effect.promise(() => import("./detached.js"))
    const runId = yield* (yield* Orchestrator).enqueue(config, optionsOf(request, config, session))
    warnOfFull(config, session)
    const pid = yield* launch(session, runId)
    const jobs = config.jobs.map(({ agentId }, index) => ({ jobId: `${runId}-${index + 1}`, agentId }))
    const [first] = jobs
    const id = "role" in request.source && first !== undefined ? first.jobId : runId
    return {
      text: `${id}

follow  contextfs orchestrator logs ${id} -f
look    contextfs orchestrator status ${id}
end     contextfs orchestrator cancel ${id}
`,
      json: { id, runId, jobs, pid }
    }
  }).pipe(
    Effect.provide(
      Live.layer({ dataDir: dataDir(session), directory: session.cwd, env: session.env, adapters: config.adapters })
    )
  )
