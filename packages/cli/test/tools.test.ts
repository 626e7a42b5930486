import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { homes } from "./harness.js"

const home = homes()

describe("orchestrator tools", () => {
  it("tells which programs are here and what each can honour", async () => {
    const at = home()
    const bin = path.join(at.root, "bin")
    fs.mkdirSync(bin)
    for (const [name, mode] of [
      ["codex", 0o755],
      ["gemini", 0o644]
    ] as const) {
      fs.writeFileSync(path.join(bin, name), "#!/bin/sh\n", { mode })
    }
    const env = { PATH: bin }
    const people = await at.contextfs(["orchestrator", "tools"], { env })
    expect(people).toMatchObject({ code: 0, stderr: "" })
    expect(people.stdout).toContain("not found: claude is not on PATH")
    expect(people.stdout).toContain(path.join(bin, "codex"))

    const ended = await at.contextfs(["orchestrator", "tools", "--json"], { env })
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    const listed: unknown = JSON.parse(ended.stdout)
    expect(listed).toEqual([
      expect.objectContaining({ name: "claude", program: null, can: expect.objectContaining({ turnLimit: true }) }),
      expect.objectContaining({ name: "gemini", program: null, missing: expect.stringContaining("not executable") }),
      expect.objectContaining({
        name: "codex",
        program: path.join(bin, "codex"),
        missing: null,
        permissions: ["read", "edit", "exec", "full"],
        can: expect.objectContaining({ memory: true, cost: false, turnLimit: false })
      }),
      expect.objectContaining({ name: "opencode", program: null }),
      expect.objectContaining({ name: "mock", builtIn: true, missing: null })
    ])
    expect(fs.existsSync(at.dataDir)).toBe(false)
  })
})
