import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type {
  AgentProcessService,
  Ended,
  LaunchSpec,
  Observer,
  Options,
  ProcessIdentity,
  RunningAgent
} from "../AgentProcess.js"
import { HostUnfit, SpawnFailed } from "../OrchestratorError.js"
import * as containment from "./containment.js"
import { Follower, tickMillis } from "./follower.js"
import { jobFile } from "./jobFile.js"
import { Launcher, openLifeline } from "./launcher.js"
import { endingName, markerVariable } from "./marker.js"
import * as outputFiles from "./outputFiles.js"
import * as procfs from "./procfs.js"
import { Reaper } from "./reaper.js"
import { isShortage, remedy } from "./shortage.js"

/** How often a process whose end nobody reports is looked for. */
const livenessTicks = 5_000 / tickMillis
/** After KILL: how long the end may take to be reported, and survivors to be gone. */
const afterKill = Duration.seconds(2)
/** Between two looks for survivors. */
const betweenLooks = Duration.millis(25)
/** What starts the agent, and holds its environment until it has been read. */
export const jobFileName = "job.sh"
/** Holds the exit code as soon as the agent has ended, whoever lives then. */
export const exitFileName = `${jobFileName}.exit`

const sendSignal = (target: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(target, signal)
    return true
  } catch {
    return false
  }
}

/** Should we die before the end is stored, the next start knows by it who began it. */
const markEnding = (folder: string): void => {
  try {
    fs.mkdirSync(path.join(folder, endingName), { mode: 0o700 })
  } catch {
    // The folder is gone, or an agent has put something there: then its exit code alone tells.
  }
}

/** True once the job file is gone: what it held was read and emptied by then. */
const removeEmpty = (file: string): boolean => {
  if (outputFiles.size(file) > 0) return false
  outputFiles.remove(file)
  return true
}

/** The group is still the one we started: its leader lives, or is gone and its number not in use by another. */
const isOurs = ({ pid, startTime }: ProcessIdentity): boolean => {
  const now = procfs.startTime(pid)
  return now === null || now === startTime
}

export const make = (options: Options): Effect.Effect<AgentProcessService, HostUnfit, Scope.Scope> =>
  Effect.gen(function* () {
    const fifo = path.join(options.folder, "lifeline")
    const host = yield* containment.prepare(fifo, options.path)
    const lifeline = yield* Effect.acquireRelease(
      Effect.try({
        try: () => openLifeline(fifo),
        catch: (cause) =>
          new HostUnfit({ message: `${cause instanceof Error ? cause.message : cause}${remedy(cause)}` })
      }),
      (line) => Effect.sync(line.close)
    )
    const ours = randomBytes(16).toString("hex")
    const bootId = procfs.bootId()
    const launcher = yield* Effect.acquireRelease(
      Effect.sync(() => new Launcher(host.sh, lifeline.reader)),
      (shell) => Effect.sync(() => shell.close())
    )
    const reaper = yield* Effect.acquireRelease(
      Effect.sync(() => new Reaper(host.sh, options.path, `${markerVariable}=${ours}`)),
      (shell) => Effect.sync(() => shell.close())
    )
    const follower = new Follower()
    yield* Effect.sync(() => follower.tick()).pipe(
      Effect.delay(Duration.millis(tickMillis)),
      Effect.forever,
      Effect.forkScoped
    )

    const sightings = makeSightings()
    const hurried = yield* Deferred.make<void>()
    const hurry = Effect.asVoid(Deferred.succeed(hurried, undefined))

    const launch = (spec: LaunchSpec, observer: Observer): Effect.Effect<RunningAgent, SpawnFailed, Scope.Scope> =>
      Effect.acquireRelease(
        start({ host, launcher, reaper, follower, sightings, bootId, hurried }, spec, observer),
        (agent) => Effect.asVoid(agent.end)
      )

    return { level: host.level, choose: (wanted) => containment.choose(host, wanted), marker: ours, hurry, launch }
  })

interface Parts {
  readonly host: containment.Host
  readonly launcher: Launcher
  readonly reaper: Reaper
  readonly follower: Follower
  readonly sightings: Sightings
  readonly bootId: string | null
  readonly hurried: Deferred.Deferred<void>
}

