/** T11: secrets in every input and every output; then every byte that we wrote is looked at. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import * as canaries from "../security/canaries.mjs"
import { makeHome } from "../security/command.mjs"
import { random } from "../security/random.mjs"

export const id = "P19"
export const promise = "Secrets do not persist."

const leaky = fileURLToPath(new URL("../programs/leaky.mjs", import.meta.url))

const below = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => ({
    file: path.join(entry.parentPath ?? entry.path, entry.name),
    isFolder: entry.isDirectory()
  }))

export const run = async ({ scale = 1, seed = 1, note = () => undefined } = {}) => {
  const { all, keys, variables } = canaries.make(random(seed), Math.max(26, Math.round(50 * scale)))
  const home = makeHome(variables)
  // The agent's own copy lies outside of what we keep.
  const list = path.join(home.root, "keys.json")
  writeFileSync(list, JSON.stringify(keys))
  const tool = (...more) => ({
    command: [process.execPath, leaky, list, ...more],
    output: "events",
    passEnv: ["CANARY*"],
    env: { CONFIG_TOKEN: keys[0] }
  })
  const agent = (name) => ({
    role: "code",
    directory: ".",
    tool: name,
    retries: name === "failing" ? 1 : 0,
    // One NUL would be refused; everything else may stand in a task.
    task: `Use ${all.join(" or ")}`,
    env: { OWN_SECRET: keys[1] }
  })
  writeFileSync(
    path.join(home.work, "agents.json"),
    JSON.stringify({ tools: { leaky: tool(), failing: tool("fail") }, agents: [agent("leaky"), agent("failing")] })
  )
  writeFileSync(
    path.join(home.work, "broken.json"),
    JSON.stringify([{ role: keys[0], directory: keys[1], task: all[0], env: [all[1]] }])
  )

  const shown = []
  const say = async (args, options) => {
    const ended = await home.contextfs(args, { umask: 0, ...options })
    shown.push({ what: args.slice(0, 3).join(" "), bytes: Buffer.concat([ended.stdout, ended.stderr]) })
    return ended
  }
  const ran = await say(["orchestrator", "run", "agents.json", "--jsonl"])
  if (ran.code !== 1) note(`the run ended with ${ran.code}: ${ran.stderr.toString().slice(0, 300)}`)
  await say(["orchestrator", "run", "agents.json"])
  await say(["orchestrator", "run", "agents.json", "--dry-run"])
  await say(["orchestrator", "run", "broken.json", "--json"])
  for (const secret of all.slice(0, 6))
    await say(["memory", "save", `I keep ${secret}`, "--summary", secret, "--tags", "a"])
  for (const command of [
    ["memory", "list", "--json"],
    ["memory", "search", "key", "--json"],
    ["orchestrator", "findings", "--json"]
  ])
    await say(command)
  for (const format of [["--json"], []]) await say(["orchestrator", "status", ...format])

  const entries = [...below(home.dataDir), ...below(home.temporary)]
  const hits = new Map()
  const look = (what, bytes) => {
    const here = canaries.found(all, bytes)
    if (here.length > 0) hits.set(what, here.length)
  }
  for (const { file, isFolder } of entries)
    if (!isFolder && statSync(file).isFile()) look(path.relative(home.root, file), readFileSync(file))
  // What the user typed comes back in nothing but the errors about it.
  for (const { bytes, what } of shown) look(what, bytes)
  const wide = entries.filter(({ file, isFolder }) => (statSync(file).mode & 0o777) !== (isFolder ? 0o700 : 0o600))
  for (const [what, count] of hits) note(`${count} canaries in ${what}`)
  for (const { file } of wide) note(`mode of ${path.relative(home.root, file)}`)
  home.close()
  const leaks = [...hits.values()].reduce((sum, count) => sum + count, 0)
  return {
    figure: `${leaks} hits of ${all.length} canaries in ${entries.length} files and folders and ${shown.length} outputs; ${entries.length - wide.length} of ${entries.length} modes 0600 or 0700`,
    floor: "0 hits; 100 % of files 0600, directories 0700",
    ok: leaks === 0 && wide.length === 0 && entries.length > 10
  }
}
