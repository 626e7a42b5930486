import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import type { Completes } from "../../src/Command.js"
import { answer } from "../../src/internal/completionValues.js"
import { at, document, type Home, homes } from "../harness.js"

const home = homes()

const answered = async (of: Completes, one: Home) => {
  const place = { cwd: one.work, env: one.env, home: one.root }
  const [kind, prefix, ...lines] = (await Effect.runPromise(answer({ of, prefix: "--x=" }, place))).split("\n")
  return { kind, prefix, lines }
}

describe("answer", () => {
  it("names runs and their jobs, the newest run first, with what became of them", async () => {
    const one = home()
    const run = async (role: string) => {
      one.file("agents.json", [{ role, directory: ".", task: "Look\taround" }])
      const { stdout } = await one.contextfs([
        "orchestrator",
        "run",
        "agents.json",
        "-t",
        "mock",
        "-p",
        "shop",
        "--json"
      ])
      const result = document(stdout)
      return [result["runId"], at(result, "results", 0, "jobId")]
    }
    const [first, ofFirst] = await run("docs")
    const [second, ofSecond] = await run("review")
    expect(await answered("run", one)).toEqual({
      kind: "words",
      prefix: "--x=",
      lines: [`--x=${second}\tcompleted, shop`, `--x=${first}\tcompleted, shop`, ""]
    })
    expect((await answered("job", one)).lines).toEqual([
      `--x=${second}\tcompleted, shop`,
      `--x=${ofSecond}\tcompleted, review: Look around`,
      `--x=${first}\tcompleted, shop`,
      `--x=${ofFirst}\tcompleted, docs: Look around`,
      ""
    ])
  })

  it.each(["role", "tool", "run", "job", "file", "directory"] as const)("creates nothing for a %s", async (of) => {
    const one = home()
    await answered(of, one)
    expect(fs.readdirSync(one.root)).toEqual(["work"])
    expect(fs.readdirSync(one.work)).toEqual([])
  })

  it("says nothing, and does not complain, where the journal is broken", async () => {
    const one = home()
    fs.mkdirSync(one.dataDir)
    fs.writeFileSync(`${one.dataDir}/orchestrator.db`, "no database")
    expect((await answered("run", one)).lines).toEqual([""])
  })

  it("leaves files to the shell", async () => {
    expect(await answered("file", home())).toEqual({ kind: "files", prefix: "--x=", lines: [""] })
    expect(await answered("directory", home())).toEqual({ kind: "directories", prefix: "--x=", lines: [""] })
  })
})
