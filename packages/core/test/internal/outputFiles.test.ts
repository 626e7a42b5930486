import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Redaction from "@contextfs/memory/Redaction"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as outputFiles from "../../src/internal/outputFiles.js"

const folder = fs.mkdtempSync(path.join(tmpdir(), "contextfs-output-"))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const secret = "tok-SECRETSECRET0123456789abcdef"
const redactor = Redaction.make({ API_TOKEN: secret })
/** Parts of the secret that are long enough to help anybody. */
const parts = Array.from({ length: secret.length - 7 }, (_, at) => secret.slice(at, at + 8))
const partsIn = (text: string) => parts.filter((part) => text.includes(part))

describe("a file that is cut", () => {
  const file = path.join(folder, "stdout")
  const cap = 64 * 1024
  for (const [name, text] of [
    ["one after the other", secret.repeat(9_000)],
    ["one a line", `${secret}\n`.repeat(9_000)],
    ["here and there", `${secret}${"x".repeat(997)}`.repeat(300)]
  ] as const) {
    it.effect(`keeps no part of a secret that lies across a cut: ${name}`, () =>
      Effect.gen(function* () {
        for (let before = 0; before <= secret.length; before += 3) {
          fs.writeFileSync(file, `${"y".repeat(before)}${text}${"z".repeat(before)}`, { mode: 0o600 })
          yield* outputFiles.clip(file, cap, redactor)
          yield* redactor.file(file)
          const kept = fs.readFileSync(file, "latin1")
          expect(partsIn(kept), `after ${before}`).toEqual([])
          expect(kept).toMatch(/\n\[contextfs: \d+ bytes left out\]\n/)
        }
      })
    )
  }

  it.effect("keeps head and tail as they are where there is no secret, and a small file whole", () =>
    Effect.gen(function* () {
      const text = Array.from({ length: 30_000 }, (_, line) => `line ${line}`).join("\n")
      fs.writeFileSync(file, text, { mode: 0o600 })
      yield* outputFiles.clip(file, cap, redactor)
      const left = text.length - cap
      expect(fs.readFileSync(file, "utf8")).toBe(
        `${text.slice(0, cap / 2)}\n[contextfs: ${left} bytes left out]\n${text.slice(-cap / 2)}`
      )
      fs.writeFileSync(file, "short", { mode: 0o600 })
      yield* outputFiles.clip(file, cap, redactor)
      expect(fs.readFileSync(file, "utf8")).toBe("short")
    })
  )

  it("shows no part of a secret at the beginning of its tail", () => {
    fs.writeFileSync(file, `${secret}${"x".repeat(90)}`, { mode: 0o600 })
    for (let bytes = 91; bytes < 90 + secret.length; bytes++) {
      expect(partsIn(outputFiles.tail(file, bytes, redactor)), `${bytes}`).toEqual([])
    }
  })
})
