import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import { makeWork } from "../../lib/work.mjs"
import { start } from "../lib/children.mjs"
import { damage, look } from "../lib/database.mjs"
import { quantile } from "../lib/random.mjs"

export const id = "P8"
export const promise = "no locked-database errors: 16 processes that write, one that reads, one that checkpoints"

const processes = 16

export const run = async ({ scale, note }) => {
  const times = Math.round(1_000 * scale)
  const place = makeWork()
  try {
    const file = path.join(place.sub("data"), "memory.db")
    await Effect.runPromise(Effect.provide(MemoryStore.MemoryStore, MemoryStore.layerSqlite({ path: file })))
    const waits = []
    const errors = []
    let events = 0
    const line = (text) => {
      const [word, value] = [text.slice(0, 1), text.slice(2)]
      if (word === "S") waits.push(Number(value))
      if (word === "E") errors.push(value)
      if (word === "R") events += Number(value)
    }
    const run = (name, options) => start(name, { path: file, ...options }, { env: place.env, line })
    const reader = run("memoryReader", {})
    const writers = Array.from({ length: processes }, (_, index) => run("memoryWriter", { index, times }))
    let over = false
    let checkpoints = 0
    let busyCheckpoints = 0
    const checkpointer = async () => {
      while (!over) {
        const [{ busy }] = look(file, (db) => {
          // It is to be in the way for a moment, not to hold us up.
          db.pragma("busy_timeout = 50")
          return db.pragma("wal_checkpoint(TRUNCATE)")
        })
        checkpoints++
        busyCheckpoints += busy
        await sleep(20)
      }
    }
    const checking = checkpointer()
    const codes = await Promise.all(writers.map(({ ended }) => ended))
    over = true
    await checking
    // Let the reader see the last of them.
    for (const until = performance.now() + 30_000; events < waits.length && performance.now() < until; ) await sleep(50)
    reader.kill("SIGKILL")
    await reader.ended
    if (codes.some((code) => code !== 0)) throw new Error(`writers ended with ${codes.join(" ")}`)
    const rows = look(file, (db) => db.prepare("SELECT count(*) AS many FROM memories").get().many)
    const broken = damage(file)
    note(`${checkpoints} checkpoints (${busyCheckpoints} not whole), the reader saw ${events} changes`)
    for (const error of new Set(errors)) note(error)
    const all = processes * times
    return {
      figure: `${errors.length} BUSY of ${all}, ${rows} rows, p99 ${quantile(waits, 0.99).toFixed(0)} ms, longest wait ${quantile(waits, 1).toFixed(0)} ms`,
      floor: "0",
      ok: errors.length === 0 && rows === all && events === all && broken === null
    }
  } finally {
    place.close()
  }
}
