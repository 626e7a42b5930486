/**
 * What the original's page shows, on the command line, as it stands there: the same words, the same defaults. Its Python
 * has counterparts in docs/coming-from-python.md and examples/; docs/seed.md lists every name.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { machine, type Person } from "./world.js"

const person = machine()
let count = 0
let one: Person
beforeEach(() => {
  one = person(`person-${++count}`)
})

/** Runs a line of shell as it is written. */
const sh = (line: string) => one.run("bash", ["-euo", "pipefail"], line)
const json = async (line: string) => JSON.parse(await sh(line))

const agents = [
  { role: "test", directory: "./tests", task: "Write tests for UserService" },
  { role: "code", directory: "./src", task: "Implement UserService" }
]
const write = (file: string, value: unknown) => fs.writeFileSync(path.join(one.work, file), JSON.stringify(value))

describe("quick start", () => {
  it("init-config -o agents.json writes the page's three agents, and run agents.json --workers 3 runs them", async () => {
    await sh("contextfs orchestrator init-config -o agents.json")
    const config = JSON.parse(fs.readFileSync(path.join(one.work, "agents.json"), "utf8"))
    expect(config.agents).toEqual([
      {
        role: "test",
        directory: "./tests",
        task: "Write unit tests for the auth module. Search memory for existing patterns first."
      },
      {
        role: "code",
        directory: "./src",
        task: "Implement the auth module. Save architecture decisions to memory."
      },
      {
        role: "review",
        directory: ".",
        task: "Review auth implementation for security issues. Link findings to decisions."
      }
    ])
    const result = await json("contextfs orchestrator run agents.json --workers 3 --json")
    expect(result.results.map(({ role, status }: Record<string, string>) => `${role} ${status}`)).toEqual([
      "test completed",
      "code completed",
      "review completed"
    ])
  })
})

describe("run", () => {
  it("has the defaults of the page: project default, tool claude, three workers, no timeout", async () => {
    write("agents.json", agents)
    const plan = await json("contextfs orchestrator run agents.json --dry-run --json")
    expect(plan).toMatchObject({ project: "default", workers: 3 })
    expect(plan.agents).toHaveLength(2)
    for (const agent of plan.agents) expect(agent).toMatchObject({ tool: "claude", timeout: null })
  })

  it.each(["-p shop -t gemini -w 2 --timeout 90.5", "--project shop --tool gemini --workers 2 --timeout 90.5"])(
    "takes %s",
    async (options) => {
      write("agents.json", agents)
      const plan = await json(`contextfs orchestrator run agents.json ${options} --dry-run --json`)
      expect(plan).toMatchObject({ project: "shop", workers: 2 })
      expect(plan.agents).toHaveLength(2)
      for (const agent of plan.agents) expect(agent).toMatchObject({ tool: "gemini", timeout: 90.5 })
    }
  )
})

describe("spawn", () => {
  it('spawn test ./tests "…" --wait runs one agent to its end', async () => {
    const result = await json(
      'contextfs orchestrator spawn test ./tests "Write unit tests for auth module" --wait --json'
    )
    expect(result.results).toHaveLength(1)
    expect(result.results[0]).toMatchObject({ role: "test", tool: "claude", status: "completed" })
    expect(result.project).toBe("default")
  })
})

describe("what agents left", () => {
  const remember = async () => {
    write("agents.json", agents)
    await sh("contextfs orchestrator run agents.json --project myproject")
    // One that ends without having said that it was done.
    write("bad.json", {
      tools: { silent: { command: ["true"], output: "events" } },
      agents: [{ role: "debug", directory: ".", task: "Fail", tool: "silent", retries: 0 }]
    })
    await sh("contextfs orchestrator run bad.json --project myproject || test $? = 1")
  }

  it("findings --project myproject --limit 10 lists it, with -p, -l and -r in short", async () => {
    await remember()
    const { memories } = await json("contextfs orchestrator findings --project myproject --limit 10 --json")
    expect(memories.map(({ role }: { role: string }) => role).sort()).toEqual(["code", "debug", "test"])
    expect((await json("contextfs orchestrator findings -p myproject -l 1 --json")).memories).toHaveLength(1)
    const ofTest = await json("contextfs orchestrator findings -p myproject -r test --json")
    expect(ofTest.memories.map(({ tags }: { tags: ReadonlyArray<string> }) => tags.includes("test-agent"))).toEqual([
      true
    ])
    expect((await json("contextfs orchestrator findings --project other --json")).memories).toEqual([])
  })

  it("errors --project myproject lists what failed, and nothing else", async () => {
    await remember()
    const { memories } = await json("contextfs orchestrator errors --project myproject --json")
    expect(memories.map(({ role, type }: Record<string, string>) => `${role} ${type}`)).toEqual(["debug error"])
    expect((await json("contextfs orchestrator errors -p myproject --json")).memories).toHaveLength(1)
  })

  it("monitor --project myproject --interval 5 shows what happens until it is ended", async () => {
    await remember()
    const seen = await sh(`
      contextfs orchestrator monitor --project myproject --interval 5 > seen.txt 2>&1 & monitor=$!
      until test -s seen.txt; do sleep 0.1; done
      contextfs orchestrator run agents.json --project myproject > /dev/null
      until grep -q 'code-1.*completed' seen.txt && grep -q 'test-1.*completed' seen.txt; do sleep 0.1; done
      kill -TERM $monitor
      wait $monitor || test $? = 143
      cat seen.txt`)
    expect(seen).toContain("Implement UserService")
  })
})

describe("examples", () => {
  it("test and code agents in parallel, from a file written by the shell", async () => {
    await sh(`cat > agents.json << 'EOF'
[
  {"role": "test", "directory": "./tests", "task": "Write tests for UserService"},
  {"role": "code", "directory": "./src", "task": "Implement UserService"}
]
EOF

contextfs orchestrator run agents.json --project user-service --workers 2`)
    expect((await json("contextfs orchestrator findings -p user-service --json")).memories).toHaveLength(2)
  })

  it("one run across two repositories, whose agents share the project's memory", async () => {
    await sh("mkdir backend frontend; for each in backend frontend; do git init -q $each; done")
    const [backend, frontend] = ["backend", "frontend"].map((name) => path.join(one.work, name))
    write("cross-repo.json", [
      { role: "code", directory: backend, task: "Add /api/users endpoint" },
      { role: "code", directory: frontend, task: "Add user list component that calls /api/users" }
    ])
    await sh("contextfs orchestrator run cross-repo.json --project user-feature")
    const { memories } = await json("contextfs orchestrator findings -p user-feature --json")
    expect(new Set(memories.map(({ namespace }: { namespace: string }) => namespace)).size).toBe(2)
  })
})

describe("environment", () => {
  it("CONTEXTFS_DATA_DIR and CONTEXTFS_PROJECT say where and under which name; without them ~/.contextfs and default", async () => {
    write("agents.json", agents)
    await sh("contextfs orchestrator run agents.json")
    expect(fs.existsSync(path.join(one.home, ".contextfs/memory.db"))).toBe(true)
    expect((await json("contextfs orchestrator findings -p default --json")).memories).toHaveLength(2)
    await sh("CONTEXTFS_DATA_DIR=$HOME/elsewhere CONTEXTFS_PROJECT=mine contextfs orchestrator run agents.json")
    const there = await json("CONTEXTFS_DATA_DIR=$HOME/elsewhere contextfs orchestrator findings -p mine --json")
    expect(there.memories).toHaveLength(2)
    expect((await json("contextfs orchestrator findings -p mine --json")).memories).toEqual([])
  })
})
