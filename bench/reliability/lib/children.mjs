/** Processes of a promise: node programs of ../programs that are told what to do by one argument of JSON. */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const running = new Set()

/** Ends what a promise that broke has left behind. */
export const endAll = () => {
  for (const child of running) child.kill("SIGKILL")
}

/** Starts `programs/NAME.mjs`. Its lines of stdout go to `line` as they come. */
export const start = (name, options, { env, line } = {}) => {
  const file = fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [file, JSON.stringify(options)], { env, stdio: ["ignore", "pipe", "inherit"] })
  running.add(child)
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    for (const each of lines) line?.(each)
  })
  // What it has started may hold its stdout: its own end counts, once what it said has been read.
  const ended = new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      running.delete(child)
      setImmediate(() => resolve(code ?? signal))
    })
  })
  return { pid: child.pid, kill: (signal) => child.kill(signal), ended }
}

/** Whether the process is stopped (SIGSTOP). */
export const isStopped = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")
  } catch {
    return false
  }
}
