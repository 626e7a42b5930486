/** Installs what the workspace needs, with the pinned pnpm, on a machine that has Node 20 and npm. Says one thing when it cannot. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"
import { fileURLToPath } from "node:url"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const { packageManager, engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))

const fail = (message) => {
  console.error(`error[Setup]: ${message}`)
  process.exit(1)
}

const wanted = engines.node.replace(">=", "").split(".").map(Number)
const have = process.versions.node.split(".").map(Number)
if (have[0] < wanted[0] || (have[0] === wanted[0] && have[1] < wanted[1])) {
  fail(`Node ${process.versions.node} is too old – this workspace – install Node ${engines.node}`)
}

/** Where no prebuilt SQLite driver can be had it is compiled, against the headers that came with this Node if any. */
const headers = path.dirname(path.dirname(process.execPath))
const env = { ...process.env, DO_NOT_TRACK: "1", TURBO_TELEMETRY_DISABLED: "1" }
if (env.npm_config_nodedir === undefined && existsSync(path.join(headers, "include/node/node.h"))) {
  env.npm_config_nodedir = headers
}

const install = spawnSync("npx", ["-y", packageManager, "install", "--frozen-lockfile", "--reporter=append-only"], {
  cwd: root,
  env,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "pipe"]
})
const output = `${install.stdout ?? ""}${install.stderr ?? ""}`

/** The SQLite driver is the one part that is compiled; opening a database is the only proof that it is there. */
const openSqlite = () => {
  try {
    const require = createRequire(path.join(root, "packages/memory/package.json"))
    const Database = require("better-sqlite3")
    new Database(":memory:").close()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : `${error}`
  }
}

const broken = openSqlite()
if (install.status !== 0 || broken !== undefined) {
  const missing = ["python3", "make", "g++"].filter((tool) => spawnSync(tool, ["--version"]).status !== 0)
  process.stderr.write(output.slice(-4000))
  if (missing.length > 0 && (broken !== undefined || output.includes("node-gyp"))) {
    fail(`the SQLite driver has to be compiled – ${missing.join(", ")} missing – install them and run again`)
  }
  const what = install.status === 0 ? broken : (install.error?.message ?? `pnpm ended with code ${install.status}`)
  fail(`the packages could not be installed – ${what} – see the lines above`)
}
