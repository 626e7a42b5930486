import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as FastCheck from "effect/FastCheck"
import { afterAll, describe, expect, it } from "vitest"
import * as Environment from "../../src/Environment.js"
import { jobFile, quote } from "../../src/internal/jobFile.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-jobfile-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

/** Anything at all, and what a shell would like to read as its own. */
const value = FastCheck.array(
  FastCheck.oneof(
    FastCheck.string({ unit: "binary" }),
    FastCheck.constantFrom("'", "'\\''", '"', "\\", "\n", "\r\n", "$(touch pwned)", "`touch pwned`", ";touch pwned;")
  ),
  { maxLength: 6 }
).map((parts) => parts.join("").replaceAll("\0", ""))

const sh = (script: string, args: ReadonlyArray<string> = []) => {
  const file = path.join(root, "script")
  fs.writeFileSync(file, script)
  return spawnSync("sh", [file, ...args], { cwd: root, env: { PATH: process.env["PATH"] ?? "" } })
}

/** What reaches a program: half characters do not exist in bytes. */
const bytes = (text: string) => Buffer.from(text).toString("utf8")

describe("the job file", () => {
  it("10,000 values reach the program as they are, and none is read as shell", () => {
    const values = FastCheck.sample(value, { numRuns: 10_000, seed: 5 })
    // One shell for many: each is a word, a variable and a variable within a function's reach.
    for (let from = 0; from < values.length; from += 1_000) {
      const some = values.slice(from, from + 1_000)
      const { status, stdout } = sh(
        some.map((text) => `x=${quote(text)}; printf '%s\\0%s\\0' ${quote(text)} "$x"\n`).join("")
      )
      expect(status).toBe(0)
      expect(stdout.toString("utf8")).toBe(some.map((text) => `${bytes(text)}\0${bytes(text)}\0`).join(""))
    }
    expect(fs.readdirSync(root)).toEqual(["script"])
  })

  it("whole jobs with hostile folders, arguments and variables start what they name, and leave an empty file", () => {
    FastCheck.assert(
      FastCheck.property(value, value, value, (argument, variable, name) => {
        const at = fs.mkdtempSync(path.join(root, "job-"))
        const directory = path.join(at, `d${bytes(name.replaceAll("/", "_").slice(0, 40))}`)
        fs.mkdirSync(directory)
        fs.writeFileSync(path.join(at, "prompt"), "")
        const file = path.join(at, "job.sh")
        const text = jobFile({
          prefix: [],
          command: ["/bin/sh", "-c", 'printf "%s\\0" "$1" "$V" "$PWD"; cat "$2" | wc -c', "agent", argument, file],
          directory,
          env: { V: variable, PATH: process.env["PATH"] ?? "" },
          stdin: path.join(at, "prompt"),
          stdout: path.join(at, "out"),
          stderr: path.join(at, "err"),
          file,
          keepLifeline: true
        })
        fs.writeFileSync(file, text)
        expect(spawnSync("sh", ["-c", '. "$0"', file], { cwd: root, env: {} }).status).toBe(0)
        const [seen, set, where, size] = fs.readFileSync(path.join(at, "out"), "utf8").split("\0")
        expect([seen, set, where]).toEqual([bytes(argument), bytes(variable), directory])
        expect(Number(size)).toBe(0)
        fs.rmSync(at, { recursive: true })
      }),
      { numRuns: 60, seed: 6, endOnFailure: true }
    )
    expect(fs.readdirSync(root)).toEqual(["script"])
  })

  it("takes no NUL, and no name that is none", () => {
    expect(() => quote("a\0b")).toThrow(RangeError)
    const job = { prefix: [], command: ["true"], directory: "/", stdin: "/a", stdout: "/b", stderr: "/c", file: "/d" }
    for (const name of ["", "1A", "A B", "A=B", "A;id", "$(id)", "A\n", "É"]) {
      expect(Environment.isName(name)).toBe(false)
      expect(() => jobFile({ ...job, env: { [name]: "x" }, keepLifeline: false })).toThrow(RangeError)
    }
  })
})
