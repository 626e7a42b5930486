/** What Linux tells about processes. Everything here answers "unknown" where there is no /proc. */
import * as fs from "node:fs"

const read = (path: string): string | null => {
  try {
    return fs.readFileSync(path, "latin1")
  } catch {
    return null
  }
}

/** From the process's state on; empty where there is none. */
const statOf = (pid: number): ReadonlyArray<string> => {
  const stat = read(`/proc/${pid}/stat`) ?? ""
  // The command in parentheses may itself hold spaces and parentheses: count from the last one.
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** Start time in clock ticks since boot: with the pid and the boot id it names a process for good. */
export const startTime = (pid: number): string | null => {
  const fields = statOf(pid)
  // A zombie is dead: it only waits for its parent to look.
  return fields[0] === "Z" ? null : (fields[19] ?? null)
}

/** What gives a pid its meaning: the boot, and after a blank the pid namespace that it is a number of. */
export const bootId = (): string | null => {
  const boot = read("/proc/sys/kernel/random/boot_id")?.trim()
  return boot === undefined ? null : `${boot} ${link("/proc/self/ns/pid") ?? "?"}`
}

/** The pid namespace that the children of `pid` live in, for example `pid:[4026532512]`. */
export const childNamespace = (pid: number): string | null => link(`/proc/${pid}/ns/pid_for_children`)

const link = (path: string): string | null => {
  try {
    return fs.readlinkSync(path)
  } catch {
    return null
  }
}

const pids = (): ReadonlyArray<number> => {
  try {
    return fs.readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

/** Processes (not zombies) that live in this pid namespace. */
export const inNamespace = (namespace: string): ReadonlyArray<number> =>
  pids().filter((pid) => link(`/proc/${pid}/ns/pid`) === namespace && startTime(pid) !== null)

/** Processes (not zombies) by the value of this variable in their environment. */
export const byVariable = (name: string): ReadonlyMap<string, ReadonlyArray<number>> => {
  const found = new Map<string, Array<number>>()
  const needle = `\0${name}=`
  for (const pid of pids()) {
    const environ = `\0${read(`/proc/${pid}/environ`) ?? ""}\0`
    const at = environ.indexOf(needle)
    if (at === -1 || startTime(pid) === null) continue
    const from = at + needle.length
    const value = environ.slice(from, environ.indexOf("\0", from))
    const others = found.get(value)
    if (others === undefined) found.set(value, [pid])
    else others.push(pid)
  }
  return found
}

/**
 * Whether the process that had this pid, start time and boot still runs; null where that cannot be known: from inside
 * another pid namespace, an agent's or a container's, its number is a stranger's.
 */
export const isAlive = (process: {
  readonly pid: number
  readonly startTime: string | null
  readonly bootId: string | null
}): boolean | null => {
  const here = bootId()
  if (here === null || process.bootId === null || process.startTime === null) return null
  const [boot, namespace] = process.bootId.split(" ")
  const [ours, place] = here.split(" ")
  if (boot !== ours) return false
  if (namespace !== undefined && namespace !== place) return null
  return startTime(process.pid) === process.startTime
}

/** It lives, and does nothing until somebody wakes it: after Ctrl-Z, or SIGSTOP. */
export const isStopped = (process: Parameters<typeof isAlive>[0]): boolean =>
  isAlive(process) === true && ["T", "t"].includes(statOf(process.pid)[0] ?? "")
