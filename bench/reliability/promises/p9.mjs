import { readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { makeWork } from "../../lib/work.mjs"
import { start } from "../lib/children.mjs"
import { damage, look } from "../lib/database.mjs"
import { random } from "../lib/random.mjs"

export const id = "P9"
export const promise = "kill -9 of a writer never corrupts the memory (the death of a process; not the loss of power)"

const abreast = 5

/** Rounds of five writers; each is killed at a moment of its own while the others go on. */
export const run = async ({ scale, seed, note }) => {
  const kills = Math.round(200 * scale)
  const { int } = random(seed)
  const place = makeWork()
  try {
    const file = path.join(place.sub("data"), "memory.db")
    const acknowledged = path.join(place.sub("logs"), "acknowledged")
    writeFileSync(acknowledged, "")
    const damaged = []
    let index = 0
    const once = async (after) => {
      let up
      const begun = new Promise((resolve) => {
        up = resolve
      })
      const options = { path: file, index: ++index, times: 100_000, acknowledged }
      const child = start("memoryWriter", options, {
        env: place.env,
        line: (text) => {
          if (text.startsWith("S")) up()
          else note(text)
        }
      })
      await Promise.race([begun, child.ended])
      await sleep(after)
      child.kill("SIGKILL")
      const code = await child.ended
      if (code !== "SIGKILL") throw new Error(`a writer ended by itself with ${code}`)
    }
    for (let done = 0; done < kills; done += abreast) {
      await Promise.all(Array.from({ length: Math.min(abreast, kills - done) }, () => once(int(0, 400))))
      const found = damage(file)
      if (found !== null) damaged.push(found)
    }
    for (const found of damaged) note(found)
    const ids = readFileSync(acknowledged, "utf8").split("\n").slice(0, -1)
    const known = new Set(look(file, (db) => db.prepare("SELECT id FROM memories").pluck().all()))
    const missing = ids.filter((each) => !known.has(each)).length
    return {
      figure: `${kills - damaged.length} of ${kills} kills left it whole, ${missing} of ${ids.length} acknowledged rows missing`,
      floor: "all and 0",
      ok: damaged.length + missing === 0 && ids.length > 0
    }
  } finally {
    place.close()
  }
}
