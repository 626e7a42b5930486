/** The way of `monitor`: looks at both feeds from time to time, each from where it had come to. Loaded only by it. */
import type { JobEvent, JobQueueService, Run } from "@contextfs/core/JobQueue"
import type { MemoryEvent } from "@contextfs/memory/MemoryStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Failure } from "../CliError.js"
import type { Answer } from "../Command.js"
import type { Session } from "../Session.js"
import { clean, json } from "./clean.js"
import { plural } from "./format.js"
import { style } from "./layout.js"
import { type AtWork, type Entry, initial, step } from "./monitorLines.js"
import { resumeCommand, statusOf } from "./runState.js"
import { named, type Scope, unknownRun } from "./scope.js"
import * as store from "./store.js"

export interface Request {
  readonly scope: Scope
  /** Milliseconds between two looks. */
  readonly interval: number
  /** Milliseconds; undefined: until somebody ends it. */
  readonly duration: number | undefined
  readonly format: "lines" | "jsonl"
}

/** So many events of a feed are held at a time. */
const page = 200

/** All of the feed up to a sequence, page by page. */
const eventsUpTo = (journal: JobQueueService, runId: string, head: number) =>
  Effect.gen(function* () {
    const all: Array<JobEvent> = []
    for (;;) {
      const found = yield* journal.events({ runId, since: all.at(-1)?.sequence ?? 0, limit: 1000 })
      all.push(...found.filter(({ sequence }) => sequence <= head))
      if (found.length < 1000 || (found.at(-1)?.sequence ?? 0) >= head) return all
    }
  })

/** How a run stood after these events, which are all of its own. */
const standing = (runId: string, createdAt: number, events: ReadonlyArray<JobEvent>, at: number): Entry => {
  const last = new Map<string, JobEvent>()
  const startedAt = new Map<string, number>()
  for (const event of events) {
    if (event.jobId === null) continue
    last.set(event.jobId, event)
    if (event.status === "running" && !startedAt.has(event.jobId)) startedAt.set(event.jobId, event.at)
  }
  const of = (status: string) => [...last].filter(([, event]) => event.status === status)
  const atWork = of("running").map(
    ([jobId, event]): AtWork => ({
      jobId,
      agentId: event.agentId ?? jobId,
      attempt: event.attempt,
      startedAt: startedAt.get(jobId) ?? event.at
    })
  )
  const waiting = of("pending").length
  return { kind: "running", at, runId, createdAt, atWork, waiting, ended: last.size - atWork.length - waiting }
}

/** Two feeds as one by time; each keeps its own order. */
const merged = (memories: ReadonlyArray<MemoryEvent>, jobs: ReadonlyArray<JobEvent>): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  let next = 0
  for (const event of jobs) {
    for (let memory = memories[next]; memory !== undefined && memory.at < event.at; memory = memories[++next]) {
      entries.push({ kind: "memory", event: memory })
    }
    entries.push({ kind: "job", event })
  }
  return [...entries, ...memories.slice(next).map((event): Entry => ({ kind: "memory", event }))]
}

