import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as attemptFiles from "../../src/internal/attemptFiles.js"
import { JobId, RunId } from "../../src/Job.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-attempt-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const secret = "canary-0123456789"
const redactor = Redaction.make({ A_TOKEN: secret })
let count = 0
const begin = () => {
  const dataDir = path.join(root, `data-${++count}`)
  Effect.runSync(PrivateFiles.dataFolder(dataDir))
  const attempt = { runId: RunId.make("r1"), jobId: JobId.make("r1-1"), attempt: 1 }
  const folder = attemptFiles.make(dataDir, attempt)
  for (const name of ["stdout", "stderr", "prompt", "job.sh", "mcp.json"]) {
    PrivateFiles.write(path.join(folder, name), `before\n${secret}\nafter`)
  }
  return { dataDir, attempt, folder }
}
const clean = "before\n[redacted: A_TOKEN]\nafter"

describe("the files of an attempt", () => {
  it.effect(
    "are raw and marked until they are redacted; what it was given is gone then; once more changes nothing",
    () =>
      Effect.gen(function* () {
        const { attempt, dataDir, folder } = begin()
        expect(attemptFiles.raw(dataDir)).toEqual([attempt])
        for (const _ of [1, 2]) {
          yield* attemptFiles.redact(dataDir, attempt, redactor)
          expect(fs.readdirSync(folder).sort()).toEqual(["mcp.json", "stderr", "stdout"])
          for (const name of fs.readdirSync(folder))
            expect(fs.readFileSync(path.join(folder, name), "utf8")).toBe(clean)
          expect(attemptFiles.raw(dataDir)).toEqual([])
        }
      })
  )

  it.effect("are finished by doing it again, wherever a crash was", () =>
    Effect.gen(function* () {
      const { attempt, dataDir, folder } = begin()
      // One is done, of one there is a half, and the program's view of the user's settings is still there.
      fs.writeFileSync(path.join(folder, "stdout"), clean)
      fs.writeFileSync(path.join(folder, "stderr.redacted"), "bef")
      fs.writeFileSync(path.join(folder, "stdout.clipped"), secret)
      fs.mkdirSync(path.join(folder, "settings"))
      fs.writeFileSync(path.join(root, "login"), secret)
      fs.symlinkSync(path.join(root, "login"), path.join(folder, "settings", "login"))
      yield* attemptFiles.redact(dataDir, attempt, redactor)
      expect(attemptFiles.raw(dataDir)).toEqual([])
      expect(fs.readdirSync(folder).sort()).toEqual(["mcp.json", "stderr", "stdout"])
      expect(fs.readFileSync(path.join(folder, "stderr"), "utf8")).toBe(clean)
      expect(fs.readFileSync(path.join(root, "login"), "utf8")).toBe(secret)
    })
  )

  it("are found by names that are ids only", () => {
    const { attempt, dataDir } = begin()
    for (const name of ["...1", "a.b", "a.b.c", "a.b.1.2", "A.b.1", "a.b.-1", "a..1"]) {
      fs.writeFileSync(path.join(dataDir, "raw", name), "")
    }
    expect(attemptFiles.raw(dataDir)).toEqual([attempt])
    expect(attemptFiles.raw(path.join(root, "nowhere"))).toEqual([])
  })

  it("are made nowhere but in the data folder, and through no link", () => {
    const { attempt, dataDir } = begin()
    const other = path.join(root, "elsewhere")
    fs.mkdirSync(other)
    fs.symlinkSync(other, path.join(dataDir, "runs", "r2"))
    expect(() => attemptFiles.make(dataDir, { ...attempt, runId: RunId.make("r2") })).toThrow(StorageError)
    for (const name of ["..", ".", "", "a/b", "a\0b"]) {
      expect(() => PrivateFiles.folder(dataDir, "runs", name)).toThrow(StorageError)
    }
    expect(fs.readdirSync(other)).toEqual([])
  })
})
