/** What the journal's queue promises, in a few lines of memory, and the commands by which both are driven side by side. */
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { canBecome, JobId, type JobResult, type JobSpec, type JobStatus, RunId } from "../src/Job.js"
import type { JobQueueService } from "../src/JobQueue.js"

const leaseMillis = 1_000

const spec: JobSpec = {
  agentId: "a-1",
  project: "p",
  role: "test",
  tool: "mock",
  directory: "/",
  task: "do it",
  model: null,
  session: null,
  permission: "read",
  timeout: null,
  startTimeout: 1,
  idleTimeout: 1,
  retryTimeout: 1,
  grace: 1,
  maxOutput: 1,
  delegate: "none",
  tools: {},
  parent: null,
  depth: 0,
  retries: 0,
  containment: "auto",
  env: {},
  memory: true,
  budget: null,
  settings: {}
}

const ownerOf = (index: number) => ({ pid: index + 1, startTime: `${index}`, bootId: "b" })

interface ModelJob {
  status: JobStatus
  attempts: number
  charged: number
  owner: number | null
  until: number
  notBefore: number
  resumable: boolean
}

/** One run. Time passes by the monotonic clock alone, which all runs of a journal share. */
export class World {
  readonly runId: RunId
  readonly jobs: Array<ModelJob> = []
  runOwner = 0
  /** Every word a command had for the state, for what is illegal in itself. */
  readonly seen: Array<JobStatus> = []

  constructor(
    number: number,
    readonly clock: { monotonic: number }
  ) {
    this.runId = RunId.make(`model-${number}`)
  }

  get monotonic(): number {
    return this.clock.monotonic
  }

  jobId(index: number): JobId {
    return JobId.make(`${this.runId}-${index + 1}`)
  }
}

export type Command =
  | { readonly do: "submit"; readonly count: number }
  | { readonly do: "claim"; readonly by: number }
  | { readonly do: "renew"; readonly by: number }
  | { readonly do: "settle"; readonly job: number; readonly attempt: number; readonly status: "completed" | "failed" }
  | { readonly do: "interrupt"; readonly job: number; readonly attempt: number }
  | { readonly do: "cancel"; readonly job: number }
  | {
      readonly do: "retry"
      readonly job: number
      readonly attempt: number
      readonly charged: boolean
      readonly delay: number
    }
  | { readonly do: "pass"; readonly millis: number }
  | { readonly do: "jump"; readonly millis: number }
  | { readonly do: "takeOver"; readonly by: number }
  | { readonly do: "bury" }

const day = 86_400_000
const job = FastCheck.integer({ min: 0, max: 5 })
const by = FastCheck.integer({ min: 0, max: 2 })
/** How far behind the current attempt the writer is; mostly it is the current one. */
const attempt = FastCheck.constantFrom(0, 0, 0, 0, 1, 2)

export const command: FastCheck.Arbitrary<Command> = FastCheck.oneof(
  {
    weight: 2,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("submit" as const),
      count: FastCheck.integer({ min: 1, max: 3 })
    })
  },
  { weight: 6, arbitrary: FastCheck.record({ do: FastCheck.constant("claim" as const), by }) },
  { weight: 2, arbitrary: FastCheck.record({ do: FastCheck.constant("renew" as const), by }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("settle" as const),
      job,
      attempt,
      status: FastCheck.constantFrom("completed" as const, "failed" as const)
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ do: FastCheck.constant("interrupt" as const), job, attempt }) },
  { weight: 1, arbitrary: FastCheck.record({ do: FastCheck.constant("cancel" as const), job }) },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("retry" as const),
      job,
      attempt,
      charged: FastCheck.boolean(),
      delay: FastCheck.constantFrom(0, 0, 500)
    })
  },
  {
    weight: 3,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("pass" as const),
      millis: FastCheck.constantFrom(1, 400, 1_000)
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({ do: FastCheck.constant("jump" as const), millis: FastCheck.constantFrom(-day, day) })
  },
  { weight: 1, arbitrary: FastCheck.record({ do: FastCheck.constant("takeOver" as const), by }) },
  { weight: 1, arbitrary: FastCheck.record({ do: FastCheck.constant("bury" as const) }) }
)

