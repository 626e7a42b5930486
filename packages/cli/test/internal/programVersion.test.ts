import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { programVersion } from "../../src/internal/programVersion.js"

it.scoped("a program that hangs is ended with what it started, and has no version", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "cfs-version-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true, force: true }))
    )
    const file = path.join(folder, "program")
    fs.writeFileSync(
      file,
      `#!/bin/sh\nsleep 600 &\necho "$! $$" > '${folder}/draft'\nmv '${folder}/draft' '${folder}/pids'\nwait\n`
    )
    fs.chmodSync(file, 0o755)
    const seen = Effect.promise(
      () =>
        new Promise<void>((resolve) => {
          const watcher = fs.watch(folder, () => {
            if (!fs.existsSync(path.join(folder, "pids"))) return
            watcher.close()
            resolve()
          })
        })
    )
    const waiting = yield* Effect.fork(seen)
    yield* Effect.yieldNow()
    const fiber = yield* Effect.fork(programVersion(file, { PATH: process.env["PATH"] ?? "" }))
    yield* Fiber.join(waiting)
    yield* TestClock.adjust("10 seconds")
    expect(yield* Fiber.join(fiber)).toBeNull()
    const gone = (pid: number) => {
      try {
        const state = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]
        return state?.startsWith("Z") === true
      } catch {
        return true
      }
    }
    const pids = fs.readFileSync(path.join(folder, "pids"), "utf8").trim().split(" ").map(Number)
    // KILL is delivered before a process runs again; that it is seen takes a turn or two.
    yield* Effect.promise(async () => {
      while (!pids.every(gone)) await new Promise((resolve) => setImmediate(resolve))
    })
    expect(pids).toHaveLength(2)
  })
)

it.live("a program that cannot be started has no version", () =>
  Effect.gen(function* () {
    expect(yield* programVersion("/nowhere/program", {})).toBeNull()
    expect(yield* programVersion(process.execPath, {})).toBe(process.versions.node)
  })
)
