/** What the entries of the Promise face share: from options to services and settings, from an exit to a promise. */
import { homedir } from "node:os"
import type { ModuleError, StorageError } from "@contextfs/memory/MemoryError"
import * as MemoryModule from "@contextfs/memory/MemoryModule"
import * as Namespace from "@contextfs/memory/Namespace"
import type { RoleFileError } from "@contextfs/roles/RoleError"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { DurationInput } from "../Duration.js"
import * as Live from "../Live.js"
import type { RunOptions } from "../Orchestrator.js"
import type { AgentInput, Surroundings } from "../promise/Surroundings.js"
import * as RunConfig from "../RunConfig.js"
import * as Tools from "../Tools.js"
import { defined } from "./json.js"

/** Rejects with the error itself, or with the signal's reason where it was aborted. */
export const run = async <A, E>(effect: Effect.Effect<A, E>, signal?: AbortSignal): Promise<A> => {
  const exit = await Effect.runPromiseExit(effect, signal === undefined ? undefined : { signal })
  if (Exit.isSuccess(exit)) return exit.value
  signal?.throwIfAborted()
  throw Cause.squash(exit.cause)
}

/**
 * Takes from the stream only what is asked for, and only when it is: `Stream.toAsyncIterable` looks ahead, so that it would
 * end before the reader of the last result has submitted another job.
 */
export async function* iterate<A, E, E2>(
  stream: Stream.Stream<A, E>,
  /** Around everything that is asked of the stream. */
  around: <B, F>(effect: Effect.Effect<B, F>) => Effect.Effect<B, F | E2>
): AsyncGenerator<A, void, undefined> {
  const scope = Effect.runSync(Scope.make())
  try {
    const pull = await run(Scope.extend(Stream.toPull(stream), scope))
    const next = pull.pipe(
      Effect.asSome,
      Effect.catchAll(Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.fail }))
    )
    for (;;) {
      const chunk = await run(around(next))
      if (Option.isNone(chunk)) return
      yield* chunk.value
    }
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

const envOf = (options: Surroundings) => options.env ?? process.env

const placeOf = (options: Surroundings) => ({
  dataDir: options.dataDir ?? Namespace.dataDir(envOf(options), homedir()),
  directory: process.cwd()
})

/** Everything that the queue or the run needs, with what its configuration brings. */
export const layer = (
  options: Surroundings,
  { adapters, memory }: RunConfig.Brought
): Layer.Layer<Live.Services, Live.Failure | ModuleError> => {
  const given = options.memory === undefined ? Effect.succeed(memory) : MemoryModule.fromBackend(options.memory)
  return Layer.unwrapEffect(
    Effect.map(given, (memory) =>
      Live.layer({
        ...placeOf(options),
        env: envOf(options),
        adapters,
        ...defined({ tools: options.tools, memory })
      })
    )
  )
}

/** A duration as a configuration has it: seconds or a text. */
const duration = (input: DurationInput | undefined) => (Duration.isDuration(input) ? Duration.toSeconds(input) : input)

/** An agent as a configuration has it; without types it may be anything. */
export const written = (agent: AgentInput | undefined | null) =>
  defined({
    ...agent,
    timeout: duration(agent?.timeout),
    startTimeout: duration(agent?.startTimeout),
    idleTimeout: duration(agent?.idleTimeout)
  })

/** Options as a configuration has them. */
export const settings = (
  options: Surroundings,
  { timeout, workers }: { readonly timeout: DurationInput | undefined; readonly workers: number | undefined }
) => defined({ tool: options.tool, workers, timeout: duration(timeout) })

/** What a configuration may refer to. An option wins over the environment, which wins over the configuration. */
export const known = (options: Surroundings): Effect.Effect<RunConfig.Known, RoleFileError | StorageError> =>
  Effect.gen(function* () {
    const env = envOf(options)
    const roles = yield* RoleRegistry.loadFiles({ ...placeOf(options), home: env["HOME"] })
    const project = options.project ?? (env["CONTEXTFS_PROJECT"] || undefined)
    const tools = [...Tools.builtIn.keys(), ...(options.tools ?? []).map(({ name }) => name)]
    return { roles: yield* roles.list, tools, overrides: defined({ project }) }
  })

/** Calls a setting by the name of the option it was given as. */
export const renamed =
  (names: Readonly<Record<string, string>>) =>
  ({ file, issues }: RunConfig.ConfigError): RunConfig.ConfigError => {
    const [first, ...rest] = issues
    const name = (issue: RunConfig.Issue) => ({ ...issue, path: names[issue.path] ?? issue.path })
    return new RunConfig.ConfigError({ file, issues: [name(first), ...rest.map(name)] })
  }

/** What a listener throws is the program's own affair; no worker may end of it. */
export const listener = ({ onEvent }: Surroundings): RunOptions =>
  onEvent === undefined
    ? {}
    : {
        onEvent: (event) => {
          try {
            onEvent(event)
          } catch (cause) {
            queueMicrotask(() => {
              throw cause
            })
          }
        }
      }
