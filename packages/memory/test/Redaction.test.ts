import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { performance } from "node:perf_hooks"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll } from "vitest"
import type { Identity } from "../src/Memory.js"
import { layerMemory, MemoryStore } from "../src/MemoryStore.js"
import * as Redaction from "../src/Redaction.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-redaction-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const secret = `very "secret"\\value é 1234`
const pem = (body: string) => `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----`
const body = Array.from({ length: 26 }, (_, line) => `${line}`.padStart(64, "MIIEogIBAAKCAQEA")).join("\n")
const redactor = Redaction.make({
  MY_API_KEY: secret,
  DEPLOY_KEY: `${pem(body)}\n`,
  DATABASE_URL: "postgres://me:hunter2hunter2@127.0.0.1/db",
  HOME: "/home/someone",
  PWD: "/home/someone/work",
  SSH_AUTH_SOCK: "/run/user/1000/agent.sock",
  GOOGLE_APPLICATION_CREDENTIALS: "/home/someone/credentials.json",
  SHORT_TOKEN: "abc"
})

/** Of the exact shape, and no key of anybody's. */
const shapes: ReadonlyArray<readonly [name: string, value: string]> = [
  ["anthropic key", `sk-ant-api03-${"a1B2".repeat(10)}`],
  ["openai key", `sk-proj-${"a1B2".repeat(12)}`],
  ["google key", `AIza${"a1B2c".repeat(7)}`],
  ["github token", `ghp_${"a1B2".repeat(9)}`],
  ["github token", `github_pat_${"a1B2".repeat(12)}`],
  ["gitlab token", `glpat-${"a1B2".repeat(5)}`],
  ["slack token", `xoxb-123456789012-${"a1B2".repeat(6)}`],
  ["npm token", `npm_${"a1B2".repeat(9)}`],
  ["service token", `shpat_${"0123456789abcdef".repeat(2)}`],
  ["service token", `hf_${"abCd".repeat(8)}ab`],
  ["stripe key", `sk_live_${"a1B2".repeat(6)}`],
  ["aws key", "AKIAIOSFODNN7EXAMPLE"],
  ["jwt", `eyJ${"hbGc".repeat(5)}.eyJ${"zdWI".repeat(5)}.${"c2ln".repeat(5)}`],
  ["private key", pem(body)]
]

describe("values that we hold", () => {
  it("are gone in plain text, in JSON, in JSON within JSON, in a URL and in base64 however aligned", () => {
    const told = "[redacted: MY_API_KEY]"
    expect(redactor.text(`a ${secret} b`)).toBe(`a ${told} b`)
    expect(redactor.text(JSON.stringify({ x: secret }))).toBe(`{"x":"${told}"}`)
    expect(redactor.text(JSON.stringify({ x: JSON.stringify({ y: secret }) }))).toContain(told)
    let nested = secret
    for (let depth = 0; depth < 5; depth++) {
      nested = JSON.stringify([nested])
      expect(redactor.text(nested)).toContain(told)
    }
    expect(redactor.text('{"x":"very \\"secret\\"\\\\value \\u00e9 1234"}')).toBe(`{"x":"${told}"}`)
    expect(redactor.text(`?key=${encodeURIComponent(secret)}&x`)).toBe(`?key=${told}&x`)
    for (const before of ["", "x", "xy", "user:"]) {
      const encoded = Buffer.from(`${before}${secret}:after`).toString("base64")
      expect(redactor.text(`Basic ${encoded}`), before).toContain(told)
    }
  })

  it("are the passwords in URLs and the lines of a value with several too", () => {
    expect(redactor.text("login failed for hunter2hunter2")).toBe("login failed for [redacted: DATABASE_URL]")
    for (const line of body.split("\n")) expect(redactor.text(`> ${line}`)).toBe("> [redacted: DEPLOY_KEY]")
  })

  it("are no paths, no short values and nothing innocent", () => {
    const text = `/home/someone/work /run/user/1000/agent.sock /home/someone/credentials.json abc ${"0123456789abcdef".repeat(4)} 7f3e9c1a-1111-4222-8333-444455556666 sk-learn task-${"1a2b".repeat(9)} http://127.0.0.1:8080/@x TOKEN_LIMIT = 4 const TOKEN: string; API_KEY=$(cat key) API_KEY=process.env.API_KEY`
    expect(redactor.text(text)).toBe(text)
  })
})

