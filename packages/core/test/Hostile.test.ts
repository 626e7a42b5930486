/** Agents that turn on the one who runs them: the run goes on, and nothing of it reaches beyond the attempt. */
import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import type { RunEvent } from "../src/Orchestrator.js"
import { makeHome, run } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

/** A program of shell text; it finds its attempt's folder by its own stdout. */
const shell = (script: string, output: "text" | "events" = "text") => ({
  command: ["/bin/sh", "-c", `here=$(dirname "$(readlink /proc/$$/fd/1)")\n${script}`],
  output
})

const job = (tool: ReturnType<typeof shell>, more: object = {}) => ({
  tools: { t: tool },
  agents: [{ role: "docs", directory: ".", task: "go", tool: "t", retries: 0, ...more }]
})

describe("an agent cannot", () => {
  it.live.each([
    ["a FIFO", 'rm "$here/stdout" "$here/stderr"; mkfifo "$here/stdout" "$here/stderr"'],
    ["a link to a file of the user's", 'rm "$here/stdout"; ln -s "$TARGET" "$here/stdout"'],
    ["nothing at all", 'rm -f "$here"/*'],
    ["a folder", 'rm "$here/stderr"; mkdir "$here/stderr"']
  ])("stop or mislead us by putting %s in its output's place", ([_, script]) =>
    Effect.gen(function* () {
      const target = path.join(home.root, "target")
      fs.writeFileSync(target, "the user's own\n", { mode: 0o644 })
      const result = yield* run(home, job(shell(`echo said; ${script}`), { env: { TARGET: target } }))
      expect(result.results.map(({ result, status }) => ({ result, status }))).toEqual([
        { result: "said", status: "completed" }
      ])
      const warnings = result.results[0]?.warnings ?? []
      expect(warnings.filter((warning) => /^the output of this attempt is gone: .+ was removed/.test(warning))).toEqual(
        script?.includes("mkdir") === true ? [] : [expect.stringContaining("/stdout ")]
      )
      expect(fs.readFileSync(target, "utf8")).toBe("the user's own\n")
      expect(fs.statSync(target).mode & 0o777).toBe(0o644)
    })
  )

  it.live("leave what is ours open to others", () =>
    Effect.gen(function* () {
      const own = makeHome()
      yield* Effect.addFinalizer(() => Effect.sync(own.remove))
      const mode = (...names: ReadonlyArray<string>) => fs.statSync(path.join(own.dataDir, ...names)).mode & 0o777
      const theirs = path.join(own.root, "theirs")
      fs.writeFileSync(theirs, "", { mode: 0o644 })
      const opened = `chmod -R 777 "$DATA"; ln "$THEIRS" "$here/theirs"; chmod 644 "$THEIRS"; [ -w "$DATA/memory.db" ] && echo said`
      const { results } = yield* run(own, job(shell(opened), { env: { DATA: own.dataDir, THEIRS: theirs } }))
      expect(results.map(({ result }) => result)).toEqual(["said"])
      const [folder = ""] = results.flatMap(({ evidence }) => (evidence === null ? [] : [evidence.folder]))
      const levels = path.relative(own.dataDir, folder).split(path.sep)
      for (let depth = 0; depth <= levels.length; depth++) expect(mode(...levels.slice(0, depth))).toBe(0o700)
      for (const name of ["stdout", "stderr"]) expect(mode(...levels, name)).toBe(0o600)
      // A hard link is another's file, too.
      expect(fs.statSync(theirs).mode & 0o777).toBe(0o644)
      yield* run(own, job(shell("echo said")))
      for (const name of ["memory.db", "orchestrator.db"]) expect(mode(name)).toBe(0o600)
    }).pipe(Effect.scoped)
  )

  it.live("break whoever writes its events out again by nesting without end", () =>
    Effect.gen(function* () {
      const deep = `{"type":"tool_call","id":"1","name":"x","input":${"[".repeat(20_000)}${"]".repeat(20_000)}}`
      fs.writeFileSync(path.join(home.work, "deep"), `${deep}\n{"type":"result","ok":true,"text":"done"}\n`)
      const events: Array<RunEvent> = []
      const result = yield* run(home, job(shell("cat deep", "events")), (event) => events.push(event))
      expect(result.results[0]).toMatchObject({ status: "completed", result: "done", evidence: { noise: 1 } })
      expect(JSON.stringify(events)).not.toContain("[[[")
    })
  )

  it.live("read what started it: the job file is gone while it runs, the prompt when it has ended", () =>
    Effect.gen(function* () {
      const wait = 'until [ ! -e "$here/job.sh" ]; do sleep 0.05; done; echo "$CANARY_TOKEN" >"$here/own"; ls "$here"'
      const result = yield* run(home, job(shell(wait), { env: { CANARY_TOKEN: "canary-0123456789" } }))
      const [ended] = result.results
      expect(ended?.result?.split("\n")).toEqual(expect.arrayContaining(["prompt", "stdout"]))
      const folder = ended?.evidence?.folder ?? ""
      expect(fs.readdirSync(folder).sort()).toEqual(["job.sh.exit", "own", "stderr", "stdout"])
      expect(fs.readFileSync(path.join(folder, "own"), "utf8")).toBe("[redacted: CANARY_TOKEN]\n")
      expect(fs.readdirSync(path.join(home.dataDir, "raw"))).toEqual([])
    })
  )
})

it.live("everything below the data folder is 0600 and 0700 under umask 000 and 0777", () =>
  Effect.gen(function* () {
    for (const umask of [0o000, 0o777]) {
      const other = makeHome()
      const before = process.umask(umask)
      try {
        const result = yield* run(other, job(shell("echo done")))
        expect(result.status).toBe("completed")
      } finally {
        process.umask(before)
      }
      const entries = fs.readdirSync(other.dataDir, { recursive: true, withFileTypes: true })
      expect(entries.length).toBeGreaterThan(8)
      for (const entry of entries) {
        const mode = fs.statSync(path.join(entry.parentPath, entry.name)).mode & 0o777
        expect([entry.name, mode]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600])
      }
      other.remove()
    }
  })
)
