import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { afterAll } from "vitest"
import { overlaps } from "../../src/internal/overlap.js"

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-overlap-")))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))
const folder = (...names: ReadonlyArray<string>) => {
  const made = path.join(root, ...names)
  fs.mkdirSync(made, { recursive: true })
  return made
}
const writer = (agentId: string, directory: string) => ({ agentId, directory, permission: "edit" as const })

describe("overlaps", () => {
  it("are of the same folder, of one in the other, and of links to either; not of neighbours with a like name", () => {
    const a = folder("a")
    const inner = folder("a", "b", "c")
    const link = path.join(root, "link")
    fs.symlinkSync(inner, link)
    expect(overlaps([writer("1", a), writer("2", a)])).toEqual([{ agents: ["1", "2"], directory: a }])
    expect(overlaps([writer("1", inner), writer("2", a)])).toEqual([{ agents: ["2", "1"], directory: inner }])
    expect(overlaps([writer("1", link), writer("2", a)])).toEqual([{ agents: ["2", "1"], directory: inner }])
    expect(overlaps([writer("1", a), writer("2", folder("a-b")), writer("3", folder("ab"))])).toEqual([])
    expect(overlaps([writer("1", `${a}/./b/..`), writer("2", a)])).toHaveLength(1)
    expect(overlaps([{ ...writer("1", a), permission: "read" }, writer("2", a)])).toEqual([])
  })

  it("name every agent of several in one folder, and each once", () => {
    const a = folder("many")
    const found = overlaps(["1", "2", "3", "4"].map((id) => writer(id, a)))
    expect(found).toHaveLength(3)
    expect(new Set(found.flatMap(({ agents }) => agents))).toEqual(new Set(["1", "2", "3", "4"]))
  })

  it("know whoever meets another, against comparing each with each", () => {
    const names = FastCheck.constantFrom("", "/x", "/x/y", "/x/y/z", "/x-", "/x-/y", "/xy", "/-x", "/é")
    FastCheck.assert(
      FastCheck.property(FastCheck.array(names, { maxLength: 8 }), (list) => {
        // None of them is there, so that each is taken by its name; the empty one is the root of all.
        const jobs = list.map((name, index) => writer(`${index}`, name === "" ? "/" : `/nowhere${name}`))
        const within = (inner: string, outer: string) =>
          outer === "/" || inner === outer || inner.startsWith(`${outer}/`)
        const meets = jobs.filter((one) =>
          jobs.some(
            (other) =>
              other !== one && (within(one.directory, other.directory) || within(other.directory, one.directory))
          )
        )
        const told = new Set(overlaps(jobs).flatMap(({ agents }) => agents))
        expect([...told].sort()).toEqual(meets.map(({ agentId }) => agentId).sort())
      }),
      { numRuns: 500 }
    )
  })
})
