/** What an agent leaves behind, and how much it may write. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import * as Census from "@contextfs/fixtures/Census"
import { escapeeKinds } from "@contextfs/fixtures/Scenario"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as AgentProcess from "../src/AgentProcess.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

const mebibyte = 1024 * 1024

const level = await Effect.runPromise(
  Effect.map(AgentProcess.AgentProcess, (processes) => processes.level).pipe(
    Effect.provide(AgentProcess.layer({ folder: home.root, path: home.env["PATH"] ?? "" }))
  )
)
if (level === "G") console.log("containment namespace is not tested: this host allows no namespaces")

describe.each(level === "G" ? (["group"] as const) : (["namespace", "group"] as const))(
  "containment %s",
  (containment) => {
    it.live("leaves none of 200 escapees of every kind within the grace and 2 s", () =>
      Effect.gen(function* () {
        const census = path.join(home.root, `census-${containment}`)
        const each = Math.ceil(200 / escapeeKinds.length)
        const tool = yield* Effect.promise(() =>
          home.tool([
            { do: "ignore", signals: ["SIGTERM"] },
            ...escapeeKinds.map((kind) => ({ do: "escape", kind, count: each, census }) as const),
            { do: "print", line: "all out" },
            { do: "delay", ms: 600_000 }
          ])
        )
        const grace = 1
        const result = yield* run(home, {
          containment,
          grace,
          tools: { s: tool },
          agents: [{ role: "custom", directory: ".", task: "go", tool: "s", timeout: 10 }]
        })
        const [job] = result.results
        expect(job?.reason).toBe("JobTimeout")
        expect(job?.duration).toBeLessThan(10 + grace + 2)
        const left = yield* Effect.promise(() => Census.survivors({ folder: census }))
        if (containment === "namespace") {
          expect(left).toEqual([])
        } else {
          // Without the kernel's help only those that emptied their environment are out of sight; the others are counted.
          expect(left.every((process) => process.pid > 0)).toBe(true)
          expect(left.length).toBeLessThanOrEqual(each)
          expect(job?.evidence?.survivors).toBeGreaterThan(each)
          expect(job?.warnings.join()).toMatch(/outlived/)
          yield* Effect.promise(() => Census.killAll({ folder: census }))
        }
      })
    )
  }
)

/** The namespace's init of the agent that has this in its environment: the child of our unshare. */
const initOf = (entry: string): number | undefined => {
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (fs.readFileSync(`/proc/${pid}/comm`, "utf8") !== "unshare\n") continue
      if (!fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(entry)) continue
      return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0])
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined
}

if (level !== "G") {
  it.live("an agent whose namespace is killed from outside was killed, whatever our helper says of that", () =>
    Effect.gen(function* () {
      const entry = `MARK=${home.root}`
      const tool = yield* Effect.promise(() =>
        home.tool(
          [say.started, { do: "print", line: "own words", to: "stderr" }, { do: "delay", ms: 600_000 }],
          "events"
        )
      )
      const agents = [{ role: "custom", directory: ".", task: "go", tool: "s", env: { MARK: home.root } }]
      const result = yield* run(home, { retries: 0, tools: { s: tool }, agents }, (event) => {
        if (event.kind === "agentEvent") process.kill(initOf(entry) ?? Number.NaN, "SIGKILL")
      })
      expect(result.results[0]).toMatchObject({ status: "failed", reason: "AgentSignal", evidence: { exitCode: 137 } })
      expect(result.results[0]?.error).toMatch(/^ended by SIGKILL/)
    })
  )
}

describe("output", () => {
  it.live("of 3 MiB by a program that exits at once is kept whole", () =>
    Effect.gen(function* () {
      const tool = yield* Effect.promise(() =>
        home.tool([
          { do: "flood", bytes: 3 * mebibyte },
          { do: "exit", code: 0 }
        ])
      )
      const result = yield* run(home, {
        tools: { s: tool },
        agents: [{ role: "custom", directory: ".", task: "go", tool: "s" }]
      })
      const [job] = result.results
      expect(job?.status).toBe("completed")
      expect(job?.evidence?.stdoutBytes).toBe(3 * mebibyte)
      expect(fs.statSync(path.join(job?.evidence?.folder ?? "", "stdout")).size).toBe(3 * mebibyte)
    })
  )

  it.live("is read to the end of a flood as far as maxOutput goes, where the answer stands", () =>
    Effect.gen(function* () {
      const tool = yield* Effect.promise(() =>
        home.tool(
          [say.started, { do: "flood", bytes: 200 * mebibyte, lineLength: 65_536 }, say.done("after the flood")],
          "events"
        )
      )
      const result = yield* run(home, {
        maxOutput: 512 * mebibyte,
        retries: 0,
        tools: { s: tool },
        agents: [{ role: "custom", directory: ".", task: "go", tool: "s" }]
      })
      expect(result.results.map(({ error, result, status }) => ({ error, result, status }))).toEqual([
        { error: null, result: "after the flood", status: "completed" }
      ])
    })
  )

  it("of 1 GiB ends as OutputLimit, with head and tail kept and at most 64 MiB more memory", async () => {
    const tool = await home.tool(
      [
        { do: "print", line: "the head" },
        { do: "flood", bytes: 1024 * mebibyte }
      ],
      "events"
    )
    const program = fileURLToPath(new URL("./programs/flood.mjs", import.meta.url))
    const said = execFileSync(
      process.execPath,
      ["--expose-gc", program, home.dataDir, home.work, JSON.stringify(tool)],
      {
        env: home.env,
        encoding: "utf8"
      }
    )
    const { folder, growth, reason } = JSON.parse(said)
    expect(reason).toBe("OutputLimit")
    expect(growth).toBeLessThanOrEqual(64 * mebibyte)
    const kept = fs.readFileSync(path.join(folder, "stdout"))
    expect(kept.length).toBeLessThanOrEqual(65 * mebibyte)
    expect(kept.subarray(0, 8).toString()).toBe("the head")
    expect(kept.includes("bytes left out]")).toBe(true)
  })
})
