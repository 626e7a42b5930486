import { describe, expect, it } from "vitest"
import { type Command, type Group, isGroup } from "../../src/Command.js"
import { root } from "../../src/Commands.js"
import { globalOptions } from "../../src/internal/argv.js"
import { complete } from "../../src/internal/complete.js"

/** What is offered for a line, the words of which are separated by one space. */
const offered = (line: string): ReadonlyArray<string> | string => {
  const { of, prefix } = complete(root, line.split(" "))
  return typeof of === "string" ? `${prefix}${of}` : of.map(({ value }) => `${prefix}${value}`)
}

const commands = (group: Group, path: string): ReadonlyArray<readonly [string, Command]> =>
  group.commands.flatMap((node) => {
    const line = path === "" ? node.name : `${path} ${node.name}`
    return isGroup(node) ? commands(node, line) : [[line, node] as const]
  })

describe("complete", () => {
  it("offers the commands of a group, at every depth and after an option that every command has", () => {
    expect(offered("")).toEqual(root.commands.map(({ name }) => name))
    expect(offered("orchestrator ")).toContain("run")
    expect(offered("--debug orchestrator ")).toEqual(offered("orchestrator "))
    expect(offered("nonsense ")).toEqual([])
  })

  it.each(commands(root, ""))("offers every option of %s, and none twice", (line, command) => {
    const args = command.parameters.filter(({ kind }) => kind === "argument").map(() => "x")
    const own = command.parameters.filter(({ kind }) => kind !== "argument")
    const names = [...own, ...globalOptions].map(({ name }) => `--${name}`)
    expect(offered([line, "--"].join(" "))).toEqual(names)
    expect(offered([line, ...args, "--"].join(" "))).toEqual(names)
    // Nothing is left to say but options.
    if (command.parameters.every(({ kind, many }) => kind !== "argument" || !many)) {
      expect(offered([line, ...args, ""].join(" "))).toEqual(names)
    }
    for (const option of own) {
      const given = option.kind === "flag" ? [`--${option.name}`] : [`--${option.name}`, "value"]
      const rest = offered([line, ...given, "--"].join(" "))
      if (option.many) expect(rest).toContain(`--${option.name}`)
      else expect(rest).not.toContain(`--${option.name}`)
    }
  })

  it("offers the values of an option, however it is written", () => {
    expect(offered("orchestrator run x --tool ")).toBe("tool")
    expect(offered("orchestrator run x --tool=cl")).toBe("--tool=tool")
    expect(offered("orchestrator run x -t ")).toBe("tool")
    expect(offered("orchestrator run x -tcl")).toBe("-ttool")
    expect(offered("memory list --type=")).toContain("--type=decision")
    expect(offered("memory list --type ")).toContain("decision")
    expect(offered("orchestrator run --workers ")).toEqual([])
    expect(offered("orchestrator run --json=")).toEqual([])
    expect(offered("orchestrator run --nonsense=")).toEqual([])
  })

  it("counts arguments, and nothing else, to know which one comes next", () => {
    expect(offered("orchestrator spawn ")).toBe("role")
    expect(offered("orchestrator spawn -w -p x --timeout=5 ")).toBe("role")
    expect(offered("orchestrator spawn -wp x code ")).toBe("directory")
    expect(offered("orchestrator spawn code -t mock ")).toBe("directory")
    expect(offered("orchestrator spawn code . ")).toEqual([])
    expect(offered("orchestrator spawn code -- ")).toBe("directory")
    expect(offered("orchestrator spawn -- code . task --")).toEqual([])
    expect(offered("orchestrator run ")).toBe("file")
    expect(offered("completions ")).toEqual(["bash", "zsh", "fish"])
  })

  it("offers short options too after a single hyphen", () => {
    expect(offered("orchestrator findings -")).toEqual(
      expect.arrayContaining(["-p", "--project", "-l", "-h", "--help"])
    )
    expect(offered("-")).toEqual(expect.arrayContaining(["-h", "--help", "--version"]))
  })
})
