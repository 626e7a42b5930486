/** T11 for the environment: an agent of every kind says what it was given. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import * as Environment from "@contextfs/core/Environment"
import * as Tools from "@contextfs/core/Tools"
import { makeHome } from "../security/command.mjs"
import { random } from "../security/random.mjs"

export const id = "P20"
export const promise = "Agents get only their environment."

/** What must reach no agent, unless it is its own provider's. */
const names = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AZURE_CLIENT_SECRET",
  "GITHUB_TOKEN",
  "GH_TOKEN",
  "GITLAB_TOKEN",
  "NPM_TOKEN",
  "NODE_AUTH_TOKEN",
  "DOCKER_AUTH_CONFIG",
  "DATABASE_URL",
  "PGPASSWORD",
  "MYSQL_PWD",
  "REDIS_URL",
  "SLACK_BOT_TOKEN",
  "STRIPE_SECRET_KEY",
  "SENTRY_AUTH_TOKEN",
  "VAULT_TOKEN",
  "KUBECONFIG",
  "CI_JOB_TOKEN",
  "NODE_OPTIONS",
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "DYLD_INSERT_LIBRARIES",
  "PYTHONSTARTUP",
  "PERL5OPT",
  "RUBYOPT",
  "BASH_ENV",
  "ENV",
  "PROMPT_COMMAND",
  "GIT_ASKPASS",
  "GIT_SSH_COMMAND",
  "OPENROUTER_UNKNOWN",
  "SECRET",
  "PASSWORD",
  "MY_COMPANY_KEY",
  "CONTEXTFS_TOKEN",
  "CONTEXTFS_SOCKET",
  "npm_config__authToken",
  "HISTFILE"
]

export const run = async ({ seed = 1, note = () => undefined } = {}) => {
  const { word } = random(seed)
  const canaries = new Map(names.map((name) => [name, `canary-${word(16)}`]))
  const marks = new Map(Environment.sessionMarks.map((name) => [name, `canary-${word(16)}`]))
  let leaked = 0
  // Each adapter as data: what would pass by its families.
  for (const [tool, adapter] of Tools.builtIn) {
    const user = Object.fromEntries([...canaries, ...marks])
    const env = Environment.forAgent({ user, pass: adapter.passEnv(user), set: {} })
    for (const [name, value] of Object.entries(env)) {
      if (!`${value}`.startsWith("canary-")) continue
      leaked++
      note(`${tool} would be given ${name}`)
    }
  }
  // And a process as it is started, with everything that stands between.
  const home = makeHome()
  const program = path.join(home.root, "print-env")
  writeFileSync(program, '#!/bin/sh\nexec env -0 >"$HOME/seen"\n')
  chmodSync(program, 0o755)
  writeFileSync(
    path.join(home.work, "agents.json"),
    JSON.stringify({
      tools: { t: { command: [program] } },
      agents: [{ role: "docs", directory: ".", task: "x", tool: "t", retries: 0 }]
    })
  )
  // The command itself must start: these four would change node, not the agent.
  const inherited = Object.fromEntries(
    [...canaries, ...marks].filter(([name]) => !/^(NODE_OPTIONS|LD_|DYLD_|CONTEXTFS_)/.test(name))
  )
  await home.contextfs(["orchestrator", "run", "agents.json"], { extra: inherited })
  const seen = readdirSync(home.root).includes("seen") ? readFileSync(path.join(home.root, "seen"), "utf8") : ""
  for (const [name, value] of Object.entries(inherited)) {
    if (!seen.includes(value)) continue
    leaked++
    note(`a process was given ${name}`)
  }
  const given = seen.split("\0").filter((entry) => entry !== "").length
  home.close()
  return {
    figure: `${leaked} of ${canaries.size} canary variables and ${marks.size} session marks leaked, over ${Tools.builtIn.size} tools and a process that was given ${given} variables`,
    floor: "0 leaked",
    ok: leaked === 0 && given > 3
  }
}
