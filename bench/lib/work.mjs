/** A folder of its own for every measure: data, HOME, and a place for agents that is in no repository. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"

export const makeWork = () => {
  const folder = mkdtempSync(path.join(tmpdir(), "contextfs-bench-"))
  const sub = (name) => {
    const made = path.join(folder, name)
    mkdirSync(made, { recursive: true, mode: 0o700 })
    return made
  }
  const close = () => {
    process.off("exit", close)
    rmSync(folder, { recursive: true, force: true })
  }
  // Also where a measure breaks.
  process.once("exit", close)
  return {
    sub,
    /** What a program started by the benchmark sees of the user. */
    env: { PATH: process.env.PATH, HOME: sub("home"), LANG: "C.UTF-8", TMPDIR: sub("tmp") },
    close
  }
}
