/** The way of `logs`: reads what agents have written, from the files in which it is. Loaded only by it. */
import * as fs from "node:fs"
import * as path from "node:path"
import { isTerminal, type Job, type RunStatus } from "@contextfs/core/Job"
import type { JobQueueService, Run } from "@contextfs/core/JobQueue"
import type { Decoder } from "@contextfs/core/ToolAdapter"
import * as Tools from "@contextfs/core/Tools"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, NotFound } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { activity } from "./activity.js"
import { clean, json } from "./clean.js"
import { seconds } from "./format.js"
import { pad, style, width } from "./layout.js"
import { type JobState, jobState, resumeCommand, statusOf } from "./runState.js"
import { statusMark, statusPaint } from "./statusText.js"
import { dataDir, readJournal } from "./store.js"

interface Request {
  readonly id: string
  readonly follow: boolean
  readonly raw: boolean
  readonly format: "lines" | "jsonl"
}

/** Between two looks at what has come. */
const pace = "250 millis"
const chunkBytes = 64 * 1024
/** A longer line is no event of any program. */
const maxLine = 8 * 1024 * 1024

export const show = (session: Session, request: Request): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    if (request.follow) session.leave("quietly")
    const { withoutSecrets } = yield* Effect.promise(() => import("@contextfs/core/JobQueue"))
    const found = yield* readJournal(session, (journal) =>
      Effect.raceFirst(
        // What an agent was given is known while it is at work, and has to be, so that none of it is shown.
        tell(withoutSecrets(journal, { dataDir: dataDir(session), env: session.env }), session, request),
        // Nobody reads any more.
        Effect.as(session.stdout.closed, { text: "", json: null })
      )
    )
    return yield* Option.isSome(found) ? Effect.succeed(found.value) : Effect.fail(unknown(request.id))
  })

const unknown = (id: string) =>
  new NotFound({
    message: `no run or job ${JSON.stringify(id)}`,
    hint: "contextfs orchestrator status --all lists them"
  })

/** The run that an id means, or that of the job that it means. */
const runOf = (journal: JobQueueService, id: string): Effect.Effect<Run, NotFound | StorageError> =>
  journal.run(id).pipe(
    Effect.catchTag("NotFound", () => Effect.flatMap(journal.job(id), ({ runId }) => journal.run(runId))),
    Effect.catchTag("NotFound", () => Effect.fail(unknown(id)))
  )

/** The jobs that an id means. */
const jobsOf = (journal: JobQueueService, id: string): Effect.Effect<ReadonlyArray<Job>, NotFound | StorageError> =>
  journal.jobs(id).pipe(
    Effect.catchTag("NotFound", () => Effect.map(journal.job(id), (job) => [job])),
    Effect.catchTag("NotFound", () => Effect.fail(unknown(id)))
  )

const tell = (
  journal: JobQueueService,
  session: Session,
  { follow, format, id, raw }: Request
): Effect.Effect<Answer, NotFound | StorageError> =>
  Effect.gen(function* () {
    const readers = new Map<string, Array<LogFile>>()
    /** How the jobs stand, as far as it was said. */
    const said = new Map<string, JobState["status"]>()
    const look = style(session.stdout.colour)

    const say = (job: Job, name: string, run: RunStatus) =>
      Effect.gen(function* () {
        const attempts = job.result === null ? yield* journal.attempts(job.jobId) : []
        const around = { dataDir: dataDir(session), now: yield* Clock.currentTimeMillis, status: run }
        const state = jobState(job, attempts, around)
        if (said.get(state.jobId) === state.status) return
        said.set(state.jobId, state.status)
        const { agentId, duration, error, jobId, reason, runId, status } = state
        const gone = outputGone(session, job)
        if (format === "jsonl") {
          const { attempts } = state
          session.print(
            `${json({ kind: "job", jobId, runId, agentId, status, attempts, duration, reason, error, outputGone: gone })}\n`
          )
          return
        }
        const missing = gone ? ` – its output is not there any more: ${clean(stdoutOf(session, job))}` : ""
        const line = `${name}${statusPaint(look, status)(`${statusMark(status)} ${standing(state, run)}`)}${missing}\n`
        // What a program printed stays alone, for whoever reads it.
        if (raw) session.note(line.trimEnd())
        else session.print(line)
      })

    for (;;) {
      // First what has ended, then what was written: so nothing that was written before the end is missed.
      const run = statusOf(yield* runOf(journal, id))
      const jobs = yield* jobsOf(journal, id)
      const over = !follow || run === "interrupted" || jobs.every(({ status }) => isTerminal(status))
      const several = jobs.length > 1
      const room = Math.min(24, Math.max(0, ...jobs.map(({ spec }) => width(clean(spec.agentId)))))
      for (const job of jobs) {
        const lines = yield* Effect.sync(() => newLines(readers, session, job, raw))
        const name = several ? `${look.bold(pad(clean(job.spec.agentId), room))}  ` : ""
        for (const text of lines) {
          const { jobId, spec } = job
          session.print(
            format === "jsonl"
              ? `${json({ kind: "line", jobId, agentId: spec.agentId, attempt: job.attempts, text })}\n`
              : `${name}${clean(text)}\n`
          )
        }
        if (isTerminal(job.status) && readers.get(job.jobId) !== undefined) {
          for (const file of readers.get(job.jobId) ?? []) file.close()
          readers.set(job.jobId, [])
        }
        // Who follows is told why nothing comes.
        if (over || isTerminal(job.status) || job.status === "pending") yield* say(job, name, run)
      }
      if (over) return { text: "", json: { kind: "ended", jobs: jobs.length } }
      yield* Effect.sleep(pace)
    }
  })

