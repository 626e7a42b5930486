/** Every program under examples/ does what it says: as a user has it, on a machine with the built packages. */
import * as fs from "node:fs"
import * as path from "node:path"
import { transformSync } from "esbuild"
import { describe, expect, it } from "vitest"
import { machine, root } from "./world.js"

const person = machine()
const folder = path.join(root, "examples/library")
const names = fs.readdirSync(folder).filter((name) => name.endsWith(".ts"))
const { home, run, work } = person("library")
for (const name of ["backend", "frontend"]) fs.mkdirSync(path.join(home, name))

/** What the program printed; rejects, with what it printed, where it fails. `bin`: comes first on PATH. */
const example = async (name: string, bin = "/nowhere"): Promise<string> => {
  const text = fs.readFileSync(path.join(folder, name), "utf8")
  const built = path.join(work, name.replace(/\.ts$/, ".js"))
  fs.writeFileSync(built, transformSync(text, { loader: "ts", target: "node20" }).code)
  return run("sh", ["-c", `PATH='${bin}':"$PATH" exec '${process.execPath}' ${path.basename(built)}`])
}
const lines = async (name: string, bin?: string): Promise<ReadonlyArray<string>> =>
  (await example(name, bin)).trimEnd().split("\n")

/** A folder with a claude that does this in place of ours. */
const claude = (name: string, does: string): string => {
  const bin = path.join(home, name)
  fs.mkdirSync(bin)
  const script = `#!/bin/sh\ncase "$*" in *--version*) echo 1.0.0; exit 0;; esac\ncat >/dev/null\n${does}\n`
  fs.writeFileSync(path.join(bin, "claude"), script, { mode: 0o755 })
  return bin
}
/** It is at work long enough for whatever is done to it meanwhile. */
const slow = claude("slow", `sleep 2; exec cat '${path.join(root, "packages/fixtures/recordings/claude/mcp.out")}'`)

describe("the library's examples", () => {
  it("basic.ts prints each result, in the order of the agents", async () => {
    const printed = await example("basic.ts")
    expect(printed).toMatch(/^test: completed \(\d+\.\d+s\)\n.+\ncode: completed \(\d+\.\d+s\)\n.+\n$/s)
  })

  it("streaming.ts prints results as they complete, also of what is submitted meanwhile", async () => {
    const printed = await lines("streaming.ts")
    const done = printed.flatMap((line) => /^Done: (\w+) in \d+\.\d+s$/.exec(line)?.[1] ?? [])
    expect([...done].sort()).toEqual(["code", "review", "test"])
    expect(done.indexOf("review")).toBeGreaterThan(done.indexOf("code"))
    expect(printed.at(-1)).toBe("test completed, code completed, review completed")
  })

  it("queue.ts goes through all that a queue can do", async () => {
    const printed = await lines("queue.ts", slow)
    expect(printed[0]).toMatch(/^it is (pending|running)$/)
    expect(printed.slice(1, 4)).toEqual([
      "Cancelled: true",
      expect.stringMatching(/^Pending: [01]$/),
      expect.stringMatching(/^Running: [0-2]$/)
    ])
    expect(printed[4]).toBe("2 results")
    expect(printed.slice(5).sort()).toEqual(["docs cancelled JobCancelled", "test completed null"])
  })

  it("ci.ts passes with exit code 0, and fails with 1 where a job is not completed", async () => {
    expect(await example("ci.ts")).toBe("CI Passed!\n")
    await expect(example("ci.ts", claude("failing", "exit 3"))).rejects.toThrow(
      / ended with 1:\n\nCI Failed:\n {2}test: .*\n {2}review: .*\n$/
    )
  })

  it("crossRepo.ts runs agents in two repositories", async () => {
    expect(await lines("crossRepo.ts")).toEqual([
      `code-1 in ${path.join(home, "backend")}: completed`,
      `code-2 in ${path.join(home, "frontend")}: completed`
    ])
  })

  it("effect.ts builds it all from layers, streams, and ends an agent by interruption", async () => {
    const printed = await lines("effect.ts", slow)
    expect(printed[0]).toBe("run: completed")
    expect(printed.slice(1, 3).sort()).toEqual(["queue: code completed", "queue: docs completed"])
    expect(printed[3]).toMatch(/^memories: [1-9]/)
    expect(printed[4]).toBe("the last run was interrupted")
    expect(printed.length).toBe(5)
  })

  it("are all run here, and right in their types", async () => {
    expect([...names].sort()).toEqual(["basic.ts", "ci.ts", "crossRepo.ts", "effect.ts", "queue.ts", "streaming.ts"])
    for (const name of names) fs.copyFileSync(path.join(folder, name), path.join(work, name))
    const compilerOptions = {
      lib: ["ES2023", "ESNext.Disposable"],
      module: "NodeNext",
      noEmit: true,
      skipLibCheck: true,
      strict: true,
      target: "ES2023",
      typeRoots: [path.join(root, "packages/core/node_modules/@types")],
      types: ["node"]
    }
    fs.writeFileSync(path.join(work, "tsconfig.json"), JSON.stringify({ compilerOptions, files: names }))
    await run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "."])
  })
})
