import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as os from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import Driver from "better-sqlite3"
import * as esbuild from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

/** Bundled from source into a folder from which node finds the packages that stay outside. */
const bundle = path.join(import.meta.dirname, "..", "node_modules", ".cache", `saver-${process.pid}.mjs`)
let folder = ""

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-processes-"))
  await esbuild.build({
    entryPoints: [path.join(import.meta.dirname, "workers", "saver.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error"
  })
})

afterAll(() => {
  fs.rmSync(bundle, { force: true })
  fs.rmSync(folder, { recursive: true, force: true })
})

interface Line {
  readonly id?: string
  readonly error?: string
}

const start = (
  file: string,
  name: string,
  count: number,
  program = bundle
): { child: ChildProcess; lines: AsyncIterable<string> } => {
  const child = spawn(process.execPath, [program, file, name, String(count)], { stdio: ["ignore", "pipe", "inherit"] })
  return { child, lines: createInterface({ input: child.stdout }) }
}

const saveAll = async (file: string, name: string, count: number): Promise<ReadonlyArray<Line>> => {
  const { child, lines } = start(file, name, count)
  const ended = once(child, "close")
  const results: Array<Line> = []
  for await (const line of lines) results.push(JSON.parse(line))
  expect(await ended).toEqual([0, null])
  return results
}

const inspect = (file: string) => {
  const db = new Driver(file, { readonly: true })
  const value = (query: string) => db.prepare(query).pluck().get()
  try {
    return {
      integrity: value("PRAGMA integrity_check"),
      memories: value("SELECT count(*) FROM memories"),
      events: value("SELECT count(*) FROM events"),
      indexed: value("SELECT count(*) FROM word_index"),
      tags: value("SELECT count(*) FROM tags"),
      ids: new Set(db.prepare("SELECT id FROM memories").pluck().all())
    }
  } finally {
    db.close()
  }
}

describe("a driver without its native binary", () => {
  it("is one clear error that says where and what to do", async () => {
    const require = createRequire(import.meta.url)
    const driver = path.dirname(require.resolve("better-sqlite3/package.json"))
    const bindings = createRequire(path.join(driver, "package.json")).resolve("bindings")
    const home = path.join(folder, "broken")
    const modules = path.join(home, "node_modules")
    for (const file of ["package.json", "lib"]) {
      fs.cpSync(path.join(driver, file), path.join(modules, "better-sqlite3", file), { recursive: true })
    }
    for (const each of [bindings, createRequire(bindings).resolve("file-uri-to-path")]) {
      const name = path.basename(path.dirname(each))
      fs.cpSync(path.dirname(each), path.join(modules, name), { recursive: true, dereference: true })
    }
    await esbuild.build({
      entryPoints: [path.join(import.meta.dirname, "workers", "saver.ts")],
      outfile: path.join(home, "saver.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["better-sqlite3"],
      logLevel: "error"
    })
    const { child, lines } = start(path.join(home, "memory.db"), "w", 1, path.join(home, "saver.mjs"))
    const ended = once(child, "close")
    const seen: Array<string> = []
    for await (const line of lines) seen.push(line)
    await ended
    expect(seen.length).toBe(1)
    expect(JSON.parse(seen[0] ?? "{}").error).toMatch(
      /^StorageError: .*memory\.db: the SQLite driver \(better-sqlite3\) cannot be loaded .*npm rebuild better-sqlite3/
    )
    expect(fs.existsSync(path.join(home, "memory.db"))).toBe(false)
  })
})

describe("many processes, one memory", () => {
  it("16 processes that start at once × 1,000 saves: 16,000 rows, no error", async () => {
    const file = path.join(folder, "many", "memory.db")
    const begun = performance.now()
    const results = await Promise.all(Array.from({ length: 16 }, (_, n) => saveAll(file, `w${n}`, 1000)))
    const seconds = (performance.now() - begun) / 1000
    const lines = results.flat()
    expect(lines.filter(({ error }) => error !== undefined)).toEqual([])
    const { ids, ...counts } = inspect(file)
    expect(counts).toEqual({ integrity: "ok", memories: 16_000, events: 16_000, indexed: 16_000, tags: 32_000 })
    expect(lines.every(({ id }) => ids.has(id))).toBe(true)
    console.log(`16 × 1,000 saves: ${seconds.toFixed(1)} s, ${Math.round(16_000 / seconds)} saves/s, starts included`)
  }, 300_000)

  it("writers killed with -9 in the middle: nothing that was confirmed is lost, nothing is half there", async () => {
    const file = path.join(folder, "killed", "memory.db")
    const confirmed: Array<string> = []
    for (let round = 0; round < 4; round++) {
      const writers = [0, 1].map((n) => start(file, `r${round}w${n}`, 1_000_000))
      await Promise.all(
        writers.map(async ({ child, lines }, n) => {
          const ended = once(child, "close")
          let seen = 0
          for await (const line of lines) {
            const result: Line = JSON.parse(line)
            if (result.id !== undefined) confirmed.push(result.id)
            seen += 1
            if (seen === 20 + 13 * (round + n)) child.kill("SIGKILL")
          }
          expect(await ended).toEqual([null, "SIGKILL"])
        })
      )
    }
    await saveAll(file, "after", 1)
    const { ids, integrity, memories, events, indexed, tags } = inspect(file)
    expect(integrity).toBe("ok")
    expect(confirmed.length).toBeGreaterThan(200)
    expect(confirmed.filter((id) => !ids.has(id))).toEqual([])
    expect([events, indexed, Number(tags) / 2]).toEqual([memories, memories, memories])
  })
})
