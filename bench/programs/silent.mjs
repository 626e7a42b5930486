/** Keeps as many silent agents running as it is asked for, and says what that takes of memory. */

import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Live from "@contextfs/core/Live"
import { Orchestrator } from "@contextfs/core/Orchestrator"
import { command } from "@contextfs/core/tools/command"
import * as Effect from "effect/Effect"
import { serve } from "../lib/program.mjs"
import { config } from "./journal.mjs"

const options = JSON.parse(process.argv[2])
const { data, env, jobs, tokens } = options

/** Leaves what its bridge needs where `programs/bridges.mjs` finds it, and says nothing for an hour. */
const silent = {
  ...command("silent"),
  command: [
    "/bin/sh",
    "-c",
    `umask 077; echo "$CONTEXTFS_SOCKET $CONTEXTFS_TOKEN" >'${tokens}'/$CONTEXTFS_TOKEN; exec sleep 3600`
  ]
}

const until = async (what, holds) => {
  for (const begun = performance.now(); !holds(); await sleep(100)) {
    if (performance.now() - begun > 300_000) throw new Error(`waited 5 minutes until ${what}`)
  }
}

const controller = new AbortController()
let started = 0
let ended = 0
const program = Effect.gen(function* () {
  const orchestrator = yield* Orchestrator
  return yield* orchestrator.run(yield* config({ ...options, tool: "silent" }), {
    onEvent: (event) => {
      if (event.kind === "jobStarted") started++
      if (event.kind === "jobEnded") ended++
    }
  })
})
const run = Effect.runPromiseExit(Effect.provide(program, Live.layer({ dataDir: data, env, tools: [silent] })), {
  signal: controller.signal
})

const files = () => readdirSync(tokens).filter((name) => readFileSync(path.join(tokens, name), "utf8").endsWith("\n"))

await serve({
  running: async () => {
    await until("every agent runs", () => started === jobs && files().length === jobs)
    return jobs
  },
  /** Bytes of heap and external memory, when there is no more garbage. */
  take: async () => {
    // The launch is over, and what it took is garbage by now.
    await sleep(2_500)
    for (let round = 0; round < 5; round++) {
      globalThis.gc()
      await sleep(50)
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    if (ended > 0) throw new Error(`${ended} agents have ended`)
    return { bytes: heapUsed + external, heapUsed, external, rss }
  },
  end: async () => {
    controller.abort()
    await run
    return null
  }
})
