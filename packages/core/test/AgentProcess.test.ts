import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, expect } from "vitest"
import * as AgentProcess from "../src/AgentProcess.js"
import * as procfs from "../src/internal/procfs.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-process-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const layer = Layer.unwrapEffect(
  Effect.sync(() =>
    AgentProcess.layer({ folder: fs.mkdtempSync(path.join(root, "run-")), path: process.env["PATH"] ?? "" })
  )
)

const launch = (
  script: string,
  options: {
    level?: AgentProcess.Level
    grace?: number
    stdin?: string
    args?: ReadonlyArray<string>
    env?: Record<string, string>
  } = {}
) =>
  Effect.gen(function* () {
    const processes = yield* AgentProcess.AgentProcess
    const folder = fs.mkdtempSync(path.join(root, "attempt-"))
    fs.writeFileSync(path.join(folder, "prompt"), options.stdin ?? "", { mode: 0o600 })
    const lines: Array<string> = []
    const marker = `${processes.marker}-${path.basename(folder)}`
    const agent = yield* processes.launch(
      {
        command: ["/bin/sh", "-c", script, "agent", ...(options.args ?? [])],
        directory: root,
        env: { PATH: process.env["PATH"] ?? "", [AgentProcess.markerVariable]: marker, ...options.env },
        folder,
        marker,
        level: options.level ?? processes.level,
        grace: Duration.seconds(options.grace ?? 1)
      },
      {
        line: (line) => lines.push(line),
        grew: () => undefined,
        overlong: () => undefined,
        sated: () => false,
        tick: () => undefined
      }
    )
    return { agent, lines, folder, marker }
  })

/** Runs to the program's own end. */
const run = (...args: Parameters<typeof launch>) =>
  Effect.gen(function* () {
    const started = yield* launch(...args)
    yield* started.agent.exited
    return { ...started, ended: yield* started.agent.end }
  })

const levels = (process.getuid?.() === 0 ? ["K1", "G"] : ["K2", "G"]) as ReadonlyArray<AgentProcess.Level>

for (const level of levels) {
  describe(`at level ${level}`, () => {
    it.scopedLive("passes exit codes, stdin and output through", () =>
      Effect.gen(function* () {
        const { ended, lines } = yield* run('cat; echo "err" >&2; printf "no newline"; exit 42', {
          level,
          stdin: "a\nb\n"
        })
        expect(lines).toEqual(["a", "b", "no newline"])
        expect(ended).toEqual({ exitCode: 42, sent: "nothing", survivors: 0 })
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("passes arguments and variables as they are, and nothing else", () =>
      Effect.gen(function* () {
        const nasty = "'; touch /tmp/pwned; echo '$(id)`id`\n\\ \"é🐛"
        const { lines } = yield* run('printf "%s\\n" "$1" "$V"; env | cut -d= -f1 | sort | tr "\\n" " "', {
          level,
          args: [nasty],
          env: { V: nasty }
        })
        expect(lines.slice(0, 4).join("\n")).toBe(`${nasty}\n${nasty}`)
        const names = lines
          .slice(4)
          .join(" ")
          .split(" ")
          .filter((name) => /^[A-Z_]+$/.test(name))
        expect(names).toEqual(["CONTEXTFS_MARKER", "PATH", "PWD", "V"])
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("gives the agent default signals: TERM, INT and QUIT end it", () =>
      Effect.gen(function* () {
        const { lines } = yield* run("grep SigIgn /proc/self/status", { level })
        expect(lines[0]).toMatch(/SigIgn:\s+0+$/)
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("ends what ignores TERM after the grace, and its escapees", () =>
      Effect.gen(function* () {
        const { agent, marker } = yield* launch(
          "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' & (setsid sleep 600 &) ; echo up; while :; do sleep 1; done",
          { level, grace: 0.3 }
        )
        yield* Effect.sleep("500 millis")
        expect((procfs.byVariable(AgentProcess.markerVariable).get(marker) ?? []).length).toBeGreaterThanOrEqual(3)
        const ended = yield* agent.end
        expect(ended.sent).toBe("KILL")
        expect(ended.exitCode).toBe(137)
        expect(ended.survivors > 0).toBe(level === "G")
        expect(procfs.byVariable(AgentProcess.markerVariable).get(marker) ?? []).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("ends what a successful agent leaves running", () =>
      Effect.gen(function* () {
        const { ended, marker } = yield* run("setsid sleep 600 & sleep 600 & exit 0", { level })
        expect(ended.exitCode).toBe(0)
        expect(procfs.byVariable(AgentProcess.markerVariable).get(marker) ?? []).toEqual([])
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("captures 3 MiB of a program that exits at once", () =>
      Effect.gen(function* () {
        const { folder } = yield* run("head -c 3145728 /dev/zero | tr '\\0' x", { level })
        expect(fs.statSync(path.join(folder, "stdout")).size).toBe(3145728)
      }).pipe(Effect.provide(layer))
    )

    it.live("ends the agent when the scope closes", () =>
      Effect.gen(function* () {
        const marker = yield* launch("sleep 600", { level }).pipe(
          Effect.map((started) => started.marker),
          Effect.scoped
        )
        expect(procfs.byVariable(AgentProcess.markerVariable).get(marker) ?? []).toEqual([])
      }).pipe(Effect.provide(layer))
    )
  })
}
