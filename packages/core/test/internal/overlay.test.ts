import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as overlay from "../../src/internal/overlay.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-overlay-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const of = path.join(root, "theirs")
fs.mkdirSync(path.join(of, "sessions"), { recursive: true })
fs.writeFileSync(path.join(of, "settings.json"), "theirs")
fs.writeFileSync(path.join(of, "login"), "secret")
const look = () => fs.readdirSync(of, { recursive: true }).sort()

describe("an overlay", () => {
  it.live("shows the user's folder through links and ours in place of a file, and takes only the links away", () =>
    Effect.gen(function* () {
      const at = path.join(root, "attempt", "home")
      const before = look()
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* overlay.make(path.join(root, "attempt"), {
            at: "home",
            of,
            files: { "settings.json": (text) => `${text} and ours` }
          })
          expect(fs.readFileSync(path.join(at, "settings.json"), "utf8")).toBe("theirs and ours")
          expect(fs.statSync(path.join(at, "settings.json")).mode & 0o777).toBe(0o600)
          expect(fs.statSync(at).mode & 0o777).toBe(0o700)
          // What the program writes for itself is its own: it lands in the user's folder.
          fs.writeFileSync(path.join(at, "login"), "renewed")
          fs.writeFileSync(path.join(at, "sessions", "s1"), "kept")
        })
      )
      expect(fs.existsSync(at)).toBe(false)
      expect(look()).toEqual([...before, path.join("sessions", "s1")].sort())
      expect(fs.readFileSync(path.join(of, "settings.json"), "utf8")).toBe("theirs")
      expect(fs.readFileSync(path.join(of, "login"), "utf8")).toBe("renewed")
    })
  )

  it.live("makes what the program is to keep in the user's folder, where it is missing", () =>
    Effect.gen(function* () {
      const fresh = path.join(root, "fresh")
      const at = path.join(root, "third", "home")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* overlay.make(path.join(root, "third"), { at: "home", of: fresh, folders: ["sessions"] })
          fs.writeFileSync(path.join(at, "sessions", "s1"), "kept")
          fs.writeFileSync(path.join(at, "other"), "not kept")
        })
      )
      expect(fs.readFileSync(path.join(fresh, "sessions", "s1"), "utf8")).toBe("kept")
      expect(fs.readdirSync(fresh)).toEqual(["sessions"])
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* overlay.make(path.join(root, "third"), { at: "home", of: fresh, folders: ["sessions"] })
          expect(fs.readFileSync(path.join(at, "sessions", "s1"), "utf8")).toBe("kept")
        })
      )
    })
  )

  it.live("needs no folder of the user's, and shows only what is asked for", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const attempt = path.join(root, "other")
        yield* overlay.make(attempt, { at: "a", of: path.join(root, "none"), files: { f: (text) => String(text) } })
        expect(fs.readFileSync(path.join(attempt, "a/f"), "utf8")).toBe("undefined")
        yield* overlay.make(attempt, { at: "b", of, only: ["login", "absent"] })
        expect(fs.readdirSync(path.join(attempt, "b"))).toEqual(["login"])
        const unwritable = path.join(of, "login", "below-a-file")
        yield* overlay.make(attempt, { at: "c", of: unwritable, folders: ["sessions"] })
        expect(fs.readdirSync(path.join(attempt, "c"))).toEqual([])
      })
    )
  )
})
