import * as fs from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { importModule } from "../importModule.js"
import { ModuleError } from "../MemoryError.js"

export const isFile = (specifier: string): boolean => /^\.{0,2}\//.test(specifier)

export const resolve = (specifier: string, directory: string): Effect.Effect<string, ModuleError> =>
  Effect.suspend(() => {
    const fail = (message: string, hint: string) => Effect.fail(new ModuleError({ module: specifier, message, hint }))
    if (isFile(specifier)) {
      const file = path.resolve(directory, specifier)
      return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true
        ? Effect.succeed(file)
        : fail(`no file ${JSON.stringify(file)}`, "correct the path of the module")
    }
    const file = packageFile(specifier, directory)
    return file === undefined
      ? fail(
          `no package ${JSON.stringify(specifier)} can be found from ${directory}`,
          "install it there, or name a file with ./"
        )
      : Effect.succeed(file)
  })

/** As `import` in a file of that directory would find it: node itself cannot be asked that. */
const packageFile = (specifier: string, directory: string): string | undefined => {
  const [, name, rest = ""] = /^((?:@[^/]+\/)?[^/@.][^/]*)(\/.*)?$/.exec(specifier) ?? []
  if (name === undefined) return undefined
  for (let folder = directory; ; folder = path.dirname(folder)) {
    const home = path.join(folder, "node_modules", name)
    if (fs.existsSync(path.join(home, "package.json"))) {
      return imported(home, rest) ?? required(specifier, directory)
    }
    if (folder === path.dirname(folder)) return undefined
  }
}

/** What a package exports to `import` alone. */
const imported = (home: string, rest: string): string | undefined => {
  const { exports } = manifest(path.join(home, "package.json"))
  const entry = `.${rest}`
  const isTable = isObject(exports) && Object.keys(exports).some((key) => key.startsWith("."))
  const found = target(isTable ? exports[entry] : entry === "." ? exports : undefined)
  return found === undefined ? undefined : path.join(home, found)
}

const manifest = (file: string): { readonly exports?: unknown } => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"))
  } catch {
    return {}
  }
}

const target = (choice: unknown): string | undefined => {
  if (typeof choice === "string") return choice
  if (!isObject(choice)) return undefined
  for (const [condition, inner] of Object.entries(choice)) {
    if (!["node", "import", "default"].includes(condition)) continue
    const found = target(inner)
    if (found !== undefined) return found
  }
  return undefined
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const required = (specifier: string, directory: string): string | undefined => {
  try {
    return createRequire(path.join(directory, "_")).resolve(specifier)
  } catch {
    return undefined
  }
}

export const load = (file: string): Effect.Effect<Readonly<Record<string, unknown>>, ModuleError> =>
  Effect.tryPromise({
    try: async () => {
      const loaded = await importModule(pathToFileURL(file).href)
      return isObject(loaded) ? loaded : {}
    },
    catch: (cause) =>
      new ModuleError({
        module: file,
        message: `the module cannot be loaded: ${cause instanceof Error ? cause.message.split("\n")[0] : cause}`,
        hint: "correct what it says"
      })
  })
