/** Modules that a configuration names: tool adapters and the memory. Loaded before it is decoded, so that names can be checked. */

import type { ModuleError, StorageError } from "@contextfs/memory/MemoryError"
import * as MemoryModule from "@contextfs/memory/MemoryModule"
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import * as UserModule from "@contextfs/memory/UserModule"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ToolSettings } from "../Job.js"
import type { Brought } from "../RunConfig.js"
import * as ToolModule from "../ToolModule.js"
import type { Path, Problem } from "./configIssue.js"
import { isObject, object, string } from "./json.js"

export interface Modules {
  /** By what is written in the configuration; those that cannot be loaded are among the problems, and null. */
  readonly tools: ReadonlyMap<string, ToolModule.Loaded | null>
  readonly memory: Layer.Layer<MemoryStore, StorageError> | undefined
  readonly memoryModule?: MemoryModule.Named
  readonly problems: ReadonlyArray<Problem>
}

interface Around {
  /** What is written is relative to it. Absolute. */
  readonly directory: string
  /** Names that are no modules. */
  readonly tools: ReadonlyArray<string>
  readonly overrides?: { readonly tool?: string } | undefined
  /** Where a package is looked for that the overrides name. Absolute. */
  readonly here?: string | undefined
}

/** Where a tool or an adapter is named, by which word, and what the word is relative to. */
const references = (
  value: unknown,
  { directory, here = directory, overrides }: Around
): ReadonlyArray<readonly [Path, string, string]> => {
  const { agents, tool, tools } = Array.isArray(value) ? { agents: value } : object(value)
  const base: Path = Array.isArray(value) ? [] : ["agents"]
  const named = (path: Path, word: unknown, from = directory) =>
    typeof word === "string" ? [[path, word, from] as const] : []
  return [
    ...named(["--tool"], overrides?.tool, here),
    ...named(["tool"], tool),
    ...(Array.isArray(agents) ? agents : []).flatMap((agent, index) =>
      named([...base, index, "tool"], object(agent)["tool"])
    ),
    ...Object.entries(object(tools)).flatMap(([name, settings]) =>
      named(["tools", name, "adapter"], object(settings)["adapter"])
    )
  ]
}

const problem = (path: Path, { hint, message }: ModuleError): Problem => ({ path, message, suggestion: hint })

export const load = (value: unknown, around: Around): Effect.Effect<Modules> =>
  Effect.gen(function* () {
    const { directory } = around
    const names = new Set([...around.tools, ...Object.keys(object(object(value)["tools"])), "command"])
    const tools = new Map<string, ToolModule.Loaded | null>()
    const problems: Array<Problem> = []
    for (const [path, word, from] of references(value, around)) {
      if (names.has(word) || tools.has(word)) continue
      // A word that is no package either is an unknown tool, and told as such.
      if (!UserModule.isFile(word) && Option.isNone(yield* Effect.option(UserModule.resolve(word, from)))) continue
      const loaded = yield* Effect.either(ToolModule.load(word, from))
      tools.set(
        word,
        Either.getOrElse(loaded, () => null)
      )
      if (Either.isLeft(loaded)) problems.push(problem(path, loaded.left))
    }
    const named = object(value)["memory"]
    const module = isObject(named) ? string(named["module"]) : undefined
    if (!isObject(named) || module === undefined) return { tools, memory: undefined, problems }
    const memoryModule = { module, directory, options: named["options"] }
    const memory = yield* Effect.either(MemoryModule.load(memoryModule))
    return Either.isRight(memory)
      ? { tools, memory: memory.right, memoryModule, problems }
      : { tools, memory: undefined, problems: [...problems, problem(["memory", "module"], memory.left)] }
  })

export const broughtBy = ({ memory, memoryModule, tools }: Modules): Brought => ({
  adapters: new Map(
    [...tools.values()].flatMap((module) => (module === null ? [] : [[module.file, module.adapter] as const]))
  ),
  memory,
  memoryModule
})

/** A tool by its name and settings. A module is called by the name of its adapter, which the settings tell by its file. */
export const toolOf = (
  word: string,
  configured: Readonly<Record<string, ToolSettings>> | undefined,
  { loaded, tools }: { readonly loaded: Modules; readonly tools: ReadonlyArray<string> }
): { readonly tool: string; readonly settings: ToolSettings } => {
  const named = tools.includes(word)
    ? undefined
    : [...loaded.tools.values()].find((module) => module?.adapter.name === word)
  const module = loaded.tools.get(word)
  const tool = (module ?? named)?.adapter.name ?? word
  const settings: ToolSettings =
    configured !== undefined && Object.hasOwn(configured, tool) ? (configured[tool] ?? {}) : {}
  const adapter =
    module?.file ??
    (settings.adapter === undefined ? named?.file : (loaded.tools.get(settings.adapter)?.file ?? settings.adapter))
  return { tool, settings: adapter === undefined ? settings : { ...settings, adapter } }
}

/** Settings of tools, with modules told by their file. */
export const toolsOf = (
  configured: Readonly<Record<string, ToolSettings>> | undefined,
  loaded: Modules
): Readonly<Record<string, ToolSettings>> =>
  Object.fromEntries(
    Object.entries(configured ?? {}).map(([name, settings]) => {
      const module = loaded.tools.get(settings.adapter ?? "")
      return [name, module == null ? settings : { ...settings, adapter: module.file }]
    })
  )