const start = (parts: Parts, spec: LaunchSpec, observer: Observer): Effect.Effect<RunningAgent, SpawnFailed> =>
  Effect.gen(function* () {
    const exit = yield* Deferred.make<number | null>()
    const stdout = path.join(spec.folder, "stdout")
    const stderr = path.join(spec.folder, "stderr")
    const file = path.join(spec.folder, jobFileName)
    const exitFile = path.join(spec.folder, exitFileName)

    const following = yield* Effect.try({
      try: () => {
        for (const made of [stdout, stderr, exitFile]) PrivateFiles.write(made, "")
        const text = jobFile({
          prefix: containment.prefix(parts.host, spec.level),
          command: spec.command,
          directory: spec.directory,
          env: spec.env,
          stdin: path.join(spec.folder, "prompt"),
          stdout,
          stderr,
          file,
          keepLifeline: spec.level !== "G"
        })
        PrivateFiles.write(file, text)
        return [
          parts.follower.follow(stdout, {
            line: observer.line,
            grew: (bytes) => observer.grew("stdout", bytes),
            overlong: observer.overlong
          }),
          parts.follower.follow(stderr, {
            line: () => undefined,
            grew: (bytes) => observer.grew("stderr", bytes),
            overlong: () => undefined
          })
        ]
      },
      catch: (cause) =>
        new SpawnFailed({
          message: `cannot prepare ${spec.folder}: ${cause instanceof Error ? cause.message : cause}`,
          short: isShortage(cause)
        })
    })

    const pid = yield* Effect.async<number, SpawnFailed>((resume) => {
      parts.launcher.launch(file, {
        started: (pid) => resume(Effect.succeed(pid)),
        exited: (code) => Deferred.unsafeDone(exit, Effect.succeed(code)),
        // A shell that cannot fork ends, and says no more than that.
        failed: (message) => resume(new SpawnFailed({ message, short: true }))
      })
    }).pipe(
      Effect.onError(() =>
        Effect.sync(() => {
          for (const file of following) file.finish()
        })
      )
    )
    const identity: ProcessIdentity = { pid, startTime: procfs.startTime(pid), bootId: parts.bootId }
    if (spec.level === "G") parts.reaper.watch(pid, spec.folder)

    // The waiter that reports the end may itself be killed: then the process is seen to be gone instead.
    let ticks = 0
    let sourced = false
    let missing = 0
    const unwatch = parts.follower.onTick(() => {
      observer.tick()
      if (!sourced) sourced = removeEmpty(file)
      if (++ticks % livenessTicks !== 0) return
      missing = procfs.startTime(pid) === identity.startTime ? 0 : missing + 1
      if (missing === 2) Deferred.unsafeDone(exit, Effect.succeed(null))
    })

    const end = yield* Effect.cached(
      terminate(
        parts,
        spec,
        identity,
        exit,
        file,
        Effect.gen(function* () {
          unwatch()
          for (const file of following) {
            // A flood is read to its end, or as far as is wanted; others are followed meanwhile.
            while (!observer.sated() && file.drain()) yield* Effect.sleep(0)
            file.finish()
          }
        })
      )
    )
    return { identity, exited: Deferred.await(exit), end }
  }).pipe(Effect.uninterruptible)

/** TERM to the group, grace, KILL to the group always, then whoever is left. Waits are bounded; the whole is not cut. */
const terminate = (
  parts: Parts,
  spec: LaunchSpec,
  identity: ProcessIdentity,
  exit: Deferred.Deferred<number | null>,
  file: string,
  finish: Effect.Effect<void>
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    const group = (signal: NodeJS.Signals) => isOurs(identity) && sendSignal(-identity.pid, signal)
    const waitAtMost = (time: Duration.Duration) =>
      Deferred.await(exit).pipe(Effect.interruptible, Effect.timeoutOption(time), Effect.asVoid)

    let sent: Ended["sent"] = "nothing"
    let namespace: string | null = null
    if (!(yield* Deferred.isDone(exit))) {
      namespace = spec.level === "G" ? null : procfs.childNamespace(identity.pid)
      sent = "TERM"
      markEnding(spec.folder)
      // Before it leads its own group there is only the process itself.
      if (!group("SIGTERM") && isOurs(identity)) sendSignal(identity.pid, "SIGTERM")
      yield* Effect.raceFirst(waitAtMost(spec.grace), Effect.interruptible(Deferred.await(parts.hurried)))
    }
    if (!(yield* Deferred.isDone(exit))) sent = "KILL"
    if (!group("SIGKILL") && sent === "KILL" && isOurs(identity)) sendSignal(identity.pid, "SIGKILL")
    if (sent === "KILL") yield* waitAtMost(afterKill)

    const survivors = yield* sweep(parts.sightings, spec, namespace, sent)
    if (spec.level === "G") parts.reaper.forget(identity.pid)
    const reported = yield* Deferred.poll(exit)
    const exitCode = Option.isSome(reported) ? yield* reported.value : null
    yield* finish
    outputFiles.remove(file)
    return { exitCode, sent, survivors }
  }).pipe(Effect.uninterruptible)

/** Pids of the living by marker. */
type Sightings = Effect.Effect<ReadonlyMap<string, ReadonlyArray<number>>>

/** A look at all processes costs the same however many agents are being ended: all who ask before it begins share it. */
const makeSightings = (): Sightings => {
  let next: Deferred.Deferred<ReadonlyMap<string, ReadonlyArray<number>>> | null = null
  return Effect.gen(function* () {
    if (next !== null) return yield* Deferred.await(next)
    const mine = yield* Deferred.make<ReadonlyMap<string, ReadonlyArray<number>>>()
    next = mine
    yield* Effect.sleep(betweenLooks)
    next = null
    const seen = procfs.byVariable(markerVariable)
    yield* Deferred.succeed(mine, seen)
    return seen
  }).pipe(Effect.uninterruptible)
}

/**
 * A namespace whose init has ended by itself is empty by the kernel's word; after KILL we look. Without one, everything
 * that carries the marker is ended, until nothing is found twice.
 */
const sweep = (
  sightings: Sightings,
  spec: LaunchSpec,
  namespace: string | null,
  sent: Ended["sent"]
): Effect.Effect<number> =>
  Effect.gen(function* () {
    const inSight: Effect.Effect<ReadonlyArray<number>> | undefined =
      spec.level === "G"
        ? Effect.map(sightings, (seen) => seen.get(spec.marker) ?? [])
        : namespace !== null && sent === "KILL"
          ? Effect.sync(() => procfs.inNamespace(namespace)).pipe(Effect.delay(betweenLooks))
          : undefined
    if (inSight === undefined) return 0
    const found = new Set<number>()
    // A killed namespace needs a moment to be torn down: that is no survivor.
    if (spec.level !== "G") yield* Effect.sleep(betweenLooks)
    for (let round = 0, empty = 0; empty < 2 && round < 40; round++) {
      const left = yield* inSight
      empty = left.length === 0 ? empty + 1 : 0
      for (const pid of left) {
        found.add(pid)
        sendSignal(pid, "SIGKILL")
      }
    }
    return found.size
  })