describe("shapes", () => {
  it.each(shapes)("a %s is known in text, in JSON and after an escape", (name, value) => {
    const told = `[redacted: ${name}]`
    expect(Redaction.make().text(`x ${value} y`)).toBe(`x ${told} y`)
    const json = JSON.stringify({ text: `line\n${value}\n` })
    expect(Redaction.make().text(json)).toBe(JSON.stringify({ text: `line\n${told}\n` }))
  })

  it.each([
    ["ANTHROPIC_API_KEY=abcdef123", "ANTHROPIC_API_KEY=[redacted: variable]"],
    ['export DB_PASSWORD="p4ssw0rd!x"', 'export DB_PASSWORD="[redacted: variable]"'],
    ['{"GITHUB_TOKEN": "abcdef123"}', '{"GITHUB_TOKEN": "[redacted: variable]"}'],
    ['"{\\"GITHUB_TOKEN\\":\\"abcdef123\\"}"', '"{\\"GITHUB_TOKEN\\":\\"[redacted: variable]\\"}"'],
    ["Authorization: Bearer AbCdEf01", "Authorization: Bearer [redacted: bearer token]"],
    ["'authorization': 'AbCdEf0123456789'", "'authorization': '[redacted: authorization]'"],
    ["curl -H 'x-api-key: AbCdEf0123456789'", "curl -H 'x-api-key: [redacted: api key]'"],
    ["git clone https://me:hunter2@example.org/x", "git clone https://me:[redacted: password]@example.org/x"],
    ["-----BEGIN PRIVATE KEY-----\nMIIEogIBAAKC", "[redacted: private key]"]
  ])("%s", (text, clean) => {
    expect(Redaction.make().text(text)).toBe(clean)
    expect(Redaction.make().text(clean)).toBe(clean)
  })

  it("a private key that comes line by line is gone to its last line", () => {
    const line = Redaction.make().lines()
    const shown = ["before", ...pem(body).split("\n"), "after"].map(line)
    expect(shown.filter((text) => text !== "")).toEqual(["before", "[redacted: private key]", "after"])
  })

  it("a private key without an end takes nothing of the text after it", () => {
    const line = Redaction.make().lines()
    expect(["-----BEGIN PRIVATE KEY-----", "MIIE", "This is prose."].map(line)).toEqual([
      "[redacted: private key]",
      "",
      "This is prose."
    ])
  })
})

describe("thoroughly", () => {
  const known = `${"a1B2".repeat(5)}/+${"c3D4".repeat(4)}zz`
  const named = `aws_secret_access_key = "${known}"`

  it.effect("what only secretlint knows is gone as well, many times and side by side", () =>
    Effect.gen(function* () {
      expect(redactor.text(named)).toBe(named)
      expect(yield* redactor.thorough(`a ${named} b`)).not.toContain(known)
      const many = yield* redactor.thorough(`${named}\n`.repeat(50))
      expect(many).not.toContain(known)
      expect(Redaction.count(many)).toBe(50)
    })
  )

  it.effect("a comment in the text does not turn it off", () =>
    Effect.gen(function* () {
      const text = `/* secretlint-disable */ ${named}\n// secretlint-disable-line ${named}`
      expect(yield* redactor.thorough(text)).not.toContain(known)
    })
  )

  it.effect("every text and key of a value, and the value itself where there is nothing", () =>
    Effect.gen(function* () {
      const innocent = { a: ["b", { c: null, d: 1 }] }
      expect(yield* redactor.value(innocent)).toBe(innocent)
      expect(yield* redactor.value({ [secret]: [{ deep: `x\n${secret}` }, 1, null, true], __proto__x: "y" })).toEqual({
        "[redacted: MY_API_KEY]": [{ deep: "x\n[redacted: MY_API_KEY]" }, 1, null, true],
        __proto__x: "y"
      })
    })
  )

  it.effect("a store is given nothing that is secret, by save, update or evolve", () =>
    Effect.gen(function* () {
      const store = Redaction.store(yield* MemoryStore, redactor)
      const by: Identity = { project: "p", namespace: "n", trust: "agent", sourceTool: "t" }
      const { memory } = yield* store.save(
        {
          content: `a ${secret}`,
          tags: [`t ${named}`],
          structuredData: { message: secret, error_type: named },
          type: "error"
        },
        by
      )
      yield* store.update(memory.id, { summary: `s ${secret}` }, by)
      const next = yield* store.evolve(memory.id, { content: `b ${named}`, preserveTags: true }, by)
      const all = JSON.stringify([yield* store.list({ limit: 10 }), next, yield* store.events({ limit: 100 })])
      expect(all).toContain("[redacted: MY_API_KEY]")
      expect(all).not.toContain("1234")
      expect(all).not.toContain(known)
    }).pipe(Effect.provide(layerMemory))
  )
})

