import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Environment from "../src/Environment.js"

const user = {
  PATH: "/bin",
  HOME: "/home/u",
  LC_ALL: "C",
  http_proxy: "http://p",
  XDG_CONFIG_HOME: "/c",
  AWS_SECRET_ACCESS_KEY: "canary",
  GITHUB_TOKEN: "canary",
  NODE_OPTIONS: "--require canary",
  LD_PRELOAD: "canary",
  ANTHROPIC_API_KEY: "key",
  CLAUDECODE: "1",
  CLAUDE_CODE_ENTRYPOINT: "cli",
  CLAUDE_CODE_MAX_RETRIES: "2",
  "BASH_FUNC_x%%": "() { canary; }",
  UNSET: undefined
}

describe("Environment", () => {
  it("passes the common names, and nothing that nobody asked for", () => {
    expect(Environment.forAgent({ user, pass: [], set: {} })).toEqual({
      PATH: "/bin",
      HOME: "/home/u",
      LC_ALL: "C",
      http_proxy: "http://p",
      XDG_CONFIG_HOME: "/c"
    })
  })

  it("passes families, and strips the marks of a surrounding session from them", () => {
    const env = Environment.forAgent({ user, pass: ["ANTHROPIC_*", "CLAUDE_CODE_*", "CLAUDECODE"], set: {} })
    expect(env).toMatchObject({ ANTHROPIC_API_KEY: "key", CLAUDE_CODE_MAX_RETRIES: "2" })
    expect(Object.keys(env)).not.toContain("CLAUDECODE")
    expect(Object.keys(env)).not.toContain("CLAUDE_CODE_ENTRYPOINT")
  })

  it("lays what is set over what is passed; only identifiers are names", () => {
    const env = Environment.forAgent({
      user,
      pass: ["BASH_FUNC_*", "*"],
      set: { PATH: "/mine", "a=b": "x", GITHUB_TOKEN: "t" }
    })
    expect(env).toMatchObject({ PATH: "/mine", GITHUB_TOKEN: "t" })
    expect(Object.keys(env).every(Environment.isName)).toBe(true)
    expect(env["AWS_SECRET_ACCESS_KEY"]).toBeUndefined()
  })

  it("never passes a name outside the allowlist", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(FastCheck.string(), FastCheck.string()), (extra) => {
        const env = Environment.forAgent({ user: extra, pass: ["GOOD_*"], set: {} })
        for (const name of Object.keys(env)) {
          expect(name.startsWith("GOOD_") || name.startsWith("LC_") || Environment.common.includes(name)).toBe(true)
        }
      })
    )
  })
})
