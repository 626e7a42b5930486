import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Place } from "../Namespace.js"

const read = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/** The real path; of a folder that does not exist yet, that of its nearest ancestor with the rest appended. */
const realPath = (directory: string): string => {
  try {
    return fs.realpathSync(directory)
  } catch {
    const parent = path.dirname(directory)
    return parent === directory ? directory : path.join(realPath(parent), path.basename(directory))
  }
}

interface Repository {
  readonly root: string
  /** Where HEAD is: a folder of its own in a worktree. */
  readonly gitDir: string
  /** Where config and branches are. */
  readonly commonDir: string
}

const repositoryAt = (root: string): Repository | undefined => {
  const dotGit = path.join(root, ".git")
  const pointer = read(dotGit)
  const target = pointer?.match(/^gitdir:\s*(.+?)\s*$/m)?.[1]
  const gitDir = target === undefined ? dotGit : path.resolve(root, target)
  // A folder called .git is a repository only if it has a HEAD.
  if (!fs.existsSync(path.join(gitDir, "HEAD"))) return undefined
  const common = read(path.join(gitDir, "commondir"))?.trim()
  return { root, gitDir, commonDir: common === undefined ? gitDir : path.resolve(gitDir, common) }
}

const findRepository = (directory: string): Repository | undefined => {
  for (let at = directory; ; at = path.dirname(at)) {
    const found = repositoryAt(at)
    if (found !== undefined || path.dirname(at) === at) return found
  }
}

const originOf = (config: string): string | undefined => {
  let inOrigin = false
  let url: string | undefined
  for (const line of config.split(/\r?\n/)) {
    const section = line.match(/^\s*\[(.*?)\]/)?.[1]
    if (section !== undefined) inOrigin = /^remote\s+"origin"$/i.test(section.trim())
    // As in git: of several, the first is fetched from.
    else if (inOrigin) url ??= line.match(/^\s*url\s*=\s*"?(.*?)"?\s*$/i)?.[1]
  }
  return url === "" ? undefined : url
}

export const normaliseOrigin = (url: string): string => {
  const trimmed = url.trim()
  const parts =
    trimmed.match(/^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/]+)(?::\d+)?\/(.*)$/i) ??
    (trimmed.includes("://") ? null : trimmed.match(/^(?:[^@/:]+@)?([^/:]+):(.*)$/))
  const [host, rest] = parts === null ? [undefined, trimmed] : [parts[1] ?? "", parts[2] ?? ""]
  const place = rest.replace(/\/+$/, "").replace(/\.git$/, "")
  return host === undefined ? place : `${host.toLowerCase()}/${place.replace(/^\/+/, "")}`
}

const shortHash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12)

const configuredNamespace = (root: string): string | undefined =>
  read(path.join(root, ".contextfs", "config.yaml"))
    ?.match(/^namespace_id[ \t]*:[ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s#"'][^\n#]*))/m)
    ?.slice(1)
    .find((value) => value !== undefined)
    ?.trim()

const commitOf = ({ gitDir, commonDir }: Repository, ref: string): string | undefined => {
  const loose = read(path.join(gitDir, ref)) ?? read(path.join(commonDir, ref))
  if (loose !== undefined) return loose.trim()
  const packed = read(path.join(commonDir, "packed-refs"))?.split("\n")
  return packed?.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0]
}

const headOf = (repository: Repository): { branch?: string; commit?: string } => {
  const head = read(path.join(repository.gitDir, "HEAD"))?.trim() ?? ""
  const ref = head.match(/^ref:\s*(\S+)$/)?.[1]
  const commit = ref === undefined ? head : commitOf(repository, ref)
  return {
    ...(ref?.startsWith("refs/heads/") === true ? { branch: ref.slice("refs/heads/".length) } : {}),
    ...(commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit) ? { commit } : {})
  }
}

export const locate = (directory: string): Place => {
  const repository = findRepository(realPath(path.resolve(directory)))
  if (repository === undefined) return { namespace: "global" }
  const { root, commonDir } = repository
  // A worktree has the namespace of the repository it belongs to.
  const mainRoot = path.basename(commonDir) === ".git" ? path.dirname(commonDir) : root
  const url = originOf(read(path.join(commonDir, "config")) ?? "")
  const origin = url === undefined ? undefined : normaliseOrigin(url)
  const named = configuredNamespace(root) ?? configuredNamespace(mainRoot)
  return {
    namespace: named ?? (origin === undefined ? `local-${shortHash(realPath(mainRoot))}` : `repo-${shortHash(origin)}`),
    repo: path.basename(origin ?? mainRoot),
    ...headOf(repository)
  }
}
