/** One try at a job: recall, prompt, start, watch, end, judge. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { Admission, RunServerService } from "@contextfs/mcp/RunServer"
import type { Identity } from "@contextfs/memory/Memory"
import type { StorageError } from "@contextfs/memory/MemoryError"
import type * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Redaction from "@contextfs/memory/Redaction"
import * as Protocol from "@contextfs/roles/Protocol"
import type { Role } from "@contextfs/roles/Role"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import type * as AgentProcess from "../AgentProcess.js"
import { type Evidence, isOver, type Job, type MemoryProtocol } from "../Job.js"
import type { JobQueueService } from "../JobQueue.js"
import type { SpawnFailed } from "../OrchestratorError.js"
import type { AgentEvent, Invocation, ToolAdapter, Usage } from "../ToolAdapter.js"
import { type Ended, emptyTally, judge, type Verdict } from "../Verdict.js"
import type { WorkplaceService } from "../Workplace.js"
import * as attemptFiles from "./attemptFiles.js"
import * as containment from "./containment.js"
import type { Delegation } from "./delegation.js"
import * as git from "./git.js"
import * as givenFiles from "./givenFiles.js"
import * as outputFiles from "./outputFiles.js"
import * as overlay from "./overlay.js"
import { prepare, recall } from "./preparation.js"
import { isShortage } from "./shortage.js"
import { Watch } from "./watch.js"

/** From the terminal event to the end of the process. */
const drainMillis = 5_000
const stderrTailBytes = 8 * 1024

/** Why a running attempt is told to end; `lost`: another process holds its job by now. */
export type Stop = "cancelled" | "interrupted" | "lost"

/** The attempt could not begin; nothing was started. `short`: only because this machine lacks something for now. */
class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly message: string
  readonly short?: boolean
  /** Its folder could not be made. */
  readonly unplaced?: boolean
}> {}

export interface Shop {
  readonly workplace: WorkplaceService
  readonly processes: AgentProcess.AgentProcessService
  readonly store: MemoryStore.MemoryStoreService
  readonly server: RunServerService
  readonly delegation: Delegation
}

export interface AttemptInput {
  readonly job: Job
  /** In whose name the agent reads and writes the memory. */
  readonly identity: Identity
  readonly role: Role
  readonly adapter: ToolAdapter
  /** The program by absolute path and the arguments that always come first. */
  readonly program: ReadonlyArray<string>
  /** Completed when the agent has to end. */
  readonly stop: Deferred.Deferred<Stop>
  /** Whether more is used than the job may still spend. */
  readonly overspent: (usage: Usage) => boolean
  readonly onEvent: (event: AgentEvent) => void
  readonly onProcess: (identity: AgentProcess.ProcessIdentity) => Effect.Effect<void, StorageError>
}

export interface AttemptOutcome {
  readonly verdict: Verdict
  readonly evidence: Evidence | null
  readonly watch: Watch | null
  readonly memory: MemoryProtocol | null
  /** The program was given the memory server and never started it. */
  readonly unconnected: boolean
  readonly filesChanged: ReadonlyArray<string> | null
  /** Nothing was started, for this machine lacks something; it may have it again soon. */
  readonly short: boolean
}

/** Where the files of the job's current attempt are. */
export const attemptFolder = ({ dataDir }: WorkplaceService, job: Job): string =>
  attemptFiles.folderOf(dataDir, attemptFiles.of(job))

/** Knows the secrets that a job is given. */
export const redactorOf = ({ env }: WorkplaceService, { spec }: Job): Redaction.Redactor =>
  Redaction.make(env, spec.settings.env ?? {}, spec.env)

/**
 * What the attempt has left is redacted, now that its outcome is stored; what fails is tried again at the next start.
 * Where that was the job's end, storing it has done so already.
 */
export const redactFiles = (workplace: WorkplaceService, journal: JobQueueService, job: Job): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!attemptFiles.isRaw(workplace.dataDir, job)) return
    yield* attemptFiles.redact(workplace.dataDir, attemptFiles.of(job), redactorOf(workplace, job))
    // Cancelled while that went on, it may have kept what it was given.
    if (isOver(yield* journal.job(job.jobId))) yield* givenFiles.forget(workplace.dataDir, job)
  }).pipe(Effect.ignore)

