/**
 * Loaded before a program: at the 21st time that it makes a file of what a job was given, it dies (`die`), or the disk is full.
 */
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

const { openSync, writeFileSync } = fs
const how = process.env.FAILING_START
const full = new Set()
let made = 0

fs.openSync = (file, ...options) => {
  const descriptor = openSync(file, ...options)
  if (`${file}`.endsWith("/given.json") && ++made > 20) full.add(descriptor)
  return descriptor
}
fs.writeFileSync = (file, ...content) => {
  if (!full.delete(file)) return writeFileSync(file, ...content)
  if (how === "die") process.kill(process.pid, "SIGKILL")
  throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
}
syncBuiltinESMExports()