const same = (what: string, ours: unknown, model: unknown): Effect.Effect<void> =>
  JSON.stringify(ours) === JSON.stringify(model)
    ? Effect.void
    : Effect.dieMessage(`${what}: the queue says ${JSON.stringify(ours)}, the model ${JSON.stringify(model)}`)

const resultOf = (world: World, index: number, attempts: number, status: JobResult["status"]): JobResult => ({
  jobId: world.jobId(index),
  runId: world.runId,
  agentId: "a-1",
  role: "test",
  tool: "mock",
  directory: "/",
  status,
  reason: null,
  result: `by attempt ${attempts}`,
  error: null,
  warnings: [],
  duration: 1,
  attempts,
  usage: null,
  sessionId: null,
  filesChanged: null,
  denials: [],
  memory: null,
  evidence: null
})

export const opening = (world: World) => ({
  runId: world.runId,
  project: "p",
  owner: ownerOf(0),
  settings: {},
  marker: "m",
  containment: "G",
  runtimeDir: "/nowhere"
})

/** Its current attempt is at work, or none is and it may be given up. */
const accepts = (found: ModelJob, attempts: number, to: JobStatus): boolean =>
  (found.status === "running" || (found.status === "pending" && canBecome("pending", to))) &&
  found.attempts === attempts

/** Runs one command on both, and compares what each says. */
export const step = (queue: JobQueueService, world: World, command: Command) =>
  Effect.gen(function* () {
    const leave = (
      index: number,
      back: number,
      to: JobStatus,
      act: (attempts: number) => Effect.Effect<unknown, { readonly _tag: string }>,
      change: (found: ModelJob) => void
    ) =>
      Effect.gen(function* () {
        const found = world.jobs[index]
        if (found === undefined) return
        const attempts = Math.max(0, found.attempts - back)
        const done = yield* Effect.either(act(attempts))
        const accepted = accepts(found, attempts, to)
        yield* same(
          `${command.do} of ${index}`,
          done._tag === "Right" ? "ok" : done.left._tag,
          accepted ? "ok" : "LeaseLost"
        )
        if (!accepted) return
        found.status = to
        found.owner = null
        change(found)
      })
    switch (command.do) {
      case "submit": {
        const first = world.jobs.length
        yield* queue.add(
          world.runId,
          Array.from({ length: command.count }, (_, index) => ({ jobId: world.jobId(first + index), spec }))
        )
        for (let index = 0; index < command.count; index++) {
          world.jobs.push({
            status: "pending",
            attempts: 0,
            charged: 0,
            owner: null,
            until: 0,
            notBefore: 0,
            resumable: false
          })
        }
        return
      }
      case "claim": {
        const claimed = yield* queue.claim(world.runId, { owner: ownerOf(command.by), millis: leaseMillis })
        const due = world.jobs
          .filter(({ notBefore, status }) => status === "pending" && notBefore <= world.monotonic)
          .sort((one, other) => one.notBefore - other.notBefore || world.jobs.indexOf(one) - world.jobs.indexOf(other))
        const expired = world.jobs.filter(
          ({ owner, status, until }) => status === "running" && owner !== command.by && until <= world.monotonic
        )
        const next = due[0] ?? expired[0]
        yield* same(
          "claim",
          Option.isSome(claimed) ? [claimed.value.jobId, claimed.value.attempts] : null,
          next === undefined ? null : [world.jobId(world.jobs.indexOf(next)), next.attempts + 1]
        )
        if (next === undefined) return
        next.status = "running"
        next.attempts += 1
        next.charged += 1
        next.owner = command.by
        next.until = world.monotonic + leaseMillis
        return
      }
      case "renew": {
        const held = yield* queue.renew(world.runId, { owner: ownerOf(command.by), millis: leaseMillis })
        const mine = world.jobs.filter(({ owner, status }) => status === "running" && owner === command.by)
        yield* same("renew", [...held].sort(), mine.map((each) => world.jobId(world.jobs.indexOf(each))).sort())
        for (const each of mine) each.until = world.monotonic + leaseMillis
        return
      }
      case "settle":
        return yield* leave(
          command.job,
          command.attempt,
          command.status,
          (attempts) => queue.settle(resultOf(world, command.job, attempts, command.status)),
          () => undefined
        )
      case "interrupt":
        return yield* leave(
          command.job,
          command.attempt,
          "cancelled",
          (attempts) => queue.settle(resultOf(world, command.job, attempts, "cancelled"), { resumable: true }),
          (found) => {
            found.resumable = true
            found.notBefore = 0
            if (found.attempts > 0) found.charged -= 1
          }
        )
      case "cancel":
        return yield* leave(
          command.job,
          0,
          "cancelled",
          (attempts) => queue.settle(resultOf(world, command.job, attempts, "cancelled")),
          () => undefined
        )
      case "retry":
        return yield* leave(
          command.job,
          command.attempt,
          "pending",
          (attempts) =>
            queue.retry(world.jobId(command.job), attempts, {
              reason: "AgentExit",
              error: "again",
              charged: command.charged,
              delay: command.delay
            }),
          (found) => {
            found.notBefore = command.delay === 0 ? 0 : world.monotonic + command.delay
            if (!command.charged && found.attempts > 0) found.charged -= 1
          }
        )
      case "pass":
        world.clock.monotonic += command.millis
        return yield* TestClock.adjust(command.millis)
      case "jump":
        return yield* TestClock.setTime(Math.max(0, Date.UTC(2026, 0, 1) + command.millis))
      case "bury": {
        yield* queue.bury(world.runId, ownerOf(world.runOwner))
        return yield* same("bury", (yield* queue.run(world.runId)).status, "interrupted")
      }
      case "takeOver": {
        yield* queue.takeOver({ ...opening(world), owner: ownerOf(command.by) }, ownerOf(world.runOwner))
        world.runOwner = command.by
        for (const each of world.jobs) {
          if (each.resumable) {
            each.resumable = false
            each.status = "pending"
          }
          if (each.status === "pending") each.notBefore = 0
          if (each.status === "running") {
            each.owner = command.by
            each.until = 0
          }
        }
      }
    }
  })

