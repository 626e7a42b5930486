import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { decode, maxBytes, maxFrontBytes } from "../src/RoleFile.js"

const file = "/p/.contextfs/roles/migrate.md"
const text = (front: string, body = "You write migrations.\n") => `---\n${front}\n---\n${body}`
const problems = (source: string) => Effect.map(Effect.flip(decode(source, file)), ({ message }) => message.split("\n"))

describe("a role file", () => {
  it.effect("says everything a role can be", () =>
    Effect.gen(function* () {
      const front = `name: mover # a comment
description: "Moves data: carefully"
permission: exec
tool: codex
model: large
searches:
  - prior migrations
saves:
  - migrations as code
  - {what: things that known as slow, type: error}
links: [migrations and their decisions]
outcome: code`
      expect(yield* decode(text(front, "\nYou move data.\n\n---\nSlowly.\n"), file)).toEqual({
        name: "mover",
        description: "Moves data: carefully",
        permission: "exec",
        tool: "codex",
        model: "large",
        searches: ["prior migrations"],
        saves: [
          { what: "migrations", type: "code" },
          { what: "things that known as slow", type: "error" }
        ],
        links: ["migrations and their decisions"],
        outcome: "code",
        prompt: "You move data.\n\n---\nSlowly."
      })
    })
  )

  it.effect("needs a description and a prompt; the rest has defaults, and one thing need not be a list", () =>
    Effect.gen(function* () {
      const bare = yield* decode(text("description: Moves data"), file)
      expect(bare).toMatchObject({ name: "migrate", permission: "read", searches: [], saves: [], outcome: "fact" })
      expect(bare.tool).toBeUndefined()
      const one = text("description: d\nsearches: prior work\nsaves: what was seen as such as doc").replaceAll(
        "\n",
        "\r\n"
      )
      expect(yield* decode(`\ufeff${one}`, file)).toMatchObject({
        searches: ["prior work"],
        saves: [{ what: "what was seen as such", type: "doc" }],
        outcome: "doc",
        prompt: "You write migrations."
      })
    })
  )

  it.effect("tells all its problems at once, by file and line, with what to do", () =>
    Effect.gen(function* () {
      const front = `permision: exec
name: Bad Name
permission: root
saves:
  - migrations
  - {what: x, type: nonsense}
searches: [1]`
      const told = yield* problems(text(front, ""))
      expect(told.map((line) => line.split(" ", 1)[0])).toEqual([
        `${file}:2:1`,
        `${file}:2:1`,
        `${file}:3:7`,
        `${file}:4:13`,
        `${file}:6:5`,
        `${file}:7:21`,
        `${file}:8:12`,
        `${file}:10:1`
      ])
      const all = told.join("\n")
      for (const part of [
        'unknown key "permision" – one of name, description, permission',
        "description is missing – add a line description: …",
        'permission: expected one of read, edit, exec, full, got "root"',
        'name: expected a name of small letters, digits and hyphens, at most 40, got "Bad Name"',
        "saves[0]: expected what, the word as, and a type",
        "saves[1].type: expected one of fact, decision",
        "searches[0]: expected a text, got 1",
        "the prompt is missing"
      ]) {
        expect(all).toContain(part)
      }
    })
  )

  it.effect.each([
    ["no front matter", "You are.", ":1:1 the front matter is missing – begin with a line ---"],
    ["a front matter that does not end", "---\ndescription: x\nYou are.", ":1:1 the front matter is missing"],
    ["no YAML", text("description: a: b"), ":2:"],
    ["a key twice", text("description: a\ndescription: b"), ":3:1 Map keys must be unique"],
    ["an alias", text("description: &a x\nmodel: *a"), ":3:8 aliases are not allowed here"],
    ["a tag", text("description: !!js/function x"), ":2:14 "],
    ["a list", text("- description"), ":1:1 the front matter is no list of keys and values"],
    ["deep flow", text(`description: ${"[".repeat(5000)}`), ":1:1 nested more than 8 levels deep"],
    ["deep blocks", text("- ".repeat(5000)), ":1:1 nested more than 8 levels deep"],
    [
      "a huge front matter",
      text(`description: ${"x".repeat(maxFrontBytes)}`),
      ":1:1 the front matter is larger than 16 KiB"
    ],
    ["the heading of the task", text("description: x", "You are.\n# Task\nnow"), ":4:1 a line of a role is not"],
    ["a prototype", text("description: x\n__proto__: {permission: full}"), ":3:1 __proto__: unknown key"]
  ] as const)("%s is a problem with a place", ([, source, part]) =>
    Effect.gen(function* () {
      const [first = ""] = yield* problems(source)
      expect(first).toContain(`${file}${part}`)
    })
  )

  it.effect("a name that comes from the file has to be one", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(decode(text("description: x"), "/p/My Role.md"))
      expect(message).toContain('/p/My Role.md:1:1 name: "My Role" is no name for a role – small letters')
    })
  )

  it.effect("of the largest size and the oddest shape is a list of problems", () =>
    Effect.gen(function* () {
      expect(yield* problems(text("description: x", "\n".repeat(maxBytes)))).toEqual([
        `${file}:4:1 the prompt is missing – say below the front matter who the agent is`
      ])
      const [first] = yield* problems("---\n".repeat(maxBytes / 4))
      expect(first).toContain("description is missing")
      expect((yield* problems(`---\n${"x\n".repeat(maxBytes / 2)}`))[0]).toContain("the front matter is missing")
    })
  )

  it("never dies, whatever stands in it", () =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.oneof(
          FastCheck.string({ unit: "binary" }),
          FastCheck.array(
            FastCheck.constantFrom(
              "description",
              ":",
              " ",
              "\n",
              "- ",
              "[",
              "]",
              "{",
              "}",
              "'",
              '"',
              "&a",
              "*a",
              "!",
              "|",
              ">",
              "?",
              "#",
              "---"
            )
          ).map((parts) => parts.join(""))
        ),
        async (front) => {
          const exit = await Effect.runPromiseExit(Effect.either(decode(text(front), file)))
          return exit._tag === "Success"
        }
      )
    ))
})
