/**
 * `npm run test:clients`: installs the pinned agent programs and drives them through the built command against a fake model
 * server. As root everything runs in a network namespace that has loopback only, and the repository, the programs and node are
 * bound into a folder that a normal user can read too. Arguments are passed on to vitest.
 */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { clientsDir } from "../packages/fixtures/dist/Clients.js"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const programs = ["claude", "codex"]
const report = path.join(".test-results", "clients.json")

const run = (command, args, options) => {
  const { status, signal, error } = spawnSync(command, args, { stdio: "inherit", ...options })
  if (error !== undefined) throw error
  return status ?? (signal === null ? 1 : 128 + os.constants.signals[signal])
}

const vitest = (at, node) => [
  node,
  path.join(at, "node_modules/vitest/vitest.mjs"),
  "run",
  "--config",
  "vitest.clients.config.ts"
]

/** Private mounts: they are gone with the last process of the namespace. */
const enter = `set -e
ip link set lo up
mount --bind "$1/" "$2/repository"
mount --bind "$3/" "$2/clients"
mount --bind "$4" "$2/bin/node"
cd "$2/repository"
shift 4
exec "$@"`

const enclosed = (args) => {
  const at = mkdtempSync(path.join(os.tmpdir(), "cfs-clients-"))
  chmodSync(at, 0o755)
  const folders = ["repository", "clients", "bin"].map((name) => path.join(at, name))
  const node = path.join(at, "bin", "node")
  try {
    for (const folder of folders) mkdirSync(folder)
    writeFileSync(node, "")
    const env = {
      ...process.env,
      PATH: `${path.join(at, "bin")}${path.delimiter}${process.env.PATH}`,
      CONTEXTFS_CLIENTS_DIR: path.join(at, "clients")
    }
    return run(
      "unshare",
      [
        ...["--mount", "--net", "--propagation", "private", "sh", "-c", enter, "enter"],
        ...[root, at, realpathSync(clientsDir()), realpathSync(process.execPath)],
        ...vitest(path.join(at, "repository"), node),
        ...args
      ],
      { env }
    )
  } finally {
    rmSync(node, { force: true })
    for (const folder of [...folders, at]) rmdirSync(folder)
  }
}

/** Why this host or user cannot have it, or undefined. */
const obstacle = () => {
  if (process.getuid?.() !== 0) return "not root: only the present user is tried, and without a network namespace"
  const probe = [
    "--mount",
    "--net",
    "--propagation",
    "private",
    "sh",
    "-c",
    "ip link set lo up && mount --bind /tmp /tmp"
  ]
  return spawnSync("unshare", probe).status === 0
    ? undefined
    : "this host gives no network namespace (unshare, ip, mount): the programs are kept to loopback by their settings alone"
}

// An interrupt reaches the tests too; we stay to clean up behind them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {})

rmSync(path.join(root, report), { force: true })
const installed = run(process.execPath, [path.join(root, "packages/fixtures/dist/installClients.js"), ...programs])
if (installed !== 0) process.exit(installed)

const why = obstacle()
const args = process.argv.slice(2)
if (why !== undefined) console.log(why)
const [node, ...rest] = vitest(root, process.execPath)
process.exitCode = why === undefined ? enclosed(args) : run(node, [...rest, ...args], { cwd: root })
