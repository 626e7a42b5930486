import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { at, document, type Home, harmful, homes, isRecord } from "./harness.js"

const home = homes()

/** A PATH with nothing but what containment needs, without `missing`, and with these programs (shell scripts). */
const pathOf = (one: Home, programs: Readonly<Record<string, string>> = {}, missing = ""): string => {
  const folder = path.join(one.root, "bin")
  fs.mkdirSync(folder)
  for (const name of ["env", "setsid", "sh", "unshare", "true", "sleep"].filter((name) => name !== missing)) {
    const found = (process.env["PATH"] ?? "").split(":").map((at) => path.join(at, name))
    const file = found.find((file) => fs.existsSync(file))
    if (file === undefined) throw new Error(`no ${name}`)
    fs.symlinkSync(file, path.join(folder, name))
  }
  for (const [name, script] of Object.entries(programs)) {
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return folder
}
const claude = { claude: "echo '2.1.330 (Claude Code)'" }
const good = { ANTHROPIC_API_KEY: "sk-ant-do-not-show-this-value" }

const examine = async (one: Home, env: Readonly<Record<string, string>>, args: ReadonlyArray<string> = []) => {
  const ended = await one.contextfs(["doctor", "--json", ...args], { env })
  const told = document(ended.stdout)
  const findings = Array.isArray(told["findings"]) ? told["findings"].filter(isRecord) : []
  const finding = (check: string) => findings.find((found) => found["check"] === check)
  return { ...ended, told, finding }
}

describe("doctor", () => {
  it("is content where a program can be used, starts no agent and writes nothing", async () => {
    const one = home()
    const PATH = pathOf(one, {
      claude: `[ "$*" = --version ] || : > '${one.root}/started'\necho '2.1.330 (Claude Code)'`
    })
    const before = fs.readdirSync(one.root, { recursive: true }).sort()
    const ended = await one.contextfs(["doctor"], { env: { PATH, ...good } })
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(ended.stdout).not.toMatch(harmful)
    expect(ended.stdout).toMatch(/✓ claude +2\.1\.330 {2}~\/bin\/claude {2}ANTHROPIC_API_KEY\n/)
    expect(ended.stdout).toMatch(/– codex +not installed\n/)
    expect(ended.stdout).toMatch(/✓ containment +(kernel-bound|process group)/)
    expect(ended.stdout.endsWith("\nready\n")).toBe(true)
    expect(fs.readdirSync(one.root, { recursive: true }).sort()).toEqual(before)
  })

  it("tells everything to programs", async () => {
    const one = home()
    const { code, finding, told } = await examine(one, { PATH: pathOf(one, claude), ...good })
    expect(code).toBe(0)
    expect(told).toMatchObject({ ok: true, exitCode: 0 })
    expect(finding("node")).toMatchObject({ state: "ok", text: expect.stringContaining(process.versions.node) })
    expect(finding("sqlite")).toMatchObject({ state: "ok", text: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    expect(finding("claude")).toMatchObject({
      program: path.join(one.root, "bin/claude"),
      version: "2.1.330",
      auth: ["ANTHROPIC_API_KEY"]
    })
    expect(finding("codex")).toMatchObject({ state: "none", program: null })
  })

  it("shows names of secrets and never values, and gives a program no more than an agent gets", async () => {
    const one = home()
    const seen = path.join(one.root, "seen")
    const PATH = pathOf(one, { codex: `{ env; pwd; } > '${seen}'\necho 'codex-cli 0.169.0'` })
    fs.mkdirSync(path.join(one.root, ".codex"))
    fs.writeFileSync(path.join(one.root, ".codex/auth.json"), "{}")
    const env = { PATH, OPENAI_API_KEY: "sk-value-of-openai", MY_TOKEN: "value-of-mine", CLAUDECODE: "1" }
    const { finding, stdout } = await examine(one, env)
    expect(finding("codex")).toMatchObject({ version: "0.169.0", auth: ["OPENAI_API_KEY", "~/.codex/auth.json"] })
    expect(stdout).not.toMatch(/value-of/)
    const text = fs.readFileSync(seen, "utf8")
    expect(text).toContain("OPENAI_API_KEY=")
    expect(text).not.toMatch(/MY_TOKEN|CLAUDECODE/)
    expect(text.trimEnd().split("\n").at(-1)).toBe("/")
  })

  it("a program that does not answer is a warning, with an odd text too", async () => {
    const one = home()
    const PATH = pathOf(one, {
      ...claude,
      codex: "exit 3",
      gemini: "printf '\\033[2J\\033]52;c;ZXZpbA==\\007 the newest'"
    })
    const { code, finding, stdout } = await examine(one, { PATH })
    expect(code).toBe(0)
    expect(finding("codex")).toMatchObject({ state: "warn", version: null, hint: expect.stringContaining("--version") })
    expect(finding("gemini")).toMatchObject({ version: "the newest" })
    expect(finding("claude")).toMatchObject({
      state: "warn",
      hint: expect.stringContaining("no key and no login file")
    })
    expect(stdout.trimEnd()).not.toMatch(harmful)
  })

  it("says where data folder and project come from: flag, variable, file, default", async () => {
    const one = home()
    const env = { PATH: pathOf(one, claude) }
    const project = async (args: ReadonlyArray<string>, more = {}) =>
      (await examine(one, { ...env, ...more }, args)).finding("project")
    expect(await project([])).toMatchObject({ text: "default  (default)" })
    one.file("agents.json", { project: "inFile", agents: [{ role: "test", directory: ".", task: "x" }] })
    expect(await project([])).toMatchObject({ text: "inFile  (agents.json)" })
    expect(await project([], { CONTEXTFS_PROJECT: "mine" })).toMatchObject({ text: "mine  ($CONTEXTFS_PROJECT)" })
    expect(await project(["-p", "given"], { CONTEXTFS_PROJECT: "mine" })).toMatchObject({ text: "given  (--project)" })
    const data = async (more: Readonly<Record<string, string>>) =>
      (await examine(one, { ...env, ...more })).finding("data")
    expect(await data({})).toMatchObject({ text: expect.stringContaining("~/data  ($CONTEXTFS_DATA_DIR)") })
    expect(await data({ CONTEXTFS_DATA_DIR: "" })).toMatchObject({
      text: expect.stringContaining("~/.contextfs  (default)")
    })
  })

  it("a data folder that others may enter is a warning", async () => {
    const one = home()
    fs.mkdirSync(one.dataDir)
    fs.chmodSync(one.dataDir, 0o755)
    const { code, finding } = await examine(one, { PATH: pathOf(one, claude) })
    expect(code).toBe(0)
    expect(finding("data")).toMatchObject({ state: "warn", hint: `chmod 700 ${one.dataDir}` })
    expect(fs.statSync(one.dataDir).mode & 0o777).toBe(0o755)
  })

  const ill: ReadonlyArray<readonly [string, number, string, (one: Home) => Readonly<Record<string, string>>]> = [
    ["no agent program", 6, "agents", (one) => ({ PATH: pathOf(one) })],
    ["no setsid", 6, "containment", (one) => ({ PATH: pathOf(one, claude, "setsid") })],
    [
      "an env that knows no --default-signal",
      6,
      "containment",
      (one) => {
        const PATH = pathOf(one, claude, "env")
        fs.writeFileSync(path.join(PATH, "env"), "#!/bin/sh\nexit 125\n", { mode: 0o755 })
        return { PATH }
      }
    ],
    [
      "a data folder that is a file",
      5,
      "data",
      (one) => ({ PATH: pathOf(one, claude), CONTEXTFS_DATA_DIR: one.file("f", "") })
    ],
    [
      "a data folder below a file",
      5,
      "data",
      (one) => ({ PATH: pathOf(one, claude), CONTEXTFS_DATA_DIR: `${one.file("f", "")}/data` })
    ],
    [
      "a trust store that is broken",
      5,
      "trusted",
      (one) => {
        fs.mkdirSync(one.dataDir, { mode: 0o700 })
        fs.writeFileSync(path.join(one.dataDir, "trust.json"), "{", { mode: 0o600 })
        return { PATH: pathOf(one, claude) }
      }
    ],
    [
      "a role file that is wrong",
      3,
      "roles",
      (one) => {
        one.file(".contextfs/roles/x.md", "nothing")
        return { PATH: pathOf(one, claude) }
      }
    ],
    [
      "a configuration that is wrong",
      3,
      "agents.json",
      (one) => {
        one.file("agents.json", [{ role: "tset", directory: "none", task: "x" }])
        return { PATH: pathOf(one, claude) }
      }
    ]
  ]
  it.each(ill)("%s ends with %i", async (_, code, check, prepare) => {
    const one = home()
    const ended = await examine(one, prepare(one))
    expect(ended.code, ended.stdout).toBe(code)
    expect(ended.told).toMatchObject({ ok: false, exitCode: code })
    expect(ended.finding(check)).toMatchObject({ state: "problem", hint: expect.any(String), exitCode: code })
    const problems = Array.isArray(ended.told["findings"])
      ? ended.told["findings"].filter((found: unknown) => at(found, "state") === "problem")
      : []
    expect(problems).toHaveLength(1)
  })

  it("says what of a project is not trusted, and what has changed since", async () => {
    const one = home()
    const env = { PATH: pathOf(one, claude) }
    const file = one.file(".contextfs/roles/mover.md", "---\ndescription: d\npermission: exec\n---\nYou move.\n")
    const before = await examine(one, env)
    expect(before.code).toBe(0)
    expect(before.finding("roles")).toMatchObject({
      state: "warn",
      text: "7 built in, 1 of this project; not trusted: .contextfs/roles/mover.md"
    })
    await one.contextfs(["trust", file])
    expect((await examine(one, env)).finding("trusted")).toMatchObject({ state: "ok", text: "1 file" })
    fs.appendFileSync(file, "More.")
    expect((await examine(one, env)).finding("trusted")).toMatchObject({
      state: "warn",
      hint: "contextfs trust --list"
    })
  })
})
