/** Whether this machine has room for one more agent: descriptors, processes, memory, disk. */
import * as fs from "node:fs"

/** What has to be left for the orchestrator, the agents at work and everybody else. */
export interface Floors {
  readonly descriptors: number
  readonly processes: number
  /** Bytes that the kernel calls available. */
  readonly memory: number
  /** Free bytes where the runs' files are. */
  readonly disk: number
}

export const floors: Floors = {
  descriptors: 32,
  processes: 64,
  memory: 128 * 1024 * 1024,
  disk: 256 * 1024 * 1024
}

const read = (file: string): string => {
  try {
    return fs.readFileSync(file, "latin1")
  } catch {
    return ""
  }
}

/** A soft limit of a process; infinite where there is none or nobody knows. */
const limitOf = (pid: number | "self", name: string): number => {
  const found = new RegExp(`^${name}\\s+(\\d+)`, "m").exec(read(`/proc/${pid}/limits`))
  return found?.[1] === undefined ? Number.POSITIVE_INFINITY : Number(found[1])
}

/** Those that the orchestrator holds itself, and what has to be left for an agent to start. */
const leastDescriptors = 2 * floors.descriptors
export const raiseFiles = "raise the limit of open files: ulimit -n 1024"

/** Why no agent could ever start in this process, or null. */
export const tooFewDescriptors = (): string | null => {
  const limit = limitOf("self", "Max open files")
  if (limit >= leastDescriptors) return null
  return `only ${limit} files may be open at once, and at least ${leastDescriptors} are needed – ${raiseFiles}`
}

const inUse = (folder: string): number => {
  try {
    return fs.readdirSync(folder).length
  } catch {
    return 0
  }
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1024 / 1024)} MiB`

/** Processes and threads of the whole machine against what the kernel allows. */
const tasksLeft = (): number => {
  const running = /^(?:\S+ ){3}\d+\/(\d+)/.exec(read("/proc/loadavg"))?.[1]
  const most = Number(read("/proc/sys/kernel/threads-max"))
  return running === undefined || !(most > 0) ? Number.POSITIVE_INFINITY : most - Number(running)
}

/**
 * What is short for an orchestrator, this process or another, in words, or null. Where the machine does not tell, nothing
 * is short.
 */
export const shortage = (
  dataDir: string,
  { floors: least = floors, pid = "self" }: { readonly floors?: Floors; readonly pid?: number | "self" } = {}
): string | null => {
  const descriptors = limitOf(pid, "Max open files") - inUse(`/proc/${pid}/fd`)
  if (descriptors < least.descriptors) return `only ${Math.max(0, descriptors)} file descriptors are left`
  const tasks = tasksLeft()
  if (tasks < least.processes) return `only ${Math.max(0, tasks)} processes are left`
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1]
  if (available !== undefined && Number(available) * 1024 < least.memory) {
    return `only ${mebibytes(Number(available) * 1024)} of memory are available`
  }
  try {
    const { bavail, bsize } = fs.statfsSync(dataDir)
    if (bavail * bsize < least.disk) return `only ${mebibytes(bavail * bsize)} are free on the disk of ${dataDir}`
  } catch {
    // Nobody knows.
  }
  return null
}

const codes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT"])

const fileCodes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE"])
/** What to do about a refusal of the system, where it is for the want of descriptors; else nothing. */
export const remedy = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause && fileCodes.has(cause.code) ? ` – ${raiseFiles}` : ""

/** The system refused for want of something that may be there again soon. */
export const isShortage = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && codes.has(cause.code)

/** While something is short, milliseconds between two looks. */
export const betweenLooks = 250

/** Where no agent of ours is at work that could give any back, room is waited for so long; milliseconds. */
export const longestShortage = 5 * 60_000

/**
 * Says what is short, or null, and tells when that begins and ends. To be asked before each start, however many there
 * are at once: each takes some of what is left.
 */
export const makeLook = (
  { dataDir, floors }: { readonly dataDir: string; readonly floors: Floors },
  tell: (shortage: string | null) => void
): (() => string | null) => {
  let short: string | null = null
  return () => {
    const before = short
    short = shortage(dataDir, { floors })
    if ((short === null) !== (before === null)) tell(short)
    return short
  }
}
