/** The first command of the README: what it shows is what happened. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const home = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-quickstart-"))
afterAll(() => fs.rmSync(home, { recursive: true, force: true }))

const contextfs = (...args: ReadonlyArray<string>) =>
  execFileSync(process.execPath, [path.join(root, "packages/cli/dist/bin.cjs"), ...args], {
    cwd: home,
    env: { PATH: process.env["PATH"], HOME: home },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"]
  })

interface Saved {
  readonly id: string
  readonly role: string
  readonly type: string
  readonly tags: ReadonlyArray<string>
  readonly sourceTool: string
}

it("lists as findings what the agents saved over MCP, with role, type and tags", () => {
  const lines = contextfs(
    "orchestrator",
    "run",
    path.join(root, "examples/quickstart/agents.json"),
    "--tool",
    "mock",
    "--jsonl"
  )
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  // A newcomer is not greeted by a warning.
  expect(lines[0]).toMatchObject({ kind: "runStarted", overlaps: [] })
  const { result: run } = lines.at(-1)
  expect(run.status).toBe("completed")
  const byCall = run.results.flatMap((result: { memory: { saved: ReadonlyArray<string> } }) => result.memory.saved)
  expect(byCall).toHaveLength(4)

  const { memories } = JSON.parse(contextfs("orchestrator", "findings", "--project", "quickstart", "--json"))
  const saved: ReadonlyArray<Saved> = memories
  // Beside what the agents saved there are the outcomes, which the orchestrator saves itself.
  const byAgents = saved.filter(({ sourceTool }) => sourceTool.startsWith("agent-"))
  expect(byAgents.map(({ id }) => id).sort()).toEqual([...byCall].sort())
  expect(byAgents.map(({ role, tags, type }) => ({ role, type, tags }))).toEqual(
    expect.arrayContaining([
      { role: "code", type: "decision", tags: ["code-agent"] },
      { role: "code", type: "code", tags: ["code-agent"] },
      { role: "test", type: "code", tags: ["test-agent"] },
      { role: "review", type: "fact", tags: ["review-agent"] }
    ])
  )
  expect(saved.filter(({ tags }) => tags.includes("outcome"))).toHaveLength(3)
})
