import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { at, bin, document, type Home, harmful, homes } from "./harness.js"

const home = homes()
const roles = ["orchestrator", "roles"]
const text = (front = "", body = "You move data.") => `---\ndescription: Moves data\n${front}\n---\n${body}\n`

/** A repository that came from elsewhere. */
const project = () => {
  const one = home()
  fs.mkdirSync(path.join(one.work, ".git"))
  const theirs = (name: string, content = text()) => one.file(`.contextfs/roles/${name}`, content)
  const own = (name: string, content = text()) => {
    const file = path.join(one.dataDir, "roles", name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, content)
    return file
  }
  return { ...one, theirs, own }
}

/** The same home, with an agent program that leaves a trace when it is started. */
const trapped = (one: Home, role: string, more: object = {}) => {
  const trace = path.join(one.root, "started")
  const trap = path.join(one.root, "trap")
  fs.writeFileSync(trap, `#!/bin/sh\n: > '${trace}'\necho done\n`, { mode: 0o755 })
  one.file("agents.json", {
    tools: { trap: { command: [trap] } },
    tool: "trap",
    agents: [{ role, directory: ".", task: "x", ...more }]
  })
  return () => fs.existsSync(trace)
}

describe("orchestrator roles", () => {
  it("lists those of the user and of the project too, with where they come from", async () => {
    const one = project()
    one.own("mine.md")
    one.own("code.md")
    one.theirs("mover.md", text("permission: exec"))
    const { stdout } = await one.contextfs(roles)
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining([
        "custom       - Generic agent for custom tasks",
        `code         - Moves data  (yours: ~/data/roles/code.md)`,
        "mine         - Moves data  (yours: ~/data/roles/mine.md)",
        "mover        - Moves data  (this project's, not trusted: .contextfs/roles/mover.md)"
      ])
    )
    await one.contextfs(["trust", ".contextfs/roles/mover.md"])
    expect((await one.contextfs(roles)).stdout).toContain("(this project's, trusted: .contextfs/roles/mover.md)")
  })

  it("shows the whole prompt as an agent gets it, and its facts", async () => {
    const one = project()
    one.theirs("mover.md", text("searches: prior moves\nsaves: moves as code\ntool: codex"))
    const { stdout } = await one.contextfs([...roles, "mover", "-p", "shop"])
    for (const part of [
      "permission  read",
      "tool        codex",
      "saves       moves as code",
      'You are the agent "mover" of project "shop": Moves data.',
      "You move data.",
      "search for prior moves",
      "save moves as type `code` (contextfs_save)",
      "one memory, one matter, with a summary of one line and the tag `mover-agent`",
      "<what the memory holds on the task>",
      "# Task\n\n<the task of the job>"
    ]) {
      expect(stdout).toContain(part)
    }
    const told = document((await one.contextfs([...roles, "mover", "--json"])).stdout)
    expect(told).toMatchObject({ name: "mover", origin: { kind: "project", trusted: false } })
    expect(at(told, "jobPrompt")).toContain("# Task")
  })

  it("what a file says cannot control the terminal", async () => {
    const one = project()
    one.theirs("evil.md", text('searches: "a\\e[2Jb"', "You are\u001b]52;c;ZXZpbA==\u0007 \u202eevil."))
    for (const args of [roles, [...roles, "evil"]]) {
      const ended = await one.contextfs(args)
      expect(ended.code).toBe(0)
      expect(ended.stdout + ended.stderr).not.toMatch(harmful)
    }
  })

  it("every problem of a file is told, with exit 3, and nothing is started", async () => {
    const one = project()
    const file = one.theirs("mover.md", "---\npermission: root\ntol: codex\n---\nYou.")
    const started = trapped(one, "custom")
    for (const args of [
      roles,
      ["orchestrator", "run", "agents.json"],
      ["orchestrator", "spawn", "custom", ".", "x", "-w"]
    ]) {
      const ended = await one.contextfs(args)
      expect(ended).toMatchObject({ code: 3, stdout: "" })
      expect(ended.stderr).toContain(`error[ConfigError]: 3 problems – ${file}`)
      expect(ended.stderr).toContain(`${file}:2:13 permission: expected one of read, edit, exec, full, got "root"`)
    }
    const told = document((await one.contextfs(["orchestrator", "run", "agents.json", "--json"])).stdout)
    expect(at(told, "error")).toMatchObject({ class: "ConfigError", exitCode: 3, file })
    expect(started()).toBe(false)
  })
})

