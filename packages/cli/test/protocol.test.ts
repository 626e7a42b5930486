import { writeAgent } from "@contextfs/fixtures/Scenario"
import { expect, it } from "vitest"
import { at, document, homes } from "./harness.js"

const home = homes()
const run = ["orchestrator", "run", "agents.json", "-p", "shop"]

it("an agent that follows the memory protocol is shown as such, one that skips it is too", async () => {
  const one = home()
  const lines = [{ type: "started" }, { type: "result", ok: true, text: "I knew better" }]
  const skipper = await writeAgent(
    one.root,
    lines.map((line) => ({ do: "print", line }) as const)
  )
  one.file("agents.json", {
    tools: { skipper: { adapter: "mock", command: [skipper] } },
    workers: 1,
    agents: [
      { id: "follows", role: "code", directory: ".", task: "Choose", tool: "mock" },
      { id: "half", role: "code", directory: ".", task: 'Choose\nmock: save decision "Cookies"', tool: "mock" },
      { id: "skips", role: "code", directory: ".", task: "Choose", tool: "skipper" }
    ]
  })
  const shown = (await one.contextfs(run)).stdout
  expect(shown).toMatch(/^follows +completed .* 3 of 3 steps, 2 saved /m)
  expect(shown).toMatch(/^half +completed .* 2 of 3 steps, 1 saved /m)
  expect(shown).toMatch(/^skips +completed .* 0 of 3 steps, 0 saved /m)
  expect(shown).not.toMatch(/^follows completed$/m)
  expect(shown).toContain("half completed\n  did not  save patterns that others should follow as code\n")
  const steps = [
    "search prior decisions",
    "save decisions with their rationale as decision",
    "save patterns that others should follow as code"
  ]
  const [, details = ""] = shown.split("\nskips completed\n")
  for (const step of steps) expect(details).toContain(`  did not  ${step}\n`)

  const told = document((await one.contextfs([...run, "--json"])).stdout)
  expect(at(told, "results", 0, "memory")).toMatchObject({ asked: steps, done: steps, ignored: [] })
  expect(at(told, "results", 2, "memory")).toEqual({
    asked: steps,
    done: [],
    ignored: steps,
    searches: 0,
    recalls: 0,
    saved: []
  })
})
