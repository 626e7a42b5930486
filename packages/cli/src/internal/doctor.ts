/** What `doctor` looks at. It starts no agent and writes nothing. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as AgentProcess from "@contextfs/core/AgentProcess"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Trust from "@contextfs/roles/Trust"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { exitCodes } from "../CliError.js"
import type { Session } from "../Session.js"
import { lookAtTools } from "./doctorTools.js"
import { plural } from "./format.js"
import { shortPath } from "./shortPath.js"
import { dataDir } from "./store.js"
import { stateOf } from "./trustState.js"

declare const __VERSION__: string

export interface Finding {
  readonly check: string
  /** `none`: nothing is there, and nothing is wrong with that. */
  readonly state: "ok" | "warn" | "problem" | "none"
  readonly text: string
  /** What to do about it. */
  readonly hint?: string
  /** Of a problem: what the process ends with. */
  readonly exitCode?: number
}

export interface Section {
  readonly title: string
  readonly findings: ReadonlyArray<Finding>
}

const ok = (check: string, text: string): Finding => ({ check, state: "ok", text })
const warn = (check: string, text: string, hint: string): Finding => ({ check, state: "warn", text, hint })
const problem = (check: string, text: string, hint: string, exitCode: number): Finding => ({
  check,
  state: "problem",
  text,
  hint,
  exitCode
})

const node: Finding = ok("node", `${process.versions.node} on ${process.platform}-${process.arch}`)

const sqlite: Effect.Effect<Finding> = Effect.scoped(
  Effect.gen(function* () {
    const { sql } = yield* Sqlite.make({ path: ":memory:", migrations: [] })
    const [row] = yield* sql<{ readonly version: string }>`SELECT sqlite_version() AS version`
    return ok("sqlite", row?.version ?? "")
  })
).pipe(
  Effect.catchAll((error) =>
    Effect.succeed(
      problem(
        "sqlite",
        error.message,
        ("hint" in error ? error.hint : undefined) ?? "install contextfs again",
        exitCodes.storage
      )
    )
  )
)

const writable = (folder: string): boolean => {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}

const ancestor = (folder: string): string =>
  fs.existsSync(folder) || path.dirname(folder) === folder ? folder : ancestor(path.dirname(folder))

const dataFolder = (session: Session): Finding => {
  const folder = dataDir(session)
  const source = (session.env["CONTEXTFS_DATA_DIR"] ?? "") === "" ? "default" : "$CONTEXTFS_DATA_DIR"
  const text = `${shortPath(folder, session)}  (${source})`
  const unusable = (what: string) =>
    problem(
      "data",
      `${text}: ${what}`,
      "check its permissions, or set CONTEXTFS_DATA_DIR to another folder",
      exitCodes.storage
    )
  const stat = fs.existsSync(folder) ? fs.statSync(folder) : undefined
  if (stat === undefined) {
    return writable(ancestor(folder)) ? ok("data", `${text}, made at the first run`) : unusable("it cannot be made")
  }
  if (!stat.isDirectory()) return unusable("it is no folder")
  if (!writable(folder)) return unusable("it cannot be written")
  return (stat.mode & 0o077) === 0
    ? ok("data", text)
    : warn("data", `${text}: others may enter it (mode ${(stat.mode & 0o777).toString(8)})`, `chmod 700 ${folder}`)
}

const containment = (session: Session): Effect.Effect<Finding> =>
  AgentProcess.look(session.env["PATH"] ?? "").pipe(
    Effect.map(({ promise }) => ok("containment", promise)),
    Effect.catchAll(({ message }) =>
      Effect.succeed(problem("containment", message, "without it no agent can be started", exitCodes.unavailable))
    )
  )

interface Configured {
  readonly finding: Finding
  /** Its name. */
  readonly configFile: string
  readonly config: RunConfig.RunConfig | null
}

const configFiles = ["agents.json", "agents.yaml", "agents.yml"]

