import { expect, it } from "@effect/vitest"
import { type MemoryCall, report } from "../src/Protocol.js"
import type { Role } from "../src/Role.js"
import { builtIn } from "../src/RoleRegistry.js"

const role = (name: string): Role => {
  const found = builtIn.find((role) => role.name === name)
  if (found === undefined) throw new Error(name)
  return found
}
const call = (tool: string, more: Partial<MemoryCall> = {}): MemoryCall => ({
  tool: `contextfs_${tool}`,
  at: 0,
  ok: true,
  memoryIds: [],
  ...more
})

it("of an agent that did nothing ignores everything that was asked", () => {
  const { asked, done, ignored } = report(role("test"), [])
  expect(asked).toEqual(["search existing test patterns", "save test failures as error", "save test patterns as code"])
  expect(done).toEqual([])
  expect(ignored).toEqual(asked)
})

it("counts a step as done only where a call of its kind and type succeeded", () => {
  const calls = [
    call("search", { ok: false, query: "x" }),
    call("save", { type: "decision", memoryIds: ["aaaaaaaaaaaa"] }),
    call("save", { type: "code", ok: false }),
    call("recall", { type: "code", memoryIds: ["bbbbbbbbbbbb"] })
  ]
  const { done, ignored, saved, searches, recalls } = report(role("code"), calls)
  expect(done).toEqual(["save decisions with their rationale as decision"])
  expect(ignored).toEqual(["search prior decisions", "save patterns that others should follow as code"])
  expect({ saved, searches, recalls }).toEqual({ saved: ["aaaaaaaaaaaa"], searches: 0, recalls: 1 })
})

it("names each saved memory once, evolved ones too; linking is a step of review", () => {
  const calls = [
    call("search"),
    call("save", { type: "fact", memoryIds: ["aaaaaaaaaaaa"] }),
    call("save", { type: "fact", memoryIds: ["aaaaaaaaaaaa"] }),
    call("evolve", { type: "fact", memoryIds: ["bbbbbbbbbbbb"] }),
    call("link", { memoryIds: ["aaaaaaaaaaaa", "cccccccccccc"] })
  ]
  const { ignored, saved } = report(role("review"), calls)
  expect(ignored).toEqual([])
  expect(saved).toEqual(["aaaaaaaaaaaa", "bbbbbbbbbbbb"])
})
