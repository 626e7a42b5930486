/** The agent programs, as `doctor` looks at them: where they are, their version, and how they may log in. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Environment from "@contextfs/core/Environment"
import type { ToolAdapter } from "@contextfs/core/ToolAdapter"
import * as Tools from "@contextfs/core/Tools"
import * as Effect from "effect/Effect"
import type { Session } from "../Session.js"
import type { Finding } from "./doctor.js"
import { pad } from "./layout.js"
import { programVersion } from "./programVersion.js"
import { shortPath } from "./shortPath.js"

const secretName = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i

type Env = Session["env"]
const set = (env: Env, name: string): string | undefined => env[name] || undefined

/** Where a program keeps its login; on some systems it is in the keychain instead. */
const loginFiles: Readonly<Record<string, (env: Env, home: string) => string>> = {
  claude: (env, home) => path.join(set(env, "CLAUDE_CONFIG_DIR") ?? path.join(home, ".claude"), ".credentials.json"),
  codex: (env, home) => path.join(set(env, "CODEX_HOME") ?? path.join(home, ".codex"), "auth.json"),
  gemini: (env, home) => path.join(set(env, "GEMINI_CLI_HOME") ?? home, ".gemini", "oauth_creds.json"),
  opencode: (env, home) =>
    path.join(set(env, "XDG_DATA_HOME") ?? path.join(home, ".local/share"), "opencode", "auth.json")
}

export interface ToolFinding extends Finding {
  readonly tool: string
  readonly program: string | null
  readonly version: string | null
  /** Names of variables, never values, and login files. */
  readonly auth: ReadonlyArray<string>
}

/** What is nowhere near the working directory is not said by it. */
const short = (file: string, { home }: Session): string => shortPath(file, { cwd: "/", home })

const lookAt = (adapter: ToolAdapter, session: Session): Effect.Effect<ToolFinding> =>
  Effect.gen(function* () {
    const { name } = adapter
    const base = { check: name, tool: name, program: null, version: null, auth: [] }
    if (adapter.command !== undefined) return { ...base, state: "ok", text: "comes with contextfs" } as const
    const found = Tools.locate(adapter, session.env["PATH"] ?? "", session.cwd)
    if ("missing" in found) {
      return found.missing.includes(" is not on PATH")
        ? ({ ...base, state: "none", text: "not installed" } as const)
        : ({ ...base, state: "warn", text: found.missing } as const)
    }
    const env = Environment.forAgent({ user: session.env, pass: adapter.passEnv(session.env), set: {} })
    const login = loginFiles[name]?.(session.env, session.home)
    const auth = [
      ...Object.keys(env).filter((variable) => secretName.test(variable) && env[variable] !== ""),
      ...(login !== undefined && fs.existsSync(login) ? [short(login, session)] : [])
    ]
    const version = yield* programVersion(found.file, env)
    const seen = { ...base, program: found.file, version, auth }
    if (version === null) {
      return {
        ...seen,
        state: "warn",
        text: short(found.file, session),
        hint: "it does not answer --version: try it by hand"
      } as const
    }
    const text = version
    return auth.length > 0
      ? ({ ...seen, state: "ok", text } as const)
      : ({
          ...seen,
          state: "warn",
          text,
          hint: "no key and no login file seen: log in with the program, if you have not"
        } as const)
  })

/** All at the same time, in the order of the tools. */
export const lookAtTools = (session: Session): Effect.Effect<ReadonlyArray<ToolFinding>> =>
  Effect.forEach([...Tools.builtIn.values()], (adapter) => lookAt(adapter, session), { concurrency: "unbounded" }).pipe(
    Effect.map((seen) => {
      const widest = Math.max(...seen.map(({ version }) => version?.length ?? 0))
      return seen.map((tool) => {
        const { auth, program, version } = tool
        if (version === null || program === null) return tool
        const text = [pad(version, widest), short(program, session), auth.join(", ")].join("  ").trimEnd()
        return { ...tool, text }
      })
    })
  )