const configuration = (session: Session, roles: ReadonlyArray<RoleRegistry.KnownRole>): Effect.Effect<Configured> =>
  Effect.gen(function* () {
    const configFile = configFiles.find((name) => fs.existsSync(path.join(session.cwd, name))) ?? "agents.json"
    const file = path.join(session.cwd, configFile)
    if (!fs.existsSync(file)) {
      return { finding: { check: configFile, state: "none", text: "none here" }, configFile, config: null } as const
    }
    const known = { roles, tools: [...Tools.builtIn.keys()], stdin: () => "" }
    const config = yield* Effect.either(RunConfig.load(file, known))
    if (Either.isLeft(config)) {
      const [line = "", ...more] = config.left.message.split("\n")
      const text = more.length === 0 ? line : `${line}, and ${more.length} more`
      const hint = `contextfs orchestrator run ${configFile} --tool mock tells all of it`
      return { finding: problem(configFile, text, hint, exitCodes.config), configFile, config: null }
    }
    const { jobs } = config.right
    const missing = [
      ...new Set(jobs.filter(({ settings }) => settings.command === undefined).map(({ tool }) => tool))
    ].filter((tool) => {
      const adapter = Tools.builtIn.get(tool)
      return adapter !== undefined && "missing" in Tools.locate(adapter, session.env["PATH"] ?? "", session.cwd)
    })
    const text = plural(jobs.length, "agent")
    const finding =
      missing.length === 0
        ? ok(configFile, text)
        : warn(configFile, `${text}; not installed: ${missing.join(", ")}`, "install it, or give run another --tool")
    return { finding, configFile, config: config.right }
  })

const projectOf = (given: string | undefined, session: Session, { config, configFile }: Configured): Finding => {
  const variable = session.env["CONTEXTFS_PROJECT"] || undefined
  if (given !== undefined) return ok("project", `${given}  (--project)`)
  if (variable !== undefined) return ok("project", `${variable}  ($CONTEXTFS_PROJECT)`)
  if (config !== null && config.project !== "default") return ok("project", `${config.project}  (${configFile})`)
  return ok("project", "default  (default)")
}

const rolesOf = (session: Session) =>
  Effect.gen(function* () {
    const around = { dataDir: dataDir(session), directory: session.cwd, home: session.env["HOME"] }
    const loaded = yield* Effect.either(Effect.flatMap(RoleRegistry.loadFiles(around), ({ list }) => list))
    if (Either.isLeft(loaded)) {
      const [line = "", ...more] = loaded.left.message.split("\n")
      const text = more.length === 0 ? line : `${line}, and ${more.length} more`
      const code = loaded.left._tag === "StorageError" ? exitCodes.storage : exitCodes.config
      const finding = problem("roles", text, "contextfs orchestrator roles tells all of it", code)
      return { finding, roles: RoleRegistry.make(RoleRegistry.builtIn).list }
    }
    const of = (kind: RoleRegistry.Origin["kind"]) => loaded.right.filter(({ origin }) => origin.kind === kind).length
    const text = [
      `${of("builtIn")} built in`,
      ...(of("user") === 0 ? [] : [`${of("user")} yours`]),
      ...(of("project") === 0 ? [] : [`${of("project")} of this project`])
    ].join(", ")
    const refused = loaded.right.flatMap((role) => RoleRegistry.refusal(role, role.permission) ?? [])
    const [first] = refused
    const finding =
      first === undefined
        ? ok("roles", text)
        : warn(
            "roles",
            `${text}; not trusted: ${refused.map(({ file }) => shortPath(file, session)).join(", ")}`,
            "read what they ask for, then contextfs trust FILE"
          )
    return { finding, roles: Effect.succeed(loaded.right) }
  })

const trusted = (session: Session): Effect.Effect<Finding> =>
  Trust.list(dataDir(session)).pipe(
    Effect.map((files): Finding => {
      if (files.length === 0) return { check: "trusted", state: "none", text: "no file" }
      const stale = files.filter((entry) => stateOf(entry) !== "trusted")
      const text = plural(files.length, "file")
      return stale.length === 0
        ? ok("trusted", text)
        : warn("trusted", `${text}, ${stale.length} changed or gone since`, "contextfs trust --list")
    }),
    Effect.catchAll(({ hint, message }) =>
      Effect.succeed(problem("trusted", message, hint ?? "check the data folder", exitCodes.storage))
    )
  )

/** Everything, in the order in which it is shown. */
export const examine = (given: string | undefined, session: Session): Effect.Effect<ReadonlyArray<Section>> =>
  Effect.gen(function* () {
    const [database, end, tools, written, trust] = yield* Effect.all(
      [sqlite, containment(session), lookAtTools(session), rolesOf(session), trusted(session)],
      { concurrency: "unbounded" }
    )
    const configured = yield* configuration(session, yield* written.roles)
    const usable = tools.some(({ version }) => version !== null)
    return [
      {
        title: `contextfs ${__VERSION__}`,
        findings: [node, database, dataFolder(session), projectOf(given, session, configured), end]
      },
      {
        title: "agent programs",
        findings: [
          ...tools,
          ...(usable
            ? []
            : [
                problem(
                  "agents",
                  "no agent program can be used",
                  "install claude, gemini, codex or opencode; until then --tool mock rehearses",
                  exitCodes.unavailable
                )
              ])
        ]
      },
      { title: "here", findings: [configured.finding, written.finding, trust] }
    ]
  })
