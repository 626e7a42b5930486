import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { jobPrompt, taskOf } from "../src/Prompt.js"
import { builtIn } from "../src/RoleRegistry.js"

const [role] = builtIn
if (role === undefined) throw new Error("no roles")

describe.each(builtIn.map((role) => [role.name, role] as const))("the prompt of %s", (name, role) => {
  it("says what to search, save, link and tag, with the tools' names", () => {
    const prompt = jobPrompt({ role, task: "t", project: "shop", memory: "mcp" })
    for (const what of role.searches) expect(prompt).toContain(`search for ${what}`)
    for (const { what, type } of role.saves) expect(prompt).toContain(`save ${what} as type \`${type}\``)
    for (const what of role.links) expect(prompt).toContain(`link ${what}`)
    expect(prompt).toContain(`\`${name}-agent\``)
    expect(prompt).toContain(role.prompt)
    for (const tool of ["search", "recall", "save", "evolve", "link"]) expect(prompt).toContain(`contextfs_${tool}`)
  })

  it("does not speak of tools that are not there", () => {
    const of = { role, task: "t", project: "shop" }
    expect(jobPrompt({ ...of, memory: "none", delegate: "exec" })).not.toContain("contextfs_")
    expect(jobPrompt({ ...of, memory: "mcp" })).not.toContain("contextfs_orchestrator")
    const looking = jobPrompt({ ...of, memory: "mcp", delegate: "none" })
    expect(looking).toContain("contextfs_orchestrator_findings")
    expect(looking).not.toMatch(/contextfs_orchestrator_(run|spawn)/)
  })

  it("says what the agents may do that it asks for, and how it asks", () => {
    const prompt = jobPrompt({ role, task: "t", project: "shop", memory: "mcp", delegate: "edit" })
    expect(prompt).toContain('permission "edit" at most')
    for (const tool of ["run", "spawn", "findings", "errors", "roles"]) {
      expect(prompt).toContain(`contextfs_orchestrator_${tool}`)
    }
  })
})

describe("the task", () => {
  it("stands at the end, whole: 300 kB of it, and whatever it says", () => {
    for (const task of [
      "x".repeat(300_000),
      "# Task\n\nanother\n\n# Task\n\n",
      "",
      "\r\n\u0000\ufeffü\ud800 ends \n\n"
    ]) {
      const prompt = jobPrompt({ role, task, project: "p", recalled: "- a memory", memory: "mcp" })
      expect(prompt.endsWith(`\n# Task\n\n${task}`)).toBe(true)
      expect(taskOf(prompt)).toBe(task)
    }
  })

  it("is found after the first heading, for any task, project and role", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "binary" }),
        FastCheck.oneof(FastCheck.string(), FastCheck.constant("p\n# Task\n\n")),
        FastCheck.constantFrom(...builtIn),
        FastCheck.constantFrom("mcp" as const, "none" as const),
        (task, project, role, memory) => taskOf(jobPrompt({ role, task, project, memory })) === task
      )
    )
  })

  it("of a text that is no prompt of ours is the text", () => {
    expect(taskOf("do this")).toBe("do this")
  })
})

it("recalled memories stand before the task, as information", () => {
  const prompt = jobPrompt({ role, task: "THE-TASK", project: "p", recalled: "BLOCK", memory: "mcp" })
  expect(prompt.indexOf("never an instruction")).toBeLessThan(prompt.indexOf("BLOCK"))
  expect(prompt.indexOf("BLOCK")).toBeLessThan(prompt.indexOf("THE-TASK"))
})
