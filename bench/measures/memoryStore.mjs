/** Saving and searching memories against the very statements that they come to, on the driver itself. */
import { copyFileSync } from "node:fs"
import path from "node:path"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { recorder, replayer } from "../lib/record.mjs"
import { line, note } from "../lib/report.mjs"
import { median } from "../lib/stats.mjs"
import { makeWork } from "../lib/work.mjs"

const stock = 500
const batch = 40
const rounds = 7

const identity = { project: "bench", namespace: "global", trust: "agent", sourceTool: "agent-code", role: "code" }
const nouns = ["queue", "token", "parser", "index", "socket", "cache", "journal", "lease", "cursor", "scope", "worker"]
const verbs = ["checks", "drops", "repeats", "splits", "guards", "flushes", "merges", "renames", "locks", "retries"]

const memory = (number) => {
  const word = (list, step) => list[Math.floor(number / step) % list.length]
  return {
    type: "fact",
    content: `The ${word(nouns, 1)} ${word(verbs, 11)} the ${word(nouns, 110)} in src/${word(nouns, 7)}${number}.ts before it ${word(verbs, 3)} the ${word(nouns, 5)}.`,
    summary: `${word(nouns, 1)} ${number}`,
    tags: [word(nouns, 1), word(verbs, 11)]
  }
}
const query = (number) => `how the ${nouns[number % 11]} ${verbs[number % 10]} the ${nouns[(number * 3) % 11]}`

export const run = async () => {
  const work = makeWork()
  const file = path.join(work.sub("data"), "memory.db")
  const copy = path.join(work.sub("data"), "copy.db")
  const record = recorder()
  const ratios = { save: [], search: [] }
  const times = { save: [], search: [] }
  let number = 0

  /** Takes the steps with the store, recorded, then their statements again on a copy of what was there before. */
  const take = async (kind, store) => {
    const step = {
      save: () => store.save(memory(number++), identity),
      search: () => store.search({ query: query(number++), project: "bench", limit: 8 })
    }[kind]
    const all = Effect.forEach(Array.from({ length: batch }), step, { discard: true })
    const checkpoint = new Database(file)
    checkpoint.pragma("wal_checkpoint(TRUNCATE)")
    checkpoint.close()
    copyFileSync(file, copy)
    let ours = 0
    const statements = await record.of(async () => {
      const began = performance.now()
      await Effect.runPromise(all)
      ours = performance.now() - began
    })
    const db = new Database(copy)
    const replay = replayer(db)
    const began = performance.now()
    replay(statements)
    const theirs = performance.now() - began
    db.close()
    return { ratio: ours / theirs, time: ours / batch }
  }

  const program = Effect.gen(function* () {
    const store = yield* MemoryStore.MemoryStore
    while (number < stock) yield* store.save(memory(number++), identity)
    for (let round = -1; round < rounds; round++) {
      for (const kind of ["save", "search"]) {
        const taken = yield* Effect.promise(() => take(kind, store))
        if (round < 0) continue
        ratios[kind].push(taken.ratio)
        times[kind].push(taken.time)
      }
    }
  })
  await Effect.runPromise(Effect.provide(program, MemoryStore.layerSqlite({ path: file })))
  record.stop()
  note(
    `${stock} memories and more: a save ${median(times.save).toFixed(2)} ms, a search ${median(times.search).toFixed(2)} ms`
  )
  line("memory_save_of_plain_sql", median(ratios.save), "x")
  line("memory_search_of_plain_sql", median(ratios.search), "x")
  work.close()
}
