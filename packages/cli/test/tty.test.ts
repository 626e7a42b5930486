import { spawn, spawnSync } from "node:child_process"
import { type Scenario, writeAgent } from "@contextfs/fixtures/Scenario"
import { describe, expect, it } from "vitest"
import { bin, type Home, harmful, homes } from "./harness.js"
import { terminal } from "./terminal.js"

const home = homes()

// util-linux's `script` gives a command a terminal of its own.
const able = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true
if (!able) console.log("skipped: views in a real terminal need the program script of util-linux")

const columns = 80

/** Runs the command in a terminal; `type` is given what it has shown so far, and returns what to type. */
const inTerminal = async (one: Home, env: Readonly<Record<string, string>>, type?: (shown: string) => string) => {
  const run = `'${process.execPath}' '${bin}' orchestrator run agents.json; echo "code $?"`
  const command = `trap : INT; stty cols ${columns} rows 24; before=$(stty -g); ${run}; [ "$before" = "$(stty -g)" ] && echo "as before"`
  const child = spawn("script", ["-q", "-E", "never", "-c", command, "/dev/null"], {
    cwd: one.work,
    env: { ...one.env, TERM: "xterm-256color", ...env },
    stdio: "pipe"
  })
  let shown = ""
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk
    const keys = type?.(shown) ?? ""
    if (keys !== "") child.stdin.write(keys)
  })
  await new Promise((resolve) => child.on("close", resolve))
  return shown
}

const agents = async (one: Home, steps: Scenario) => {
  const slow = { command: [await writeAgent(one.root, steps)], output: "events" }
  const agent = { role: "code", directory: ".", task: "x", tool: "slow" }
  one.file("agents.json", { grace: "1s", tools: { slow }, agents: [agent, agent] })
}

const say = (text: string) => ({ do: "print", line: { type: "message", text } }) as const
const work: Scenario = [
  say("working on 日本語 \u001b[2J\u001b]52;c;ZXZpbA==\u0007 for long ".repeat(5)),
  { do: "delay", ms: 700 },
  { do: "print", line: { type: "result", ok: true, text: "made it" } }
]

const sgr = /\u001b\[\d+m/g
const synchronized = "\u001b[?2026h"

describe.skipIf(!able)("in a terminal", () => {
  it("draws a live picture, and leaves the summary alone on a terminal as it was", async () => {
    const one = home()
    await agents(one, work)
    const shown = await inTerminal(one, {})
    expect(shown).toContain(synchronized)
    expect(shown).toContain("● code-1")
    // Neither hides the cursor nor switches the screen, so that there is nothing to put back.
    expect(shown).not.toMatch(/\u001b\[\?(25|1049|47)/)
    const screen = terminal(columns, 24)
    screen.write(shown)
    const lines = screen.lines()
    expect(lines.join("\n")).not.toContain("●")
    expect(lines.filter((line) => line.startsWith("AGENT"))).toHaveLength(1)
    expect(lines.filter((line) => /^code-\d +completed .* made it$/.test(line))).toHaveLength(2)
    expect(lines).toContain("code 0")
    expect(lines).toContain("as before")
  })

  it("Ctrl-C: says that it is ending, keeps what there is, and the prompt is back on its own line", async () => {
    const one = home()
    await agents(one, [say("at work now"), { do: "delay", ms: 600_000 }])
    let typed = false
    const shown = await inTerminal(one, {}, (text) => {
      if (typed || text.split("at work now").length < 3) return ""
      typed = true
      return "\u0003"
    })
    expect(shown).toContain("ending the agents – once more ends them at once")
    const screen = terminal(columns, 24)
    screen.write(shown)
    const lines = screen.lines()
    expect(lines.join("\n")).not.toContain("●")
    expect(lines.join("\n")).toContain("error[Interrupted]: ended by a signal – contextfs orchestrator resume ")
    expect(lines.join("\n")).toMatch(/run \w+ interrupted · 0 of 2 completed/)
    expect(lines).toContain("code 130")
    expect(lines).toContain("as before")
  })

  it("NO_COLOR keeps the picture and drops the colours", async () => {
    const one = home()
    await agents(one, work)
    const shown = await inTerminal(one, { NO_COLOR: "1" })
    expect(shown).toContain(synchronized)
    expect(shown).not.toMatch(sgr)
  })

  it.each([{ CI: "true" }, { TERM: "dumb" }])("%j: plain lines", async (env) => {
    const one = home()
    await agents(one, work)
    const shown = await inTerminal(one, env)
    expect(shown).not.toContain(synchronized)
    expect(shown.replaceAll(sgr, "").replaceAll("\r\n", "\n")).not.toMatch(harmful)
    expect(shown.replaceAll(sgr, "")).toMatch(/00:0\d {2}code-1 {2}started/)
    for (const line of shown.replaceAll(sgr, "").split("\r\n")) expect(line.length).toBeLessThanOrEqual(columns)
  })
})
