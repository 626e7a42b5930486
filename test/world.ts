/**
 * A machine with our built packages and command, and with the agent programs: each replays a recording of itself, so that
 * everything but the model is real.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

export interface Person {
  readonly home: string
  /** Where commands are run, in the home folder; with folders src and tests. */
  readonly work: string
  /** What was printed; rejects where the program fails. Never blocks, or vitest loses touch with its worker. */
  readonly run: (program: string, args: ReadonlyArray<string>, input?: string) => Promise<string>
}

/** Makes people on one such machine, which is gone after the tests of the file. */
export const machine = (): ((name: string) => Person) => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-machine-")))
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
  const bin = path.join(folder, "bin")
  fs.mkdirSync(bin)
  fs.symlinkSync(path.join(root, "packages/cli/dist/bin.cjs"), path.join(bin, "contextfs"))
  for (const program of ["claude", "codex", "gemini", "opencode"]) {
    const recording = path.join(root, "packages/fixtures/recordings", program, "mcp.out")
    const script = `#!/bin/sh\ncase "$*" in *--version*) echo 1.0.0; exit 0;; esac\ncat >/dev/null\nexec cat '${recording}'\n`
    fs.writeFileSync(path.join(bin, program), script, { mode: 0o755 })
  }
  // What a project has that installed our packages.
  const modules = path.join(folder, "node_modules")
  fs.mkdirSync(path.join(modules, "@contextfs"), { recursive: true })
  for (const name of ["core", "mcp", "memory", "roles", "testkit"]) {
    fs.symlinkSync(path.join(root, "packages", name), path.join(modules, "@contextfs", name))
  }
  fs.symlinkSync(path.join(root, "packages/core/node_modules/effect"), path.join(modules, "effect"))
  fs.symlinkSync(path.join(root, "packages/core/node_modules/@types"), path.join(modules, "@types"))
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))

  return (name) => {
    const home = path.join(folder, name)
    const work = path.join(home, "project")
    for (const folder of ["src", "tests"]) fs.mkdirSync(path.join(work, folder), { recursive: true })
    const env = { HOME: home, PATH: `${bin}:${process.env["PATH"]}`, LANG: "C.UTF-8" }
    return {
      home,
      work,
      run: (program, args, input = "") =>
        new Promise((resolve, reject) => {
          const child = spawn(program, args, { cwd: work, env, stdio: "pipe" })
          const printed = { stdout: "", stderr: "" }
          for (const stream of ["stdout", "stderr"] as const) {
            child[stream].setEncoding("utf8").on("data", (text: string) => {
              printed[stream] += text
            })
          }
          child.stdin.on("error", () => undefined)
          child.stdin.end(input)
          child.on("error", reject)
          child.on("close", (code, signal) => {
            if (code === 0) resolve(printed.stdout)
            else {
              const said = `${printed.stdout}${printed.stderr}`
              reject(new Error(`${[program, ...args].join(" ")} ended with ${code ?? signal}:\n${input}\n${said}`))
            }
          })
        })
    }
  }
}