export const monitor = (request: Request, session: Session): Effect.Effect<Answer, Failure> =>
  Effect.gen(function* () {
    const { duration, format, interval, scope } = request
    session.leave("quietly")
    const options = { style: style(session.stdout.colour), columns: session.stdout.columns }
    let state = initial
    const seen = { memories: 0, jobs: 0 }
    const show = (entry: Entry): void => {
      if (entry.kind === "memory") seen.memories++
      if (entry.kind === "job") {
        seen.jobs++
        if (entry.event.jobId === null) gone.delete(entry.event.runId)
      }
      if (format === "jsonl") {
        session.print(`${json(entry)}\n`)
        return
      }
      const [next, lines] = step(state, entry, options)
      state = next
      session.print(lines.map((line) => `${line}\n`).join(""))
    }

    /** How far each feed has been shown. */
    const cursor = { memory: 0, jobs: 0 }
    /** Runs of which it was told that their process is gone. */
    const gone = new Set<string>()

    const runs = (journal: JobQueueService) =>
      Effect.map(
        journal.runs({
          status: "running",
          limit: 1000,
          ...(scope.project === undefined ? {} : { project: scope.project })
        }),
        (found) => found.filter(({ runId }) => scope.runId === undefined || runId === scope.runId)
      )

    const showOrphans = (running: ReadonlyArray<Run>, at: number): void => {
      for (const run of running) {
        if (gone.has(run.runId) || statusOf(run) !== "interrupted") continue
        gone.add(run.runId)
        show({ kind: "interrupted", at, runId: run.runId, resume: resumeCommand(run.runId) })
      }
    }

    /** Where the feeds stand, and what is at work: from here on nothing is missed. */
    const begin = Effect.gen(function* () {
      const memory = yield* store.read(session, (memory) => memory.events({ newestFirst: true, limit: 1 }))
      cursor.memory = Option.getOrElse(memory, () => [])[0]?.sequence ?? 0
      const journal = yield* store.readJournal(session, (journal) =>
        Effect.gen(function* () {
          if (scope.runId !== undefined) yield* journal.run(scope.runId)
          const head = (yield* journal.events({ newestFirst: true, limit: 1 }))[0]?.sequence ?? 0
          const running = (yield* runs(journal)).toReversed()
          const now = yield* Clock.currentTimeMillis
          for (const run of running) {
            const events = yield* eventsUpTo(journal, run.runId, head)
            // Of one that began after we have looked the feed will tell.
            if (events.length > 0 && statusOf(run) === "running") show(standing(run.runId, run.createdAt, events, now))
          }
          showOrphans(running, now)
          cursor.jobs = head
        })
      )
      if (Option.isNone(journal) && scope.runId !== undefined) return yield* unknownRun(scope.runId)
      if (Option.isNone(memory) && Option.isNone(journal)) {
        session.note(`there is nothing in ${clean(store.dataDir(session))} yet: waiting for a first run`)
      }
    }).pipe(Effect.catchTag("NotFound", () => Effect.fail(unknownRun(scope.runId ?? ""))))

    /** Shows what is new, a page of each feed at a time. */
    const look: Effect.Effect<void, Failure> = Effect.gen(function* () {
      for (;;) {
        const memories = Option.getOrElse(
          yield* store.read(session, (memory) => memory.events({ ...scope, since: cursor.memory, limit: page })),
          (): ReadonlyArray<MemoryEvent> => []
        )
        const { jobs, running } = Option.getOrElse(
          yield* store.readJournal(session, (journal) =>
            Effect.all({ jobs: journal.events({ ...scope, since: cursor.jobs, limit: page }), running: runs(journal) })
          ),
          () => ({ jobs: [], running: [] })
        )
        const now = yield* Clock.currentTimeMillis
        // At once, so that whoever ends us comes before all of it or after.
        yield* Effect.sync(() => {
          for (const entry of merged(memories, jobs)) show(entry)
          cursor.memory = memories.at(-1)?.sequence ?? cursor.memory
          cursor.jobs = jobs.at(-1)?.sequence ?? cursor.jobs
          showOrphans(running, now)
        })
        if (memories.length < page && jobs.length < page) break
      }
    })

    session.note(`monitoring ${clean(named(scope)).replace(/^in /, "")} every ${plural(interval / 1000, "second")}`)
    const follow = Effect.zipRight(begin, Effect.forever(Effect.zipRight(look, Effect.sleep(interval))))
    const over = duration === undefined ? Effect.never : Effect.sleep(duration)
    yield* Effect.raceFirst(follow, Effect.raceFirst(over, session.stdout.closed))
    // What happened until now.
    yield* look
    return { text: "", json: { kind: "ended", ...seen } }
  })
