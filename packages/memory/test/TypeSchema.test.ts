import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { memoryTypes } from "../src/Memory.js"
import { decode, typeSchema } from "../src/TypeSchema.js"

describe("TypeSchema", () => {
  it("reads what agents write, and stores one form of it", () => {
    const stored = decode("test", {
      test_type: "E2E",
      name: "login",
      assertions: "shows name",
      coverage: "81.5",
      mine: 1
    })
    expect(Either.getOrThrow(stored)).toEqual({
      type: "e2e",
      name: "login",
      assertions: ["shows name"],
      coverage: 81.5,
      mine: 1
    })
    expect(Either.getOrThrow(decode("todo", { title: "x", status: "In Progress", assignee: null }))).toEqual({
      title: "x",
      status: "in_progress"
    })
    expect(Either.getOrThrow(decode("api", { endpoint: "/users", method: "post" }))).toMatchObject({ method: "POST" })
    expect(Either.getOrThrow(decode("error", { error_type: "E", message: "m", line: "12" }))).toMatchObject({
      line: 12
    })
    expect(Either.getOrThrow(decode("review", { status: "changes-requested" }))).toEqual({
      status: "changes_requested"
    })
  })

  it("says every problem, with its place", () => {
    const wrong = decode("error", { message: 4, line: "soon", resolution: {} })
    expect(Either.isLeft(wrong) && wrong.left.split("\n").map((line) => line.split(":")[0])).toEqual(
      expect.arrayContaining(["structured_data.error_type", "structured_data.line", "structured_data.resolution"])
    )
    expect(Either.isLeft(decode("issue", { title: "x", severity: "apocalyptic" }))).toBe(true)
    expect(Either.isLeft(decode("procedural", {}))).toBe(true)
  })

  it("what was stored once is stored the same again", () => {
    const once = Either.getOrThrow(decode("schema", { name: "user", schema_type: "Database", fields: { name: "id" } }))
    expect(once).toEqual({ name: "user", type: "database", fields: [{ name: "id" }] })
    expect(Either.getOrThrow(decode("schema", once))).toEqual(once)
  })

  it("prints a JSON Schema for every type, with the required fields of the twelve", () => {
    for (const type of memoryTypes) expect(typeSchema(type)).toMatchObject({ type: "object" })
    expect(typeSchema("decision")).toMatchObject({
      required: ["decision"],
      properties: { alternatives: { type: "array" } }
    })
    expect(typeSchema("dependency")["required"]).toEqual(["name", "version"])
    expect(JSON.stringify(typeSchema("todo"))).toContain('"in_progress"')
    expect(decode("fact", { anything: [1] })).toEqual(Either.right({ anything: [1] }))
  })
})