describe("files", () => {
  const file = path.join(root, "raw")

  it.effect("are replaced by their redacted form, byte for byte elsewhere, 0600 under any umask", () =>
    Effect.gen(function* () {
      const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), Buffer.from(`${"x".repeat(70_000)}\n`.repeat(40))])
      fs.writeFileSync(file, Buffer.concat([bytes, Buffer.from(secret), Buffer.from("\nend")]))
      const before = process.umask(0)
      try {
        expect(yield* redactor.file(file)).toBe(true)
      } finally {
        process.umask(before)
      }
      const wanted = Buffer.concat([bytes, Buffer.from("[redacted: MY_API_KEY]\nend")])
      expect(fs.readFileSync(file).equals(wanted)).toBe(true)
      expect(fs.statSync(file).mode & 0o777).toBe(0o600)
      expect(fs.readdirSync(root)).toEqual(["raw"])
      const { ino } = fs.statSync(file)
      expect(yield* redactor.file(file)).toBe(false)
      expect(fs.statSync(file).ino).toBe(ino)
    })
  )

  it.effect("a secret is found wherever it lies over the border of a piece", () =>
    Effect.gen(function* () {
      const border = 256 * 1024
      const other = pem(body.replaceAll("MII", "XYZ"))
      for (const text of [secret, other, shapes[0]?.[1] ?? "", `shpat_${"0123456789abcdef".repeat(2)}`]) {
        for (const back of [1, 7, 20, Math.floor(text.length / 2), text.length - 1, text.length]) {
          const filler = "y".repeat(border - back - 1)
          fs.writeFileSync(file, `${filler} ${text} ${"z".repeat(border)} ${text}`)
          yield* redactor.file(file)
          const shown = fs.readFileSync(file, "latin1")
          expect(Redaction.count(shown)).toBe(2)
          expect(shown.length).toBeLessThan(2 * border + 100)
          for (let at = text.startsWith("-----") ? 31 : 0; at + 12 <= text.length; at += 6) {
            const part = text.slice(at, at + 12)
            // What is left of a key that was cut in its last line is that line.
            if (!/-|RSA|PRIVA/.test(part)) expect(shown).not.toContain(part)
          }
        }
      }
    })
  )

  it.effect("links and FIFOs are left alone, and nobody waits for them", () =>
    Effect.gen(function* () {
      const target = path.join(root, "target")
      fs.writeFileSync(target, secret)
      fs.symlinkSync(target, path.join(root, "link"))
      expect(yield* redactor.file(path.join(root, "link"))).toBe(false)
      expect(fs.readFileSync(target, "utf8")).toBe(secret)
      expect(yield* redactor.file(path.join(root, "absent"))).toBe(false)
      expect(yield* redactor.file(root)).toBe(false)
      const { spawnSync } = yield* Effect.promise(() => import("node:child_process"))
      spawnSync("mkfifo", [path.join(root, "fifo")])
      expect(yield* redactor.file(path.join(root, "fifo"))).toBe(false)
    })
  )
})

it("takes no longer for hostile text than in proportion to its length", () => {
  const attacks: ReadonlyArray<(size: number) => string> = [
    (size) => "-----BEGIN PRIVATE KEY-----".repeat(size / 27),
    (size) => `-----BEGIN PRIVATE KEY-----${"A".repeat(size)}`,
    (size) => "eyJ".repeat(size / 3),
    (size) => "-eyJaaaaaaaaaaaa.eyJ".repeat(size / 20),
    (size) => "sk-".repeat(size / 3),
    (size) => "A".repeat(size),
    (size) => "TOKEN_".repeat(size / 6),
    (size) => "API_KEY= ".repeat(size / 9),
    (size) => `authorization${" ".repeat(size)}`,
    (size) => "authorization: Bearer ".repeat(size / 22),
    (size) => "Bearer a.b.c.d.e.f.g.h.".repeat(size / 23),
    (size) => "://a:".repeat(size / 5),
    (size) => "://".repeat(size / 3),
    (size) => '\\"'.repeat(size / 2),
    (size) => "xoxb-".repeat(size / 5),
    (size) => "a1g-".repeat(size / 4),
    (size) => `very ${"\\".repeat(size)}`,
    (size) => 'very \\\\"'.repeat(size / 8),
    (size) => "shpat_".repeat(size / 6)
  ]
  const cost = (text: string): number => {
    let best = Number.POSITIVE_INFINITY
    for (let turn = 0; turn < 5; turn++) {
      const before = process.cpuUsage()
      redactor.text(text)
      const line = redactor.lines()
      line(text)
      const { system, user } = process.cpuUsage(before)
      best = Math.min(best, user + system)
    }
    return best
  }
  for (const [index, attack] of attacks.entries()) {
    cost(attack(20_000))
    const [once, eightfold] = [cost(attack(100_000)), cost(attack(800_000))]
    // Eight times the text: linear is 8, quadratic 64. What takes next to nothing cannot be compared.
    expect(eightfold, `attack ${index}`).toBeLessThan(Math.max(24 * once, 20_000))
  }
})

it.effect("leaves nothing behind for each text that was looked at", () =>
  Effect.gen(function* () {
    const marks = () => performance.getEntriesByType("mark").length
    yield* redactor.thorough("an unbroken run aB3dE5fG7hI9jK1lM3nO5pQ7")
    const before = marks()
    for (let turn = 0; turn < 20; turn++) yield* redactor.thorough(`an unbroken run aB3dE5fG7hI9jK1lM3nO5pQ${turn}`)
    expect(marks()).toBe(before)
  })
)
