/** What `npm run quickstart` shows: a run with the built-in rehearsal tool, and what its agents left in the memory. */
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.dirname(path.dirname(here))
const command = path.join(root, "packages/cli/dist/bin.cjs")
const config = path.relative(process.cwd(), path.join(here, "agents.json"))
const dataDir = path.join(root, ".quickstart")

const contextfs = (...args) => {
  console.log(`\n$ contextfs ${args.join(" ")}\n`)
  const { status } = spawnSync(process.execPath, [command, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CONTEXTFS_DATA_DIR: dataDir }
  })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(dataDir, { recursive: true, force: true })
contextfs("orchestrator", "run", config, "--tool", "mock")
contextfs("orchestrator", "findings", "--project", "quickstart")
console.log(`
The same file with an agent that you have installed (claude, gemini, codex or opencode):

  node ${path.relative(process.cwd(), command)} orchestrator run ${config} --tool claude
`)
