import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as redaction from "../src/internal/redaction.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const secret = `very "secret"\\value é 1234`
const redactor = redaction.make({ MY_API_KEY: secret, HOME: "/home/someone", SHORT_TOKEN: "abc" })

describe("text", () => {
  it("holds no value that we hold, in plain text or in JSON", () => {
    expect(redactor.text(`a ${secret} b`)).toBe("a [redacted: MY_API_KEY] b")
    expect(redactor.text(JSON.stringify({ x: secret }))).toBe('{"x":"[redacted: MY_API_KEY]"}')
  })

  it("keeps what is no secret: paths, short values, hashes, identifiers", () => {
    const text = `/home/someone abc ${"0123456789abcdef".repeat(4)} 7f3e9c1a-1111-4222-8333-444455556666 sk-learn`
    expect(redactor.text(text)).toBe(text)
  })

  it.each([
    ["anthropic key", `sk-ant-api03-${"a1B2".repeat(10)}`],
    ["openai key", `sk-proj-${"a1B2".repeat(12)}`],
    ["github token", `ghp_${"a1B2".repeat(9)}`],
    ["aws key", "AKIAIOSFODNN7EXAMPLE"],
    ["jwt", `eyJ${"hbGc".repeat(5)}.eyJ${"zdWI".repeat(5)}.${"c2ln".repeat(5)}`],
    ["private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"],
    ["bearer token", "AbCdEf0123456789.xyz"]
  ])("knows a %s by its shape", (name, value) => {
    const text = name === "bearer token" ? `Authorization: Bearer ${value}` : `x ${value} y`
    expect(redactor.text(text)).toBe(text.replace(value, `[redacted: ${name}]`))
  })
})

it("replaces a file by its redacted form, byte for byte elsewhere", () => {
  const file = path.join(home.root, "raw")
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from(`${"x".repeat(70_000)}\n`.repeat(40))])
  fs.writeFileSync(file, Buffer.concat([bytes, Buffer.from(secret), Buffer.from("\nend")]), { mode: 0o600 })
  redactor.file(file)
  expect(fs.readFileSync(file).equals(Buffer.concat([bytes, Buffer.from("[redacted: MY_API_KEY]\nend")]))).toBe(true)
  expect(fs.statSync(file).mode & 0o777).toBe(0o600)
  expect(fs.readdirSync(home.root).filter((name) => name.includes("redacted"))).toEqual([])
})

it.live("reaches no sink: events, result, error, files, journal, memory", () =>
  Effect.gen(function* () {
    const canary = "canary-7c1e-0123456789"
    const tool = yield* Effect.promise(() =>
      home.tool(
        [
          say.started,
          say.message(`the key is ${canary}`),
          { do: "print", line: canary, to: "stderr" },
          say.done(`done with ${canary}`)
        ],
        "events"
      )
    )
    const failing = yield* Effect.promise(() =>
      home.tool([
        { do: "print", line: `bad ${canary}`, to: "stderr" },
        { do: "exit", code: 2 }
      ])
    )
    const events: Array<RunEvent> = []
    const result = yield* run(
      home,
      {
        retries: 0,
        tools: { s: { ...tool, env: { THE_KEY: canary } }, f: { ...failing, env: { THE_KEY: canary } } },
        agents: ["s", "f"].map((name) => ({ role: "docs", directory: ".", task: "go", tool: name }))
      },
      (event) => events.push(event)
    )
    expect(result.results.map((job) => job.status)).toEqual(["completed", "failed"])
    expect(JSON.stringify([result, events])).toContain("[redacted: THE_KEY]")
    expect(JSON.stringify([result, events])).not.toContain(canary)
    const files = fs
      .readdirSync(home.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(4)
    const leaks = files.filter((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name)).includes(canary))
    // The journal keeps the job as it was given, and with it the tool's own settings.
    expect(leaks.map((entry) => entry.name).filter((name) => !name.startsWith("orchestrator.db"))).toEqual([])
    for (const entry of files) {
      expect(fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o077).toBe(0)
    }
  })
)
