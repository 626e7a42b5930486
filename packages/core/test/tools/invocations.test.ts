import { describe, expect, it } from "@effect/vitest"
import type { Invocation, InvocationRequest, ToolAdapter } from "../../src/ToolAdapter.js"
import * as Tools from "../../src/Tools.js"

const secret = "SECRET-TOKEN-VALUE"
const request: InvocationRequest = {
  prompt: "the prompt $(x) \"'",
  directory: "/job",
  folder: "/attempt",
  permission: "edit",
  model: "some-model",
  resume: undefined,
  memory: {
    server: "contextfs",
    command: "/usr/bin/node",
    args: ["/bridge.js"],
    env: { CONTEXTFS_SOCKET: "/s", CONTEXTFS_TOKEN: secret }
  },
  env: {},
  root: false
}

const invoke = (adapter: ToolAdapter, change: Partial<InvocationRequest> = {}): Invocation => {
  const invocation = adapter.invocation({ ...request, ...change })
  if ("refused" in invocation) throw new Error(invocation.refused)
  return invocation
}
const adapters = [
  ...Tools.builtIn.values(),
  ...[Tools.adapterFor("mine", { command: ["x"] })].flatMap((found) => found ?? [])
]
const permissions = ["read", "edit", "exec", "full"] as const

describe("invocations", () => {
  it("the prompt and the token never travel in argv, in a file or in a variable of ours", () => {
    for (const adapter of adapters) {
      for (const permission of permissions) {
        for (const resume of adapter.capabilities.resume ? [undefined, "session-1"] : [undefined]) {
          const { args, env, files, stdin } = invoke(adapter, { permission, resume })
          expect(stdin).toBe(request.prompt)
          const open = JSON.stringify([args, env, files ?? {}])
          expect(open, adapter.name).not.toContain("the prompt")
          expect(open, adapter.name).not.toContain(secret)
        }
      }
    }
  })

  it("files have plain names", () => {
    for (const adapter of adapters) {
      for (const name of Object.keys(invoke(adapter).files ?? {})) expect(name).toMatch(/^[a-z]+\.json$/)
    }
  })

  it("full is refused as root; a model or a session that looks like an option is refused", () => {
    for (const adapter of adapters) {
      expect(adapter.invocation({ ...request, permission: "full", root: true })).toHaveProperty("refused")
      expect(adapter.invocation({ ...request, permission: "exec", root: true })).not.toHaveProperty("refused")
      expect(adapter.invocation({ ...request, model: "--help" })).toHaveProperty("refused")
      if (adapter.capabilities.resume) {
        expect(adapter.invocation({ ...request, resume: "-x" })).toHaveProperty("refused")
      } else expect(adapter.invocation({ ...request, resume: "x" })).toHaveProperty("refused")
    }
  })

  it("gemini takes the id of a session, not its place in a list", () => {
    const gemini = adapters.filter(({ name }) => name === "gemini")
    expect(gemini).toHaveLength(1)
    for (const adapter of gemini) {
      for (const resume of ["latest", "1", "12"]) {
        expect(adapter.invocation({ ...request, resume }), resume).toHaveProperty("refused")
      }
      expect(invoke(adapter, { resume: "1d63a1f0-0c1e-4b2f-9f6e-2f6ac0a3b111" }).args).toContain("--resume")
    }
  })

  it("only full asks a program to let everything through", () => {
    const bypass = /bypass|yolo|dangerously|danger-full/
    for (const adapter of adapters.filter((each) => ["claude", "codex", "gemini"].includes(each.name))) {
      for (const permission of permissions) {
        expect(bypass.test(invoke(adapter, { permission }).args.join(" ")), `${adapter.name} ${permission}`).toBe(
          permission === "full"
        )
      }
    }
  })

  it("argv and files per permission", () => {
    for (const adapter of adapters.filter((each) => each.command === undefined)) {
      const shown = Object.fromEntries(permissions.map((permission) => [permission, invoke(adapter, { permission })]))
      expect(shown).toMatchSnapshot(adapter.name)
    }
  })

  it("what the user has set is left as it is", () => {
    const claude = adapters.find((each) => each.name === "claude")
    const opencode = adapters.find((each) => each.name === "opencode")
    const gemini = adapters.find((each) => each.name === "gemini")
    if (claude === undefined || opencode === undefined || gemini === undefined) throw new Error("a tool is missing")
    expect(invoke(claude).env).toEqual({ CLAUDE_CODE_MAX_RETRIES: "5" })
    expect(invoke(claude, { env: { CLAUDE_CODE_MAX_RETRIES: "0" } }).env).toEqual({})
    const taken = invoke(opencode, { env: { OPENCODE_CONFIG: "/mine.json" } })
    expect(Object.keys(taken.env)).toEqual(["OPENCODE_CONFIG_CONTENT"])
    const settings = invoke(gemini, { env: { HOME: "/home/me" } }).overlays?.at(-1)?.files?.["settings.json"]
    const merged: unknown = JSON.parse(
      settings?.('{ "general": { "maxAttempts": 9 }, "mcpServers": { "mine": { "command": "x" } } } // mine') ?? ""
    )
    expect(merged).toMatchObject({
      general: { maxAttempts: 9 },
      mcpServers: { mine: { command: "x" }, contextfs: { trust: true } }
    })
    expect(settings?.("{ broken")).toBe("{ broken")
  })

  it("provider keys go to their own provider's program", () => {
    const passes = (name: string, env: Record<string, string>): ReadonlyArray<string> =>
      Tools.builtIn.get(name)?.passEnv(env) ?? []
    expect(passes("claude", {})).not.toContain("AWS_*")
    expect(passes("claude", { CLAUDE_CODE_USE_BEDROCK: "1" })).toContain("AWS_*")
    expect(passes("codex", {}).join()).not.toContain("ANTHROPIC")
    expect(passes("claude", {}).join()).not.toContain("OPENAI")
    expect(passes("mock", {})).toEqual([])
  })

  it("a configured tool has the adapter of its name, the one it names, or is a command", () => {
    expect(Tools.adapterFor("claude", {})?.name).toBe("claude")
    expect(Tools.adapterFor("work", { adapter: "claude", command: ["claude-work"] })?.name).toBe("claude")
    expect(Tools.adapterFor("mine", { command: ["x"] })).toMatchObject({ name: "mine", output: "text" })
    expect(Tools.adapterFor("mine", { command: ["x"], output: "events" })).toMatchObject({ output: "events" })
    expect(Tools.adapterFor("claude", { adapter: "command", command: ["x"] })).toMatchObject({
      name: "claude",
      output: "text"
    })
    expect(Tools.adapterFor("mine", {})).toBeUndefined()
    expect(Tools.adapterFor("mine", { adapter: "nobody" })).toBeUndefined()
  })
})
