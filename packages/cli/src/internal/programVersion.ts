/** What a program says of its version: started by itself, in no project, and ended if it does not end. */
import { spawn } from "node:child_process"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { clean, firstLine } from "./clean.js"

const patience = Duration.seconds(10)
const maxBytes = 64 * 1024

/** `2.1.330`, else the first line it prints; null where it fails, or says nothing within 10 s. */
export const programVersion = (file: string, env: Readonly<Record<string, string>>): Effect.Effect<string | null> =>
  Effect.async<string | null>((resume) => {
    let said = ""
    // A group of its own: a wrapper is ended together with what it wraps.
    const child = spawn(file, ["--version"], { cwd: "/", detached: true, env, stdio: ["ignore", "pipe", "ignore"] })
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      if (said.length < maxBytes) said += chunk
    })
    let running = true
    const done = (version: string | null) => {
      running = false
      resume(Effect.succeed(version))
    }
    child.on("error", () => done(null))
    child.on("close", (code) => done(code === 0 ? versionIn(said) : null))
    return Effect.sync(() => {
      if (running && child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    })
  }).pipe(Effect.timeoutTo({ duration: patience, onSuccess: (version) => version, onTimeout: () => null }))

const versionIn = (said: string): string | null => {
  const line = firstLine(said)
  return /\d+\.\d+[\w.+-]*/.exec(line)?.[0] ?? (line === "" ? null : clean(line, 40))
}
