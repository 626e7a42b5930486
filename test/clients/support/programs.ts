/** How each real agent program is brought to talk to the fake model server, and where it keeps a login. */
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { type ClientName, clientNames, clientPath } from "../../../packages/fixtures/src/Clients.js"
import { wanted } from "./settings.js"
import type { World } from "./world.js"

export interface Program {
  readonly name: ClientName
  /** The program by absolute path, and what always comes first. */
  readonly command: ReadonlyArray<string>
  /** `tools.NAME` of the configuration for the fake server at `url`. */
  readonly settings: (url: string) => { readonly command: ReadonlyArray<string>; readonly args: ReadonlyArray<string> }
  /** What the user has in the environment, beside a key. */
  readonly env: (url: string) => Readonly<Record<string, string>>
  /** The user's own configuration, below HOME. */
  readonly configuration?: { readonly file: string; readonly content: (url: string) => unknown }
  /** A key in the environment. */
  readonly key: Readonly<Record<string, string>>
  /** What the server sees of it. */
  readonly keyAuth: string
  /** Where the program keeps a login, below HOME; its content; what the server sees of it. */
  readonly login: { readonly file: string; readonly content: string; readonly auth: string }
  /** What the program writes in HOME for itself. */
  readonly own: RegExp
  /** Where in HOME it would look for a server that somebody configured. */
  readonly settingsFiles: ReadonlyArray<string>
  /** The model to name where the program would else ask which one to take. */
  readonly model?: string
  /** What any user of it has run before, where agents at once would else trip over its first start. */
  readonly prime?: ReadonlyArray<string>
  /** A user's folder of its own for one agent, with a foreign MCP server in it: the environment that says so. */
  readonly ownFolder: (user: OwnFolder) => Promise<Readonly<Record<string, string>>>
}

export interface OwnFolder {
  readonly url: string
  /** Writes a file that only this agent's program sees; its folder. */
  readonly write: (name: string, text: string) => Promise<string>
  readonly server?: { readonly command: string; readonly args: ReadonlyArray<string> }
  readonly settings?: Readonly<Record<string, unknown>>
}

const geminiSettings = {
  security: { auth: { selectedType: "gemini-api-key" } },
  telemetry: { enabled: false },
  privacy: { usageStatisticsEnabled: false },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false }
}

const farAway = Date.UTC(2100, 0)

