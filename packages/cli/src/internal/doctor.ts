/** What `doctor` looks at. It starts no agent and leaves nothing itself. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as AgentProcess from "@contextfs/core/AgentProcess"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Namespace from "@contextfs/memory/Namespace"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Sqlite from "@contextfs/memory/Sqlite"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Trust from "@contextfs/roles/Trust"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { exitCodes } from "../CliError.js"
import type { Session } from "../Session.js"
import { lookAtTools } from "./doctorTools.js"
import { amount, plural } from "./format.js"
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

const stored = (check: string, { hint, message }: StorageError): Finding =>
  problem(check, message, hint ?? "check the data folder", exitCodes.storage)

const dataFolder = (session: Session): Effect.Effect<Finding> => {
  const folder = dataDir(session)
  const source = (session.env["CONTEXTFS_DATA_DIR"] ?? "") === "" ? "default" : "$CONTEXTFS_DATA_DIR"
  const text = `${shortPath(folder, session)}  (${source})`
  return PrivateFiles.tryDataFolder(folder).pipe(
    Effect.map((stat) => {
      if (stat === undefined) return ok("data", `${text}, made at the first run`)
      return (stat.mode & 0o077) === 0
        ? ok("data", text)
        : warn("data", `${text}: others may enter it (mode ${(stat.mode & 0o777).toString(8)})`, `chmod 700 ${folder}`)
    }),
    Effect.catchAll((error) => Effect.succeed(stored("data", error)))
  )
}

/** Whether what is kept in a file of the data folder is whole; nothing where nothing is kept yet. */
const kept = (check: string, name: string, session: Session): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    const file = path.join(dataDir(session), name)
    // Of a folder that nobody can look into enough is told.
    if (!fs.existsSync(file)) return []
    yield* Sqlite.check(file)
    return [ok(check, `${shortPath(file, session)}, ${amount(fs.statSync(file).size)} bytes`)]
  }).pipe(Effect.catchAll((error) => Effect.succeed([stored(check, error)])))

const databases = (session: Session): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.map(
    Effect.all([kept("memory", Namespace.databaseName, session), kept("journal", JobQueue.databaseName, session)]),
    (found) => found.flat()
  )

/** Folders in which the programs of this user are looked for, and which nobody can look into. */
const searchPath = ({ env }: Session): ReadonlyArray<Finding> => {
  const folders = new Set((env["PATH"] ?? "").split(path.delimiter))
  const closed = [...folders].filter((folder) => folder !== "" && isClosed(folder))
  return closed.length === 0
    ? []
    : [warn("PATH", `not readable: ${closed.join(", ")}`, "make it readable for this user, or take it off PATH")]
}

const isClosed = (folder: string): boolean => {
  try {
    fs.accessSync(folder, fs.constants.X_OK)
    return false
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EACCES"
  }
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
    const [database, data, files, end, tools, written, trust] = yield* Effect.all(
      [
        sqlite,
        dataFolder(session),
        databases(session),
        containment(session),
        lookAtTools(session),
        rolesOf(session),
        trusted(session)
      ],
      { concurrency: "unbounded" }
    )
    const configured = yield* configuration(session, yield* written.roles)
    const usable = tools.some(({ version }) => version !== null)
    return [
      {
        title: `contextfs ${__VERSION__}`,
        findings: [node, database, data, ...files, projectOf(given, session, configured), end]
      },
      {
        title: "agent programs",
        findings: [
          ...searchPath(session),
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
