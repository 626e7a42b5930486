/** The role files around the user, read and judged by where they come from. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { StorageError } from "@contextfs/memory/MemoryError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { projectFolder, roleFiles, type Surroundings } from "../folders.js"
import type { Role } from "../Role.js"
import { type Issue, RoleFileError } from "../RoleError.js"
import type { KnownRole, Origin } from "../RoleRegistry.js"
import * as Trust from "../Trust.js"
import { decode, maxBytes } from "./roleFile.js"

interface Read {
  readonly role: Role
  readonly content: Trust.Content
}

const whole = (file: string, message: string, suggestion: string): Issue => ({
  file,
  path: "$",
  line: 1,
  column: 1,
  message,
  suggestion
})

/** Every role of a folder; `within`: real path that no file may lead out of. */
const readFolder = (
  folder: string,
  within: string | undefined,
  issues: Array<Issue>
): Effect.Effect<ReadonlyArray<Read>> =>
  Effect.gen(function* () {
    const found = new Map<string, Read>()
    for (const file of roleFiles(folder)) {
      const content = Trust.readFile(file, maxBytes)
      if (Either.isLeft(content)) {
        issues.push(whole(file, content.left, "make it a file of your own, or remove it"))
        continue
      }
      if (within !== undefined && !content.right.file.startsWith(`${within}${path.sep}`)) {
        issues.push(whole(file, "it leads out of the project", "put the file itself there, or remove the link"))
        continue
      }
      const text = utf8(content.right.bytes)
      if (text === undefined) {
        issues.push(whole(file, "the file is not UTF-8 text", "save it as UTF-8"))
        continue
      }
      const role = yield* Effect.either(decode(text, file))
      if (Either.isLeft(role)) {
        issues.push(...role.left.issues)
        continue
      }
      const { name } = role.right
      const other = found.get(name)
      if (other === undefined) found.set(name, { role: role.right, content: content.right })
      else
        issues.push(
          whole(file, `${path.basename(other.content.file)} is the role ${name} too`, "give one of them another name")
        )
    }
    return [...found.values()]
  })

const utf8 = (bytes: Uint8Array): string | undefined => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  return Buffer.from(text).equals(bytes) ? text : undefined
}

export const readRoles = (
  around: Surroundings,
  builtIn: ReadonlyArray<Role>
): Effect.Effect<ReadonlyArray<KnownRole>, RoleFileError | StorageError> =>
  Effect.gen(function* () {
    const issues: Array<Issue> = []
    const own = yield* readFolder(around.dataDir, undefined, issues)
    const project = projectFolder(around)
    const theirs =
      project === undefined ? [] : yield* readFolder(project, fs.realpathSync(path.dirname(project)), issues)
    const [first, ...rest] = issues
    if (first !== undefined) return yield* new RoleFileError({ issues: [first, ...rest] })
    const trusted = theirs.length === 0 ? [] : yield* Trust.list(around.dataDir)
    const taken = new Set([...builtIn, ...own.map(({ role }) => role)].map(({ name }) => name))
    return [
      ...own.map(({ content, role }) => known(role, { kind: "user", file: content.file })),
      ...theirs.map(({ content, role }) =>
        known(role, {
          kind: "project",
          file: content.file,
          trusted: Trust.isTrusted(trusted, content),
          replaces: taken.has(role.name)
        })
      )
    ]
  })

const known = (role: Role, origin: Origin): KnownRole => ({ ...role, origin })
