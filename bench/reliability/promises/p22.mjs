/** S11: what agents print, through every face of the command, to a terminal. */
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, writeFileSync } from "node:fs"
import path from "node:path"
import { bin, makeHome } from "../security/command.mjs"
import { evil, random } from "../security/random.mjs"

export const id = "P22"
export const promise = "The terminal is safe."

/** What we write ourselves: colours, and what the live picture is made of. */
const own = /\u001b\[(?:\d*m|\d*[AJK]|\?(?:2026|7)[hl])/g
/** `ours`: a terminal's own line ends. */
const harmful = (shown, ours) =>
  [
    ...shown
      .replace(own, "")
      .replace(ours ? /\r\n|\r/g : /$^/, "\n")
      .matchAll(/[^\P{Cc}\n]|\p{Bidi_C}|[\u2028\u2029]|(?![\u200d\ufe0f])\p{DI}/gu)
  ].length

const inTerminal = (home, args) =>
  new Promise((resolve) => {
    const quoted = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(" ")
    const child = spawn("script", ["-q", "-E", "never", "-c", `stty cols 120 rows 40; ${quoted}`, "/dev/null"], {
      cwd: home.work,
      env: { ...home.env, TERM: "xterm-256color" },
      stdio: ["ignore", "pipe", "ignore"]
    })
    const chunks = []
    child.stdout.on("data", (chunk) => chunks.push(chunk))
    child.once("close", () => resolve(Buffer.concat(chunks).toString("utf8")))
  })

export const run = async ({ scale = 1, seed = 1, note = () => undefined } = {}) => {
  const source = random(seed)
  const count = Math.round(10_000 * scale)
  const home = makeHome()
  const strings = Array.from({ length: count }, () => evil(source).slice(0, 4_000))
  const emit = (event) => JSON.stringify(event)
  const lines = strings.map((text, index) =>
    source.pick([
      () => emit({ type: "message", text }),
      () => emit({ type: "tool_call", id: `${index}`, name: text, input: { command: text, [text]: text } }),
      () => emit({ type: "tool_result", id: `${index}`, name: text, ok: false, message: text }),
      () => emit({ type: "limit", class: "rate", message: text }),
      () => text.replaceAll("\n", " ")
    ])()
  )
  const say = (text, ok) =>
    emit({
      type: "result",
      ok,
      text,
      denials: [{ tool: text, message: text }],
      ...(ok ? {} : { error: { class: "other", message: text } })
    })
  writeFileSync(path.join(home.root, "good"), `${lines.join("\n")}\n${say(strings.slice(0, 50).join(" "), true)}\n`)
  writeFileSync(
    path.join(home.root, "bad"),
    `${lines.slice(0, 100).join("\n")}\n${say(strings.slice(50, 100).join(" "), false)}\n`
  )
  const program = path.join(home.root, "play")
  writeFileSync(program, '#!/bin/sh\ncat "$HOME/$1"\ncat "$HOME/bad" >&2\n')
  chmodSync(program, 0o755)
  const tool = (name) => ({ command: [program, name], output: "events" })
  const agent = (name) => ({
    role: "docs",
    directory: ".",
    task: strings[1].replaceAll("\0", "") || "x",
    tool: name,
    retries: 0
  })
  writeFileSync(
    path.join(home.work, "agents.json"),
    JSON.stringify({
      project: strings[2].replaceAll("\0", "").trim() || "p",
      tools: { good: tool("good"), bad: tool("bad") },
      agents: [agent("good"), agent("bad")]
    })
  )
  const keys = Object.fromEntries(strings.slice(0, 200).map((text, index) => [`${text}${index}`, 1]))
  writeFileSync(
    path.join(home.work, "wrong.json"),
    JSON.stringify({ ...keys, agents: [{ role: strings[3], directory: strings[4], task: "", tool: strings[5] }] })
  )

  let bad = 0
  let bytes = 0
  const look = (what, shown, ours = false) => {
    const found = harmful(shown, ours)
    bad += found
    bytes += shown.length
    if (found > 0) note(`${found} control characters: ${what}`)
  }
  for (const args of [
    ["run", "agents.json"],
    ["run", "agents.json", "--jsonl"],
    ["run", "agents.json", "--json"],
    ["run", "agents.json", "--dry-run"],
    ["run", "wrong.json"],
    ["run", "wrong.json", "--json"],
    ["status"],
    ["findings"],
    ["errors"]
  ]) {
    const { stderr, stdout } = await home.contextfs(["orchestrator", ...args])
    look(args.join(" "), stdout.toString("utf8"))
    look(`${args.join(" ")} (stderr)`, stderr.toString("utf8"))
  }
  for (const args of [
    ["memory", "list"],
    ["memory", "search", strings[6].replaceAll("\0", "") || "x"]
  ]) {
    const { stderr, stdout } = await home.contextfs(args)
    look(args[1], `${stdout}${stderr}`)
  }
  const able = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true
  if (able) look("in a terminal", await inTerminal(home, ["orchestrator", "run", "agents.json"]), true)
  else note("no terminal: the program script of util-linux is missing")
  home.close()
  return {
    figure: `${bad} control characters of ${count} strings in ${bytes} characters shown${able ? ", a terminal among them" : ""}`,
    floor: "0 control bytes in 10,000",
    ok: bad === 0 && bytes > count
  }
}
