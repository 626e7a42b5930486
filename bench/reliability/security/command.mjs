/** The built command in a home of its own. */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import os from "node:os"
import path from "node:path"
import { fileURLToPath } from "node:url"

export const bin = fileURLToPath(new URL("../../../packages/cli/dist/bin.cjs", import.meta.url))

export const makeHome = (more = {}) => {
  const root = mkdtempSync(path.join(os.tmpdir(), "cfs-rel-"))
  const work = path.join(root, "work")
  const temporary = path.join(root, "tmp")
  for (const folder of [work, temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const dataDir = path.join(root, "data")
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    TMPDIR: temporary,
    XDG_CACHE_HOME: path.join(root, "cache"),
    CONTEXTFS_DATA_DIR: dataDir,
    ...more
  }
  /** Ends with code and output; `through`: words before node, for a umask or a terminal. */
  const contextfs = (args, { input = "", extra = {}, umask, timeout = 120_000 } = {}) =>
    new Promise((resolve) => {
      const before = umask === undefined ? undefined : process.umask(umask)
      const child = spawn(process.execPath, [bin, ...args], { cwd: work, env: { ...env, ...extra }, stdio: "pipe" })
      if (before !== undefined) process.umask(before)
      const late = setTimeout(() => child.kill("SIGKILL"), timeout)
      const out = { stdout: [], stderr: [] }
      for (const name of ["stdout", "stderr"]) child[name].on("data", (chunk) => out[name].push(chunk))
      child.stdin.on("error", () => undefined)
      child.stdin.end(input)
      child.once("close", (code, signal) => {
        clearTimeout(late)
        resolve({ code, signal, stdout: Buffer.concat(out.stdout), stderr: Buffer.concat(out.stderr) })
      })
    })
  return { root, work, temporary, dataDir, env, contextfs, close: () => rmSync(root, { recursive: true, force: true }) }
}
