import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const program = fileURLToPath(new URL("../programs/memory.mjs", import.meta.url))
/** In a process of its own: see the program. */
export const measured = async (place, options) => {
  const input = { dataDir: place.dataDir, directory: place.sub("project"), env: place.env, ...options }
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program, JSON.stringify(input)], {
    env: place.env
  })
  return JSON.parse(stdout)
}
export const mebibytes = (bytes) => Math.round(bytes / 1024 / 1024)
