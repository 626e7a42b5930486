/** The shells themselves, in a real terminal, with completions installed by the line that the help gives. */
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { completions } from "../src/commands/completions.js"
import { bin, document, type Home, homes } from "./harness.js"

const home = homes()

const has = (program: string) => spawnSync(program, ["-c", "exit 0"]).status === 0
const tmux = spawnSync("tmux", ["-V"]).status === 0
if (!tmux) console.log("skipped: completions in a real shell need tmux")

/** What the user has in the file that the shell reads at its start, besides our line; and how the shell is started. */
const shells = [
  { name: "bash", file: ".bashrc", own: "PS1='$ '\n", start: ["bash"] },
  { name: "zsh", file: ".zshrc", own: "PS1='$ '\nunsetopt PROMPT_SP\n", start: ["zsh", "-i"] },
  {
    name: "fish",
    file: ".config/fish/config.fish",
    own: "set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\nfunction fish_prompt; echo '$ '; end\n",
    start: ["fish"]
  }
]

/** Of each shell: what is typed, and what the line is after Tab. */
const cases = [
  ["contextfs orch", "contextfs orchestrator"],
  ["contextfs orchestrator sp", "contextfs orchestrator spawn"],
  ["contextfs mem", "contextfs memory"],
  ["contextfs memory rec", "contextfs memory recall"],
  ["contextfs --debug orchestrator init", "contextfs --debug orchestrator init-config"],
  ["contextfs orchestrator run --wor", "contextfs orchestrator run --workers"],
  ["contextfs orchestrator run agents.json --timeo", "contextfs orchestrator run agents.json --timeout"],
  ["contextfs orchestrator run agents.json --tool ope", "contextfs orchestrator run agents.json --tool opencode"],
  ["contextfs orchestrator run agents.json --tool=ope", "contextfs orchestrator run agents.json --tool=opencode"],
  ["contextfs orchestrator run -t ope", "contextfs orchestrator run -t opencode"],
  ["contextfs memory list --type deci", "contextfs memory list --type decision"],
  ["contextfs memory list --type=deci", "contextfs memory list --type=decision"],
  ["contextfs orchestrator roles rev", "contextfs orchestrator roles review"],
  ["contextfs orchestrator findings -p shop --role deb", "contextfs orchestrator findings -p shop --role debug"],
  ["contextfs orchestrator run my-a", "contextfs orchestrator run my-agents.json"],
  ["contextfs orchestrator run wi", "contextfs orchestrator run with\\ space.json"],
  ["contextfs orchestrator init-config --output=my-a", "contextfs orchestrator init-config --output=my-agents.json"],
  // There is sources.txt too.
  ["contextfs orchestrator spawn code sou", "contextfs orchestrator spawn code sources/"],
  ["contextfs orchestrator spawn code . 'two words' --wa", "contextfs orchestrator spawn code . 'two words' --wait"],
  ["contextfs completions f", "contextfs completions fish"]
] as const

describe.skipIf(!tmux).each(shells)("$name", ({ file, name, own, start }) => {
  const able = has(name)
  if (!able) console.log(`skipped: completions in ${name}, which is not installed`)
  let one: Home
  const inTmux = (...args: ReadonlyArray<string>) =>
    execFileSync("tmux", ["-S", path.join(one.root, "tmux"), "-f", "/dev/null", ...args], {
      cwd: one.work,
      env: { ...one.env, PATH: `${one.root}/bin:${one.env["PATH"]}`, TERM: "xterm-256color", LANG: "C.UTF-8" },
      encoding: "utf8"
    })
  const screen = () => inTmux("capture-pane", "-p")
  const shows = (text: string) =>
    vi.waitFor(
      () =>
        expect(
          screen()
            .split("\n")
            .map((line) => line.trimEnd())
        ).toContain(text),
      {
        timeout: 50_000,
        interval: 50
      }
    )

  beforeAll(async () => {
    if (!able) return
    one = home()
    fs.mkdirSync(path.join(one.root, "bin"))
    fs.symlinkSync(bin, path.join(one.root, "bin/contextfs"))
    for (const given of ["my-agents.json", "with space.json", "sources/index.ts", "sources.txt"]) one.file(given, "")
    fs.mkdirSync(path.dirname(path.join(one.root, ".config/fish/completions/x")), { recursive: true })
    // Where it is missing, fish makes it in the background from all manual pages of the machine, however long that takes.
    fs.mkdirSync(path.join(one.root, ".local/share/fish/generated_completions"), { recursive: true })
    fs.writeFileSync(path.join(one.root, file), own)
    const [line = ""] = completions.examples.find(([line]) => line.includes(`completions ${name}`)) ?? []
    execFileSync("sh", ["-c", line], { env: { ...one.env, PATH: `${one.root}/bin:${one.env["PATH"]}` } })
    inTmux("new-session", "-d", "-x", "140", "-y", "50", ...start)
    await shows("$")
  })
  afterAll(async () => {
    if (!able) return
    const shell = inTmux("display-message", "-p", "#{pane_pid}").trim()
    inTmux("kill-server")
    // It writes its history as it goes.
    await vi.waitUntil(() => !fs.existsSync(`/proc/${shell}`), { timeout: 50_000 })
  })

  const tab = async (typed: string, whole: string) => {
    inTmux("send-keys", "C-u")
    inTmux("send-keys", "C-l")
    inTmux("send-keys", "-l", typed)
    await shows(`$ ${typed}`)
    inTmux("send-keys", "Tab")
    await shows(`$ ${whole}`)
  }

  it.skipIf(!able).each(cases)("%s⇥", tab)

  it.skipIf(!able)("creates nothing", () => {
    expect(fs.existsSync(one.dataDir)).toBe(false)
  })

  it.skipIf(!able)("knows the ids of runs and jobs", async () => {
    one.file("agents.json", [{ role: "docs", directory: ".", task: "Say hello." }])
    const { stdout } = await one.contextfs(["orchestrator", "run", "agents.json", "-t", "mock", "--json"])
    const run = String(document(stdout)["runId"])
    await tab(`contextfs orchestrator monitor --run ${run.slice(0, 5)}`, `contextfs orchestrator monitor --run ${run}`)
    await tab(`contextfs orchestrator status ${run}-`, `contextfs orchestrator status ${run}-1`)
  })
})