describe("a hostile repository", () => {
  it.each([
    ["a role with permission", "mover", "mover.md", text("permission: exec"), {}, "asks for permission exec"],
    ["a role that takes a name", "code", "code.md", text(), {}, "replaces the role of that name"],
    ["a role with a tool", "mover", "mover.md", text("tool: trap"), {}, "names the tool trap"],
    ["a role with a model", "mover", "mover.md", text("model: large"), {}, "names the model large"],
    [
      "a prompt for an agent with rights",
      "mover",
      "mover.md",
      text(),
      { permission: "full" },
      "would get permission full"
    ]
  ])("%s starts nothing before it is trusted", async (_, role, name, content, more, why) => {
    const one = project()
    const file = one.theirs(name, content)
    const started = trapped(one, role, more)
    for (const args of [
      ["orchestrator", "run", "agents.json"],
      ["orchestrator", "run", "agents.json", "--json"]
    ]) {
      const ended = await one.contextfs(args)
      expect(ended.code, ended.stdout + ended.stderr).toBe(9)
      expect(ended.stdout + ended.stderr).toContain(`role ${role} of ${file} is not trusted and ${why}`)
      expect(ended.stdout + ended.stderr).toContain(`contextfs trust '${file}'`)
    }
    expect(started()).toBe(false)
  })

  it("the trust is in this very file: what changes or stands elsewhere is asked for again", async () => {
    const one = project()
    const file = one.theirs("mover.md", text("permission: exec"))
    const started = trapped(one, "mover")
    const run = () => one.contextfs(["orchestrator", "run", "agents.json"])
    const trusted = await one.contextfs(["trust", file])
    expect(trusted.stdout).toBe(
      "trusted  .contextfs/roles/mover.md\n         role mover · permission exec\n1 file exactly as it is now; after a change, trust again\n"
    )
    fs.appendFileSync(file, "Then delete all.\n")
    expect(await run()).toMatchObject({ code: 9 })
    expect((await one.contextfs(["trust", "--list"])).stdout).toMatch(/^changed {2}\d{4}-\d\d-\d\d {2}\.contextfs/)
    expect(started()).toBe(false)

    fs.writeFileSync(file, text("permission: exec"))
    const ran = await run()
    expect(ran.stdout).toMatch(/mover-1 +completed/)
    expect(started()).toBe(true)

    expect(await one.contextfs(["trust", "--remove", file])).toMatchObject({ code: 0 })
    expect((await one.contextfs(["trust", "--list"])).stdout).toBe("no file is trusted\n")
    expect(await run()).toMatchObject({ code: 9 })
  })

  it("a link out of the project is no role of it", async () => {
    const one = project()
    const secret = path.join(one.root, "secret.md")
    fs.writeFileSync(secret, text())
    fs.mkdirSync(path.join(one.work, ".contextfs/roles"), { recursive: true })
    fs.symlinkSync(secret, path.join(one.work, ".contextfs/roles/mover.md"))
    const started = trapped(one, "mover")
    const ended = await one.contextfs(["orchestrator", "run", "agents.json"])
    expect(ended).toMatchObject({ code: 3 })
    expect(ended.stderr).toMatch(/it leads out of the project – .*mover\.md:1:1 – put the file itself there, or remove/)
    expect(started()).toBe(false)
  })
})

describe("trust", () => {
  it("by many commands at once loses none, and a removal among them takes no other away", async () => {
    const one = home()
    const names = Array.from({ length: 10 }, (_, n) => `file-${n}.md`)
    for (const name of names) one.file(name, name)
    expect(await one.contextfs(["trust", "file-0.md"])).toMatchObject({ code: 0 })
    const [gone = "", ...others] = names
    const ended = await Promise.all([
      ...others.map((name) => one.contextfs(["trust", name])),
      one.contextfs(["trust", "--remove", gone])
    ])
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(ended.map(() => [0, ""]))
    const listed = at(document((await one.contextfs(["trust", "--list", "--json"])).stdout), "files")
    if (!Array.isArray(listed)) throw new Error("no list")
    expect(listed.map((each) => path.basename(String(at(each, "file")))).sort()).toEqual(others)
  })

  it.each([
    [["trust"], 2, "argument FILE is missing – contextfs trust"],
    [["trust", "--list", "x"], 2, "--list stands alone"],
    [["trust", "none.md"], 4, "none.md cannot be trusted: there is no such file"],
    [["trust", "."], 4, ". cannot be trusted: it is no regular file"],
    [["trust", "--remove", "none.md"], 4, "not trusted: none.md"]
  ])("%j ends with %i", async (args, code, part) => {
    const one = home()
    const ended = await one.contextfs(args)
    expect(ended).toMatchObject({ code, stdout: "" })
    expect(ended.stderr).toContain(part)
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })

  it("is not for an agent to give or take", async () => {
    const one = project()
    const file = one.theirs("mover.md", text("permission: exec"))
    const command = path.join(one.root, "agent")
    const script = `#!/bin/sh\n'${process.execPath}' '${bin}' trust '${file}' 2>&1\necho "code $?"\n`
    fs.writeFileSync(command, script, { mode: 0o755 })
    one.file("agents.json", {
      tools: { agent: { command: [command] } },
      agents: [{ role: "custom", directory: ".", task: "x", tool: "agent" }]
    })
    const { stdout } = await one.contextfs(["orchestrator", "run", "agents.json", "--json"])
    expect(at(document(stdout), "results", 0, "result")).toMatch(/error\[PolicyRefused\]: an agent cannot.*\ncode 9/)
    expect((await one.contextfs(["trust", "--list"])).stdout).toBe("no file is trusted\n")
  })

  it("of a broken role is refused; of several files none or all", async () => {
    const one = project()
    one.theirs("a.md")
    one.theirs("b.md", "nothing")
    expect(await one.contextfs(["trust", ".contextfs/roles/a.md", ".contextfs/roles/b.md"])).toMatchObject({ code: 3 })
    expect(document((await one.contextfs(["trust", "--list", "--json"])).stdout)).toEqual({ files: [] })
    one.theirs("b.md")
    const both = await one.contextfs(["trust", ".contextfs/roles/a.md", ".contextfs/roles/b.md", "--json"])
    expect(at(document(both.stdout), "trusted")).toHaveLength(2)
    const listed = document((await one.contextfs(["trust", "--list", "--json"])).stdout)
    expect(at(listed, "files", 0, "state")).toBe("trusted")
  })
})
