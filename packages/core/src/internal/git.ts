/** Which files changed in a repository between two looks. Nothing that the repository configures is executed. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"

/** What git itself takes for a repository: a folder with a HEAD, or a file that says where that folder is. */
const isGit = (entry: string): boolean => {
  try {
    if (!fs.statSync(entry).isFile()) return fs.lstatSync(path.join(entry, "HEAD")) !== undefined
    return fs.readFileSync(entry, "utf8").startsWith("gitdir:")
  } catch {
    return false
  }
}

/** The nearest folder upwards that is a repository's, or null. */
export const repositoryOf = (directory: string): string | null => {
  for (let folder = directory; ; folder = path.dirname(folder)) {
    if (isGit(path.join(folder, ".git"))) return folder
    if (path.dirname(folder) === folder) return null
  }
}

const safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks"]

const git = (repository: string, env: NodeJS.ProcessEnv, args: ReadonlyArray<string>): Effect.Effect<string | null> =>
  Effect.async((resume, signal) => {
    execFile(
      "git",
      [...safe, "-C", repository, ...args],
      { env, signal, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout) => resume(Effect.succeed(error === null ? stdout : null))
    )
  })

export interface Look {
  readonly head: string | null
  /** Path → what tells one state of it from another. */
  readonly dirty: ReadonlyMap<string, string>
}

export const look = (repository: string, path_: string | undefined): Effect.Effect<Look | null> =>
  Effect.gen(function* () {
    const env = { PATH: path_ ?? "", GIT_CONFIG_NOSYSTEM: "1" }
    const status = yield* git(repository, env, [
      "status",
      "--porcelain=v1",
      "-z",
      "--untracked-files=all",
      "--no-renames"
    ])
    if (status === null) return null
    const head = yield* git(repository, env, ["rev-parse", "--verify", "-q", "HEAD"])
    const dirty = new Map<string, string>()
    for (const entry of status.split("\0")) {
      if (entry.length < 4) continue
      const name = entry.slice(3)
      const stat = fs.statSync(path.join(repository, name), { throwIfNoEntry: false })
      dirty.set(name, `${entry.slice(0, 2)} ${stat?.mtimeMs} ${stat?.size}`)
    }
    return { head: head?.trim() ?? null, dirty }
  })

/** Paths relative to the repository, sorted. */
export const changed = (
  repository: string,
  path_: string | undefined,
  before: Look,
  after: Look
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const names = new Set<string>()
    for (const [name, state] of after.dirty) if (before.dirty.get(name) !== state) names.add(name)
    for (const name of before.dirty.keys()) if (!after.dirty.has(name)) names.add(name)
    if (before.head !== after.head && before.head !== null && after.head !== null) {
      const between = yield* git(repository, { PATH: path_ ?? "" }, [
        "diff",
        "--name-only",
        "-z",
        before.head,
        after.head
      ])
      for (const name of between?.split("\0") ?? []) if (name !== "") names.add(name)
    }
    return [...names].sort()
  })
