/** What a dead orchestrator's agents have left, and what is made of it: their files as each death leaves them. */
import * as fs from "node:fs"
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import { harvest } from "../../src/internal/harvest.js"
import { JobId, RunId } from "../../src/Job.js"
import { command } from "../../src/tools/command.js"
import { decode, makeHome } from "../harness.js"

const home = makeHome()
afterAll(home.remove)

const started = '{"type":"started","sessionId":"s1"}\n'
const failed = '{"type":"result","ok":false,"error":{"class":"other","message":"boom"}}\n'
const done = '{"type":"result","ok":true,"text":"ok"}\n'

interface Left {
  readonly stdout: string
  /** Empty: nobody saw the end. */
  readonly exit: string
  readonly stderr?: string
  /** Seconds after the start at which each was written; `ending`: when we began to end the agent, if ever. */
  readonly at: { readonly stdout: number; readonly exit: number; readonly ending?: number }
}

let count = 0
const left = ({ at, exit, stderr = "", stdout }: Left, output: "text" | "events" = "events") =>
  Effect.gen(function* () {
    const { jobs } = yield* decode(home, {
      tools: { t: { command: ["/bin/true"], output } },
      agents: [{ role: "custom", directory: ".", task: "go", tool: "t" }]
    })
    const [spec] = jobs
    if (spec === undefined) return yield* Effect.dieMessage("no job")
    const jobId = JobId.make(`r-${++count}`)
    const folder = path.join(home.dataDir, "runs", "r", jobId, "1")
    const begun = 1_700_000_000
    const put = (name: string, text: string, after: number) => {
      fs.writeFileSync(path.join(folder, name), text)
      fs.utimesSync(path.join(folder, name), begun + after, begun + after)
    }
    fs.mkdirSync(folder, { recursive: true })
    if (at.ending !== undefined) {
      fs.mkdirSync(path.join(folder, "ending"))
      fs.utimesSync(path.join(folder, "ending"), begun + at.ending, begun + at.ending)
    }
    put("stdout", stdout, at.stdout)
    put("stderr", stderr, 0)
    put("job.sh.exit", exit, at.exit)
    const workplace = {
      dataDir: home.dataDir,
      env: home.env,
      tools: new Map(),
      node: "",
      isRoot: false,
      floors: { descriptors: 0, processes: 0, memory: 0, disk: 0 },
      runtimeDir: home.root
    }
    const job = {
      jobId,
      runId: RunId.make("r"),
      spec,
      attempts: 1,
      charged: 1,
      session: null,
      resumable: false,
      result: null
    }
    const found = yield* harvest(workplace, command("t", output), { ...job, status: "running" })
    return found.kind === "ended" ? `${found.outcome.verdict.status} ${found.outcome.verdict.rule}` : found.kind
  })

describe("of an agent that had events", () => {
  it.live.each<readonly [string, Left, string]>([
    [
      "an error of its own stands: it ended by itself",
      { stdout: started + failed, exit: "1\n", at: { stdout: 5, exit: 6 } },
      "failed finished-error"
    ],
    [
      "it stands where the agent was ended only as it stayed on",
      { stdout: started + failed, exit: "143\n", at: { stdout: 5, exit: 9, ending: 8 } },
      "failed finished-error"
    ],
    [
      "it stands where the kernel ended the agent, which hears nothing of that",
      { stdout: started + failed, exit: "137\n", at: { stdout: 5, exit: 9 } },
      "failed finished-error"
    ],
    [
      "one whose namespace was killed was cut short, though our helper says that it exited",
      {
        stdout: started,
        stderr: "own\nunshare: sigprocmask unblock failed: Invalid argument\n",
        exit: "1\n",
        at: { stdout: 5, exit: 6 }
      },
      "cut"
    ],
    [
      "it stands where the agent had ended before the others were ended",
      { stdout: started + failed, exit: "1\n", at: { stdout: 5, exit: 6, ending: 8 } },
      "failed finished-error"
    ],
    [
      "an error that it spoke of while it was ended is an echo, whatever its exit code",
      { stdout: started + failed, exit: "1\n", at: { stdout: 9, exit: 10, ending: 8 } },
      "cut"
    ],
    [
      "the same where it was killed in the end",
      { stdout: started + failed, exit: "137\n", at: { stdout: 9, exit: 10, ending: 8 } },
      "cut"
    ],
    [
      "an error before death by TERM may be an echo, where nobody noted who sent it",
      { stdout: started + failed, exit: "143\n", at: { stdout: 9, exit: 9 } },
      "cut"
    ],
    [
      "an end without a word while it was ended is no failure of its own, even with exit code 0",
      { stdout: started, exit: "0\n", at: { stdout: 5, exit: 9, ending: 8 } },
      "cut"
    ],
    [
      "the same without our doing is one",
      { stdout: started, exit: "0\n", at: { stdout: 5, exit: 9 } },
      "failed absent-exit-0"
    ],
    [
      "what was done is kept, however it ended",
      { stdout: started + done, exit: "143\n", at: { stdout: 9, exit: 10, ending: 8 } },
      "completed finished-drained"
    ],
    ["cut by the kernel it runs again", { stdout: started, exit: "137\n", at: { stdout: 5, exit: 9 } }, "cut"],
    ["so it does where nobody saw the end", { stdout: started, exit: "", at: { stdout: 5, exit: 0 } }, "cut"]
  ])("%s", ([_, files, expected]) => Effect.map(left(files), (found) => expect(found).toBe(expected)), 20_000)
})

describe("of an agent without events", () => {
  it.live.each<readonly [string, Left, string]>([
    [
      "exit code 0 is taken for success",
      { stdout: "text\n", exit: "0\n", at: { stdout: 5, exit: 6 } },
      "completed text-exit-0"
    ],
    [
      "but not while we were ending it",
      { stdout: "text\n", exit: "0\n", at: { stdout: 5, exit: 9, ending: 8 } },
      "cut"
    ],
    ["an end that nobody saw is unknown", { stdout: "text\n", exit: "", at: { stdout: 5, exit: 0 } }, "unknown"]
  ])("%s", ([_, files, expected]) => Effect.map(left(files, "text"), (found) => expect(found).toBe(expected)), 20_000)
})