/** Runs one attempt to its end. The agent, its token and its temporary folder go with the scope. */
export const run = (shop: Shop, input: AttemptInput): Effect.Effect<AttemptOutcome, StorageError> =>
  Effect.gen(function* () {
    const { job, role, adapter } = input
    const { spec } = job
    const repository = git.repositoryOf(spec.directory)
    const gitPath = shop.workplace.env["PATH"]
    const before = repository === null ? null : yield* git.look(repository, gitPath)
    const admission = spec.memory
      ? yield* shop.server.admit(input.identity, { tools: yield* shop.delegation.tools(job) })
      : null
    const marker = `${shop.processes.marker}-${job.jobId}-${job.attempts}`
    const folder = attemptFolder(shop.workplace, job)
    const temporary = yield* Effect.acquireRelease(
      Effect.sync(() => PrivateFiles.temporaryFolder(path.join(shop.workplace.runtimeDir, "t"))),
      (dir) => Effect.sync(() => fs.rmSync(dir, { recursive: true, force: true }))
    )

    const started = yield* begin(shop, input, { folder, marker, admission, temporary }).pipe(Effect.either)
    if (Either.isLeft(started)) {
      const error = started.left
      const ended = error._tag === "NotStarted" && error.unplaced === true ? "unplaced" : "spawnFailed"
      return { ...notStarted(adapter.name, error.message, ended), short: "short" in error && error.short === true }
    }
    const { agent, level, watch, ending, now, redactor } = started.right
    yield* input.onProcess(agent.identity)

    const ended: Ended = yield* Effect.raceAll(
      [
        agent.exited.pipe(Effect.as<Ended>("self")),
        Deferred.await(ending),
        Deferred.await(input.stop).pipe(Effect.as<Ended>("cancelled"))
      ].map(Effect.interruptible)
    )
    // From here on a terminal event may be an echo of our own signal.
    watch.ending ??= ended === "self" ? null : ended
    const end = yield* agent.end
    const said = outputFiles.tail(path.join(folder, "stderr"), stderrTailBytes, redactor)
    const { exitCode, stderr } = level === "G" ? { ...end, stderr: said } : containment.truly(end.exitCode, said)
    watch.complete(exitCode ?? -1, stderr, now())
    const files = ["stdout", "stderr"].map((name) => path.join(folder, name))
    const lost = [
      ...outputFiles.gone(path.join(folder, "stdout"), watch.stdoutBytes),
      ...outputFiles.gone(path.join(folder, "stderr"), watch.stderrBytes)
    ]
    const excess = files.reduce((bytes, file) => bytes + outputFiles.size(file), 0) > spec.maxOutput
    for (const file of excess ? files : []) yield* outputFiles.clip(file, spec.maxOutput / 2, redactor)

    const verdict = judge({
      tool: adapter.name,
      output: adapter.output,
      exitAbove128: adapter.exitAbove128,
      tally: watch.tally,
      late: watch.late,
      exit: { code: exitCode, signal: null },
      // A flood may be over before we have looked.
      ended: ended === "self" && excess && watch.tally.finished === null ? "outputLimit" : ended,
      stderr
    })
    const after = repository === null || before === null ? null : yield* git.look(repository, gitPath)
    return {
      verdict: { ...verdict, warnings: [...verdict.warnings, ...lost] },
      watch,
      evidence: {
        rule: verdict.rule,
        exitCode,
        sent: end.sent === "nothing" ? null : (`SIG${end.sent}` as const),
        ended,
        lastEvent: watch.tally.lastEvent,
        stdoutBytes: watch.stdoutBytes,
        stderrBytes: watch.stderrBytes,
        noise: watch.noise,
        toolCalls: watch.tally.toolCalls,
        survivors: end.survivors,
        containment: level,
        folder
      },
      memory: admission === null ? null : Protocol.report(role, yield* admission.calls),
      unconnected: admission !== null && adapter.capabilities.memory && !(yield* admission.connected),
      filesChanged:
        repository === null || before === null || after === null
          ? null
          : yield* git.changed(repository, gitPath, before, after),
      short: level !== "G" && watch.stdoutBytes === 0 && containment.couldNotFork(exitCode, stderr)
    }
  }).pipe(Effect.scoped)