const attemptOf = (session: Session, job: Job): string =>
  path.join(dataDir(session), "runs", job.runId, job.jobId, `${job.attempts}`)
const stdoutOf = (session: Session, job: Job): string => path.join(attemptOf(session, job), "stdout")

/** It printed something, and where that was kept there is no file: somebody has removed it, the agent perhaps. */
const outputGone = (session: Session, job: Job): boolean => {
  if ((job.result?.evidence?.stdoutBytes ?? 0) === 0) return false
  const descriptor = PrivateFiles.open(stdoutOf(session, job))
  if (descriptor !== undefined) fs.closeSync(descriptor)
  return descriptor === undefined
}

/** How a job stands, in words. */
const standing = (state: JobState, run: RunStatus): string => {
  const { duration, jobId, runId, status } = state
  const time = duration === null ? "" : seconds(duration)
  const failure = state.reason === null ? "" : `${clean(state.reason)}: ${clean(state.error ?? "")}`
  const resume = `${resumeCommand(runId)} goes on with it`
  switch (status) {
    case "running":
      return `running for ${time} – contextfs orchestrator logs ${jobId} --follow shows what comes`
    case "interrupted":
      return `interrupted: the process of its run is gone – ${resume}`
    case "pending": {
      const why = failure === "" ? "no attempt has begun" : `waits for another attempt after ${failure}`
      return `pending: ${why}${run === "interrupted" ? ` – ${resume}` : ""}`
    }
    default:
      return [`${status}${time === "" ? "" : ` after ${time}`}`, ...(failure === "" ? [] : [failure])].join(" – ")
  }
}

/** What has come since the last look at the job's current attempt; a new attempt is begun from its start. */
const newLines = (
  readers: Map<string, Array<LogFile>>,
  session: Session,
  job: Job,
  raw: boolean
): ReadonlyArray<string> => {
  if (job.attempts === 0) return []
  const folder = attemptOf(session, job)
  let files = readers.get(job.jobId)
  if (files !== undefined && files.length > 0 && files[0]?.folder !== folder) {
    for (const file of files) file.close()
    files = undefined
  }
  if (files === undefined) {
    const redact = Redaction.make(session.env, job.spec.env, job.spec.settings.env ?? {}).lines()
    const adapter = Tools.adapterFor(job.spec.tool, job.spec.settings)
    const meaning = raw || adapter === undefined ? redact : meaningOf(adapter.decoder(), redact)
    files = [LogFile.open(folder, "stdout", meaning), ...(raw ? [LogFile.open(folder, "stderr", redact)] : [])].flatMap(
      (file) => (file === undefined ? [] : [file])
    )
    // Claimed, and not yet launched.
    if (files.length === 0) return []
    readers.set(job.jobId, files)
  }
  return files.flatMap((file) => file.read(isTerminal(job.status)))
}

/** A line of events in words. The answer at the end is told where it was not the last thing that was said. */
const meaningOf = (decoder: Decoder, redact: (line: string) => string): ((line: string) => string) => {
  let said = ""
  return (line) =>
    decoder
      .line(redact(line))
      .map((event) => {
        if (event.kind === "message") said = event.delta === true ? said + event.text : event.text
        if (event.kind !== "finished") return event.kind === "message" ? event.text : activity(event)
        return event.text === undefined || event.text.trim() === said.trim() ? "" : event.text
      })
      .filter((text) => text !== "")
      .join("\n")
}

class LogFile {
  private offset = 0
  private rest: Buffer = Buffer.alloc(0)

  private constructor(
    readonly folder: string,
    private readonly descriptor: number,
    private readonly meaning: (line: string) => string
  ) {}

  static open(folder: string, name: string, meaning: (line: string) => string): LogFile | undefined {
    // Not there yet, or an agent has put something else in its place.
    const descriptor = PrivateFiles.open(path.join(folder, name))
    return descriptor === undefined ? undefined : new LogFile(folder, descriptor, meaning)
  }

  /** Whole lines; at the end also one without a line break. */
  read(ended: boolean): ReadonlyArray<string> {
    const lines: Array<string> = []
    const buffer = Buffer.allocUnsafe(chunkBytes)
    for (let read = this.next(buffer); read > 0; read = this.next(buffer)) {
      const parts = Buffer.concat([this.rest, buffer.subarray(0, read)])
      const end = parts.lastIndexOf(10) + 1
      if (end > 0) lines.push(...parts.toString("utf8", 0, end - 1).split("\n"))
      this.rest = Buffer.from(parts.subarray(end))
      if (this.rest.length > maxLine) this.rest = Buffer.alloc(0)
    }
    if (ended && this.rest.length > 0) {
      lines.push(this.rest.toString("utf8"))
      this.rest = Buffer.alloc(0)
    }
    return lines.flatMap((line) => {
      const text = this.meaning(line)
      return text === "" ? [] : text.split("\n")
    })
  }

  close(): void {
    fs.closeSync(this.descriptor)
  }

  private next(buffer: Buffer): number {
    const read = fs.readSync(this.descriptor, buffer, 0, buffer.length, this.offset)
    this.offset += read
    return read
  }
}