const known: Readonly<Record<ClientName, (command: ReadonlyArray<string>) => Program>> = {
  claude: (command) => ({
    name: "claude",
    command,
    settings: () => ({ command, args: [] }),
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
      content: JSON.stringify({
        claudeAiOauth: {
          accessToken: "dummy-planted-token",
          refreshToken: "dummy-refresh-token",
          expiresAt: farAway,
          scopes: ["user:inference", "user:profile"],
          subscriptionType: "pro"
        }
      }),
      auth: "Bearer dummy-planted-token"
    },
    settingsFiles: [".claude.json", ".claude/settings.json"],
    own: /^\.claude(?:\.json(?:\.backup.*)?)?$|^\.cache\/claude(?:-cli-nodejs)?$|^\.local\/(?:share|state)\/claude$/,
    ownFolder: async ({ write, server }) => ({
      CLAUDE_CONFIG_DIR: await write(
        ".claude.json",
        JSON.stringify(server === undefined ? {} : { mcpServers: { foreign: { type: "stdio", ...server } } })
      )
    })
  }),
  codex: (command) => ({
    name: "codex",
    command,
    settings: (url) => ({
      command,
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
      content: JSON.stringify({ OPENAI_API_KEY: "dummy-planted-key" }),
      auth: "Bearer dummy-planted-key"
    },
    settingsFiles: [".codex/config.toml"],
    own: /^\.codex$/,
    // Only `required` makes it wait for a server.
    ownFolder: async ({ write, server, settings }) => {
      const words = Object.entries(server === undefined ? {} : { ...server, ...settings })
      const table = words.map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`).join("")
      return { CODEX_HOME: await write("config.toml", table === "" ? "" : `[mcp_servers.foreign]\n${table}`) }
    }
  }),
  gemini: (command) => ({
    name: "gemini",
    command,
    settings: () => ({ command, args: [] }),
    model: "gemini-2.5-flash",
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url }),
    configuration: { file: ".gemini/settings.json", content: () => geminiSettings },
    key: { GEMINI_API_KEY: "dummy-key" },
    keyAuth: "dummy-key",
    login: { file: ".gemini/.env", content: "GEMINI_API_KEY=dummy-planted-key\n", auth: "dummy-planted-key" },
    settingsFiles: [".gemini/settings.json"],
    own: /^\.gemini$/,
    ownFolder: async ({ write, server, settings }) => {
      const mcpServers = server === undefined ? {} : { foreign: server }
      const all = { ...geminiSettings, mcpServers, ...settings }
      const folder = await write(".gemini/settings.json", JSON.stringify(all))
      return { GEMINI_CLI_HOME: dirname(folder) }
    }
  }),
  opencode: (command) => ({
    name: "opencode",
    command,
    settings: () => ({ command, args: [] }),
    env: () => ({
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1"
    }),
    configuration: {
      file: ".config/opencode/opencode.json",
      content: (url) => ({
        autoupdate: false,
        share: "disabled",
        provider: {
          lab: {
            npm: "@ai-sdk/openai-compatible",
            name: "Lab",
            env: ["OPENAI_API_KEY"],
            options: { baseURL: `${url}/v1` },
            models: {
              "lab-model": { name: "Lab model", limit: { context: 1_000_000, output: 8_192 }, tool_call: true }
            }
          }
        },
        model: "lab/lab-model",
        small_model: "lab/lab-model",
        enabled_providers: ["lab"]
      })
    },
    key: { OPENAI_API_KEY: "dummy-key" },
    keyAuth: "Bearer dummy-key",
    login: {
      file: ".local/share/opencode/auth.json",
      content: JSON.stringify({ lab: { type: "api", key: "dummy-planted-key" } }),
      auth: "Bearer dummy-planted-key"
    },
    settingsFiles: [
      ".config/opencode/opencode.json",
      ".config/opencode/opencode.jsonc",
      ".config/opencode/config.json"
    ],
    own: /^(?:\.cache|\.config|\.local\/share|\.local\/state)\/opencode$/,
    // Its first start makes its database, and two first starts at once break each other.
    prime: ["auth", "list"],
    ownFolder: async ({ server, settings }) => {
      const mcp =
        server === undefined
          ? {}
          : { mcp: { foreign: { type: "local", command: [server.command, ...server.args], enabled: true } } }
      return { OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...mcp, ...settings }) }
    }
  })
}

const installed = async (name: ClientName): Promise<ReadonlyArray<string>> => {
  const argv = await clientPath(name)
  if (argv === undefined) throw new Error(`${name} is not installed: run npm run test:clients`)
  return argv
}

/** The programs of this run. */
export const programs: ReadonlyArray<Program> = await Promise.all(
  clientNames.filter((name) => wanted.includes(name)).map(async (name) => known[name](await installed(name)))
)

/** Makes the user's configuration, where the program needs one to find the fake server, and what a first start leaves. */
export const configure = async (program: Program, world: World, url: string): Promise<void> => {
  if (program.configuration !== undefined) {
    await write(world.home, program.configuration.file, JSON.stringify(program.configuration.content(url)))
  }
  const [file, ...args] = program.prime === undefined ? [] : [...program.command, ...program.prime]
  if (file === undefined) return
  await mkdir(join(world.folder, "before"), { recursive: true })
  await world.handOver()
  const { code, stderr } = await world.start(file, args, { ...program.env(url), TMPDIR: join(world.folder, "before") })
  if (code !== 0) throw new Error(`${program.name} did not start: ${stderr}`)
}

/** Puts the login where the program looks for it. */
export const plant = (program: Program, home: string): Promise<void> =>
  write(home, program.login.file, program.login.content)

const write = async (home: string, name: string, content: string): Promise<void> => {
  const file = join(home, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content, { mode: 0o600 })
}
