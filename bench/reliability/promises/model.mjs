import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export const id = "model"
export const promise =
  "the queue does what its model does (packages/core/test/JobQueueModel.test.ts), on SQLite and in memory"

export const run = async ({ scale, seed, note }) => {
  const sequences = Math.round(10_000 * scale)
  const child = spawn(process.execPath, ["../../node_modules/vitest/vitest.mjs", "run", "test/JobQueueModel.test.ts"], {
    cwd: fileURLToPath(new URL("../../../packages/core", import.meta.url)),
    env: { ...process.env, CONTEXTFS_MODEL_RUNS: `${sequences}`, CONTEXTFS_MODEL_SEED: `${seed}` },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text
    })
  }
  const code = await new Promise((resolve) => child.once("close", resolve))
  if (code !== 0) for (const line of said.trim().split("\n").slice(-40)) note(line)
  return {
    figure: `${code === 0 ? "0 differ" : "they differ"} of ${sequences} sequences each`,
    floor: "0",
    ok: code === 0
  }
}
