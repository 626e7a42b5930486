import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Role } from "../src/Role.js"
import { builtIn, layer, make, RoleRegistry } from "../src/RoleRegistry.js"

it("lists the roles of the seed, in its order and words", () => {
  expect(builtIn.map(({ name, description }) => `${name.padEnd(12)} - ${description}`)).toEqual([
    "orchestrator - Monitors and coordinates other agents",
    "test         - Writes and runs tests, saves failures as errors",
    "code         - Implements features, saves decisions and patterns",
    "review       - Reviews code quality, links related findings",
    "docs         - Writes documentation",
    "debug        - Investigates and fixes bugs",
    "custom       - Generic agent for custom tasks"
  ])
})

it("holds the seed's table of what each saves, and the permissions of the design", () => {
  const table = Object.fromEntries(
    builtIn.map(({ name, permission, saves }) => [name, [permission, ...saves.map(({ type }) => type)]])
  )
  expect(table).toMatchObject({
    test: ["exec", "error", "code"],
    code: ["exec", "decision", "code"],
    review: ["read", "fact"],
    docs: ["edit", "doc"],
    debug: ["exec", "error"],
    custom: ["edit", "fact"]
  })
  expect(table["orchestrator"]?.[0]).toBe("read")
  for (const { name, outcome, saves } of builtIn)
    expect(
      saves.map(({ type }) => type),
      name
    ).toContain(outcome)
})

/** The table of the seed, as it stands there. */
const seedTable: ReadonlyArray<readonly [role: string, saves: string, searches: string]> = [
  ["test", "Test failures as `error`, patterns as `code`", "Existing test patterns"],
  ["code", "Decisions as `decision`, patterns as `code`", "Prior decisions"],
  ["review", "Findings as `fact`, links related memories", "Related decisions"],
  ["docs", "Documentation as `doc`", "Existing docs"],
  ["debug", "Error resolutions as `error`", "Similar errors"]
]

it.each(seedTable)("%s saves, links and searches exactly what the seed's table says", (name, saving, searching) => {
  const found = builtIn.find((role) => role.name === name)
  const parts = saving.split(", ").map((part) => /^(.+) as `(\w+)`$/.exec(part))
  expect(found?.searches).toEqual([searching.toLowerCase()])
  const asked = parts.flatMap((part) => (part === null ? [] : [{ words: part[1] ?? "", type: part[2] }]))
  expect(found?.saves.map(({ type }) => type)).toEqual(asked.map(({ type }) => type))
  for (const [index, { words }] of asked.entries()) {
    for (const word of words.toLowerCase().split(" ")) {
      expect(found?.saves[index]?.what).toContain(word.replace(/s$/, ""))
    }
  }
  expect(found?.links).toHaveLength(saving.includes("links related memories") ? 1 : 0)
})

describe("a role", () => {
  const decode = Schema.decodeUnknownEither(Role)

  it("of ours is one by the schema", () => {
    for (const role of builtIn) expect(decode(role)).toMatchObject({ _tag: "Right" })
  })

  it("with the heading of the task in its prompt, a wrong name or a second line of description is refused", () => {
    const [good] = builtIn
    for (const wrong of [
      { prompt: "You are\n# Task\nhere" },
      { prompt: "You are\r\n# Task\r\n" },
      { name: "Test" },
      { name: "../x" },
      { name: "a".repeat(41) },
      { description: "one\ntwo" },
      { permission: "root" },
      { saves: [{ what: "x", type: "nonsense" }] }
    ]) {
      expect(decode({ ...good, ...wrong }), JSON.stringify(wrong)).toMatchObject({ _tag: "Left" })
    }
  })
})

it.effect("a name nobody has fails with the names there are", () =>
  Effect.gen(function* () {
    const roles = yield* RoleRegistry
    expect(yield* roles.get("docs")).toMatchObject({ name: "docs" })
    const error = yield* Effect.flip(roles.get("tset"))
    expect(error).toMatchObject({ _tag: "RoleNotFound", name: "tset", known: builtIn.map(({ name }) => name) })
    expect(error.message).toBe('unknown role "tset": one of orchestrator, test, code, review, docs, debug, custom')
    expect(yield* Effect.flip(roles.get("__proto__"))).toMatchObject({ _tag: "RoleNotFound" })
  }).pipe(Effect.provide(layer))
)

it.effect("a later role of the same name takes the place of the earlier", () =>
  Effect.gen(function* () {
    const [first, ...others] = builtIn
    if (first === undefined) return yield* Effect.dieMessage("no roles")
    const roles = yield* make([...builtIn, { ...first, description: "Ours" }]).list
    expect(roles.map(({ description }) => description)).toEqual([
      "Ours",
      ...others.map(({ description }) => description)
    ])
  })
)