/** After every command: both tell the same of all jobs, no job has gone a way that there is not, no ended one has moved. */
export const compare = (queue: JobQueueService, world: World) =>
  Effect.gen(function* () {
    const ours = (yield* queue.jobs(world.runId)).map(({ attempts, charged, result, status }) => [
      status,
      attempts,
      charged,
      result === null ? null : result.attempts
    ])
    const model = world.jobs.map(({ attempts, charged, status }) => [
      status,
      attempts,
      charged,
      status === "pending" || status === "running" ? null : attempts
    ])
    yield* same("jobs", ours, model)
    for (const [index, { status }] of world.jobs.entries()) {
      const before = world.seen[index] ?? "pending"
      // A further claim is of another attempt, and an interruption's cancellation is taken back by a takeover.
      const taken = before === "cancelled" && status !== "cancelled"
      if (before !== status && !taken && !canBecome(before, status)) {
        return yield* Effect.dieMessage(`${world.jobId(index)} went from ${before} to ${status}`)
      }
      world.seen[index] = status
    }
  })

/** What the feed tells at the end: each job's last word is its state, and of those that ended for good there is one. */
export const audit = (queue: JobQueueService, world: World) =>
  Effect.gen(function* () {
    const events = yield* queue.events({ runId: world.runId, limit: 1_000 })
    for (const [index, { status }] of world.jobs.entries()) {
      const told = events.filter((event) => event.jobId === world.jobId(index)).map((event) => event.status)
      yield* same(`the last word of ${index}`, told.at(-1), status)
      const ends = told.filter((each) => each === "completed" || each === "failed")
      if (ends.length > 1) yield* Effect.dieMessage(`${world.jobId(index)} ended ${ends.length} times`)
    }
    const open = (yield* queue.counts(world.runId)).running
    yield* same("running", open, world.jobs.filter(({ status }) => status === "running").length)
  })
