/** How each real agent program is brought to talk to the fake model server, and where it keeps a login. */
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { clientPath } from "../../../packages/fixtures/src/Clients.js"

export type ProgramName = "claude" | "codex"

export interface Program {
  readonly name: ProgramName
  /** The program by absolute path. */
  readonly command: ReadonlyArray<string>
  /** `tools.NAME` of the configuration for the fake server at `url`. */
  readonly settings: (url: string) => { readonly command: ReadonlyArray<string>; readonly args: ReadonlyArray<string> }
  /** What the user has in the environment, beside a key. */
  readonly env: (url: string) => Readonly<Record<string, string>>
  /** A key in the environment. */
  readonly key: Readonly<Record<string, string>>
  /** What the server sees of it. */
  readonly keyAuth: string
  /** Where the program keeps a login, below HOME; its content; what the server sees of it. */
  readonly login: { readonly file: string; readonly content: unknown; readonly auth: string }
  /** What the program writes in HOME for itself. */
  readonly own: RegExp
}

const installed = async (name: ProgramName): Promise<ReadonlyArray<string>> => {
  const argv = await clientPath(name)
  if (argv === undefined) throw new Error(`${name} is not installed: run npm run test:clients`)
  return argv
}

const claudeCommand = await installed("claude")
const codexCommand = await installed("codex")
const farAway = Date.UTC(2100, 0)

export const programs: Readonly<Record<ProgramName, Program>> = {
  claude: {
    name: "claude",
    command: claudeCommand,
    settings: () => ({ command: claudeCommand, args: [] }),
    env: (url) => ({
      ANTHROPIC_BASE_URL: url,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_ERROR_REPORTING: "1",
      DISABLE_TELEMETRY: "1"
    }),
    key: { ANTHROPIC_API_KEY: "dummy-key" },
    keyAuth: "dummy-key",
    login: {
      file: ".claude/.credentials.json",
      content: {
        claudeAiOauth: {
          accessToken: "dummy-planted-token",
          refreshToken: "dummy-refresh-token",
          expiresAt: farAway,
          scopes: ["user:inference", "user:profile"],
          subscriptionType: "pro"
        }
      },
      auth: "Bearer dummy-planted-token"
    },
    own: /^\.claude(?:\.json(?:\.backup.*)?)?$|^\.cache\/claude(?:-cli-nodejs)?$|^\.local\/(?:share|state)\/claude$/
  },
  codex: {
    name: "codex",
    command: codexCommand,
    settings: (url) => ({
      command: codexCommand,
      args: [
        ...["-c", `openai_base_url=${JSON.stringify(`${url}/v1`)}`, "-c", "check_for_update_on_startup=false"],
        ...["-c", "analytics.enabled=false", "--disable", "plugins", "--disable", "apps"]
      ]
    }),
    env: () => ({}),
    key: { CODEX_API_KEY: "dummy-key" },
    keyAuth: "Bearer dummy-key",
    login: {
      file: ".codex/auth.json",
      content: { OPENAI_API_KEY: "dummy-planted-key" },
      auth: "Bearer dummy-planted-key"
    },
    own: /^\.codex$/
  }
}

/** Puts the login where the program looks for it. */
export const plant = async (program: Program, home: string): Promise<void> => {
  const file = join(home, program.login.file)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, JSON.stringify(program.login.content), { mode: 0o600 })
}
