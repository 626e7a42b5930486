/**
 * `npm run test:clients`: installs the pinned agent programs and drives them through the built command against a fake model
 * server: claude and codex, with `--full` also gemini and opencode, with `--only=a,b` those. As root everything runs in a network namespace that has
 * loopback only, and the repository, the programs and node are bound into a folder that a normal user can read too. Other
 * arguments are passed on to vitest.
 */
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { clientsDir } from "../packages/fixtures/dist/Clients.js"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const full = process.argv.includes("--full")
const only = process.argv.find((arg) => arg.startsWith("--only="))?.slice("--only=".length)
const programs =
  only !== undefined ? only.split(",") : full ? ["claude", "codex", "gemini", "opencode"] : ["claude", "codex"]
const env = { ...process.env, CONTEXTFS_TEST_CLIENTS: programs.join(","), CONTEXTFS_TEST_FULL: full ? "1" : "0" }
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
mount --bind "$2/worlds" /mnt
cd "$2/repository"
shift 4
exec "$@"`

const enclosed = (args) => {
  const at = mkdtempSync(path.join(os.tmpdir(), "cfs-clients-"))
  chmodSync(at, 0o755)
  const folders = ["repository", "clients", "bin"].map((name) => path.join(at, name))
  const node = path.join(at, "bin", "node")
  try {
    for (const folder of [...folders, path.join(at, "worlds")]) mkdirSync(folder, { mode: 0o755 })
    writeFileSync(node, "")
    const inside = {
      ...env,
      PATH: `${path.join(at, "bin")}${path.delimiter}${process.env.PATH}`,
      CONTEXTFS_CLIENTS_DIR: path.join(at, "clients"),
      CONTEXTFS_TEST_NORMAL_USER: "1",
      // Not below /tmp: gemini ignores a settings file where anybody may write into a folder above it.
      CONTEXTFS_TEST_FOLDER: "/mnt"
    }
    return run(
      "unshare",
      [
        ...["--mount", "--net", "--propagation", "private", "sh", "-c", enter, "enter"],
        ...[root, at, realpathSync(clientsDir()), realpathSync(process.execPath)],
        ...vitest(path.join(at, "repository"), node),
        ...args
      ],
      { env: inside }
    )
  } finally {
    rmSync(node, { force: true })
    rmSync(path.join(at, "worlds"), { recursive: true, force: true, maxRetries: 3 })
    for (const folder of [...folders, at]) rmdirSync(folder)
  }
}

/** Why this host or user cannot have it, or undefined. */
const obstacle = () => {
  if (process.getuid?.() !== 0) return "not root"
  const probe = [
    "--mount",
    "--net",
    "--propagation",
    "private",
    "sh",
    "-c",
    "ip link set lo up && mount --bind /tmp /mnt"
  ]
  return spawnSync("unshare", probe).status === 0 ? undefined : "no namespaces here (unshare, ip, mount)"
}

/** The present user only, kept to loopback by the programs' settings alone. */
const open = (args) => {
  const at = mkdtempSync(path.join(path.dirname(clientsDir()), "test-"))
  const [node, ...rest] = vitest(root, process.execPath)
  try {
    return run(node, [...rest, ...args], { cwd: root, env: { ...env, CONTEXTFS_TEST_FOLDER: at } })
  } finally {
    rmSync(at, { recursive: true, force: true, maxRetries: 3 })
  }
}

// An interrupt reaches the tests too; we stay to clean up behind them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {})

rmSync(path.join(root, report), { force: true })
const installed = run(process.execPath, [path.join(root, "packages/fixtures/dist/installClients.js"), ...programs])
if (installed !== 0) process.exit(installed)

const why = obstacle()
if (why !== undefined) console.log(`${why}: only the present user is tried, and without a network namespace`)
const args = process.argv.slice(2).filter((arg) => arg !== "--full" && !arg.startsWith("--only="))
process.exitCode = why === undefined ? enclosed(args) : open(args)
