import * as fs from "node:fs"
import * as path from "node:path"
import { writeAgent } from "@contextfs/fixtures/Scenario"
import { expect, it } from "vitest"
import { homes } from "./harness.js"

const home = homes()

it("an agent is told data folder, project and its own name anew, whatever the user's environment or the job says", async () => {
  const one = home()
  const seen = path.join(one.root, "seen")
  const command = [
    await writeAgent(one.root, [
      { do: "env", file: seen },
      { do: "print", line: "done" }
    ])
  ]
  const lies = { CONTEXTFS_SOURCE_TOOL: "liar", CONTEXTFS_PROJECT: "lie", CONTEXTFS_DATA_DIR: "/lie" }
  one.file("agents.json", {
    tools: { mine: { command, passEnv: ["CONTEXTFS_*"], env: lies } },
    agents: [{ role: "review", directory: ".", task: "x", tool: "mine", env: lies }]
  })
  const env = { CONTEXTFS_SOURCE_TOOL: "the users own", CONTEXTFS_PROJECT: "from-env" }
  // With the memory or without it.
  for (const more of [[], ["--no-memory"]]) {
    const ended = await one.contextfs(["orchestrator", "run", "agents.json", ...more], { env })
    expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(fs.readFileSync(seen, "utf8"))).toMatchObject({
      CONTEXTFS_SOURCE_TOOL: "agent-review",
      CONTEXTFS_PROJECT: "from-env",
      CONTEXTFS_DATA_DIR: one.dataDir
    })
    fs.rmSync(seen)
  }
})