/** The outcome of an attempt that never came to a process. */
export const notStarted = (
  tool: string,
  message: string,
  ended: "spawnFailed" | "unplaced" = "spawnFailed"
): AttemptOutcome => ({
  verdict: judge({
    tool,
    output: "events",
    exitAbove128: "signal",
    tally: emptyTally,
    exit: { code: null, signal: null },
    ended,
    stderr: message
  }),
  evidence: null,
  watch: null,
  memory: null,
  unconnected: false,
  filesChanged: null,
  short: false
})

interface Begun {
  readonly agent: AgentProcess.RunningAgent
  readonly level: AgentProcess.Level
  readonly watch: Watch
  /** Completed with the reason as soon as the agent has to be ended. */
  readonly ending: Deferred.Deferred<Ended>
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
  readonly redactor: Redaction.Redactor
}

/** Everything up to the running process. */
const begin = (
  shop: Shop,
  input: AttemptInput,
  at: {
    readonly folder: string
    readonly marker: string
    readonly admission: Admission | null
    readonly temporary: string
  }
): Effect.Effect<Begun, NotStarted | SpawnFailed | StorageError, Scope> =>
  Effect.gen(function* () {
    const { job, adapter } = input
    const { spec } = job
    const { workplace } = shop
    const level = shop.processes.choose(spec.containment)
    if (Option.isNone(level)) {
      return yield* new NotStarted({ message: "this host cannot give an agent a namespace of its own (containment)" })
    }

    const session = adapter.capabilities.resume ? (job.session ?? spec.session ?? undefined) : undefined
    const prepared = prepare(spec, input, {
      ...at,
      workplace,
      recalled: spec.memory ? yield* recall(shop.store, spec) : undefined,
      resume: session,
      continued: session !== undefined && session !== spec.session
    })
    if ("refused" in prepared) return yield* new NotStarted({ message: prepared.refused })
    const { command, env, invocation, prompt } = prepared

    yield* Effect.try({
      try: () => write(attemptFiles.make(workplace.dataDir, attemptFiles.of(job)), prompt, invocation),
      catch: (cause) =>
        new NotStarted({
          message: `cannot write ${at.folder}: ${cause instanceof Error ? cause.message : cause}`,
          short: isShortage(cause),
          unplaced: !isShortage(cause)
        })
    })
    for (const view of invocation.overlays ?? []) {
      yield* overlay.make(at.folder, view).pipe(Effect.mapError((message) => new NotStarted({ message })))
    }

    const clock = yield* Effect.clock
    const now = () => Number(clock.unsafeCurrentTimeNanos() / 1_000n) / 1_000
    const ending = yield* Deferred.make<Ended>()
    const watch = new Watch(
      {
        // Without events nothing tells a start from silence: the idle clock does.
        start: adapter.output === "events" ? spec.startTimeout : Number.POSITIVE_INFINITY,
        idle: spec.idleTimeout,
        total: spec.timeout,
        retry: spec.retryTimeout,
        drain: drainMillis
      },
      spec.maxOutput,
      adapter.decoder(),
      input.onEvent,
      now(),
      input.overspent
    )
    const redactor = Redaction.make(workplace.env, env)
    const redact = redactor.lines()
    const agent = yield* shop.processes.launch(
      {
        command,
        directory: spec.directory,
        env,
        folder: at.folder,
        marker: at.marker,
        level: level.value,
        grace: Duration.millis(spec.grace)
      },
      {
        line: (line) => watch.line(redact(line), now()),
        grew: (stream, bytes) => watch.grew(stream, bytes, now()),
        overlong: () => watch.overlong(),
        sated: () => watch.sated,
        tick: () => {
          const reason = watch.check(now())
          if (reason !== null) Deferred.unsafeDone(ending, Effect.succeed(reason))
        }
      }
    )
    return { agent, level: level.value, watch, ending, now, redactor }
  })

const write = (folder: string, prompt: string, invocation: Invocation): void => {
  const put = (name: string, text: string) => PrivateFiles.write(path.join(folder, name), text)
  put("prompt", invocation.stdin ?? prompt)
  for (const [name, text] of Object.entries(invocation.files ?? {})) put(name, text)
}
