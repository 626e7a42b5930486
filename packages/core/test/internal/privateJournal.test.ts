import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { afterAll, expect } from "vitest"
import type { ProcessIdentity } from "../../src/AgentProcess.js"
import * as givenFiles from "../../src/internal/givenFiles.js"
import { unattempted } from "../../src/internal/jobRunner.js"
import { forgetUnstored } from "../../src/internal/leftovers.js"
import * as privateJournal from "../../src/internal/privateJournal.js"
import { self } from "../../src/internal/runOwner.js"
import { JobId, RunId } from "../../src/Job.js"
import * as JobQueue from "../../src/JobQueue.js"
import { decode, makeHome } from "../harness.js"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "cfs-journal-"))
const home = makeHome()
afterAll(() => {
  fs.rmSync(root, { recursive: true, force: true })
  home.remove()
})

const canary = "canary-0123456789"
const key = `sk-ant-api03-${"a1B2".repeat(10)}`

it.effect("the journal holds no secret; a claim gives back what was given; nothing of it is left at the end", () =>
  Effect.gen(function* () {
    const dataDir = path.join(root, "data")
    PrivateFiles.dataFolder(dataDir)
    const plain = yield* JobQueue.JobQueue
    const journal = privateJournal.make(plain, { dataDir, env: { USER_TOKEN: "of-the-user-0123" } })
    const { jobs } = yield* decode(home, {
      tools: { t: { command: ["true"], env: { TOOL_SECRET: canary } } },
      agents: [
        { role: "docs", directory: ".", task: `use ${key} or of-the-user-0123`, tool: "t", env: { MY_KEY: canary } },
        { role: "docs", directory: ".", task: "nothing to hide", tool: "mock" }
      ]
    })
    const owner = { pid: 1, startTime: "1", bootId: "b" }
    const runId = RunId.make("run1")
    const run = { runId, project: "p", settings: {}, owner, marker: "m", containment: "G", runtimeDir: root }
    yield* journal.open(run)
    const ids = [JobId.make(`${runId}-1`), JobId.make(`${runId}-2`)] as const
    const [first, second] = jobs
    if (first === undefined || second === undefined) return expect.unreachable()
    yield* journal.add(runId, [
      { jobId: ids[0], spec: first, lane: null },
      { jobId: ids[1], spec: second, lane: null }
    ])

    const kept = JSON.stringify(yield* plain.jobs(runId))
    for (const secret of [canary, key, "of-the-user-0123"]) expect(kept).not.toContain(secret)
    const file = givenFiles.file(dataDir, { runId, jobId: ids[0] })
    expect(fs.statSync(file).mode & 0o777).toBe(0o600)
    expect(fs.existsSync(givenFiles.file(dataDir, { runId, jobId: ids[1] }))).toBe(false)

    const claimed = yield* journal.claim(runId, { owner, millis: 60_000 })
    expect(Option.map(claimed, ({ spec }) => spec)).toEqual(Option.some(first))
    expect((yield* journal.jobs(runId)).map(({ spec }) => spec)).toEqual(jobs)
    expect((yield* journal.job(ids[0])).spec).toEqual(first)

    const job = Option.getOrThrow(claimed)
    const result = unattempted(job, { status: "cancelled", reason: "JobCancelled", error: "x" }, 0)
    yield* journal.settle(result, { resumable: false })
    expect(fs.existsSync(file)).toBe(false)
    // What is gone is told as a placeholder, and is no error.
    expect(JSON.stringify(yield* journal.jobs(runId))).toContain("[redacted: ")
  }).pipe(Effect.provide(JobQueue.layerMemory))
)

it.effect("of jobs that were not stored only those of dead processes are forgotten", () =>
  Effect.gen(function* () {
    const dataDir = path.join(root, "unstored")
    PrivateFiles.dataFolder(dataDir)
    const journal = yield* JobQueue.JobQueue
    const { bootId, pid, startTime } = yield* self
    const dead = { pid, startTime: `${startTime}0`, bootId }
    const runId = RunId.make("run2")
    const of = (number: number, owner: ProcessIdentity) => ({ runId, jobId: JobId.make(`${runId}-${number}`), owner })
    const [stored, lost, others] = [of(1, dead), of(2, dead), of(3, { pid, startTime, bootId })] as const
    const { jobs } = yield* decode(home, { agents: [{ role: "docs", directory: ".", task: "go", tool: "mock" }] })
    yield* journal.open(
      { runId, project: "p", settings: {}, owner: dead, marker: "m", containment: "G", runtimeDir: root },
      jobs.map((spec) => ({ jobId: stored.jobId, spec }))
    )
    for (const each of [stored, lost, others]) givenFiles.write(dataDir, each, canary)
    yield* forgetUnstored(dataDir, journal)
    expect([stored, lost, others].map((each) => fs.existsSync(givenFiles.file(dataDir, each)))).toEqual([
      true,
      false,
      true
    ])
    expect(givenFiles.unstored(dataDir)).toEqual([others])
  }).pipe(Effect.provide(JobQueue.layerMemory))
)
