/** What Linux tells about processes. Everything here answers "unknown" where there is no /proc. */
import * as fs from "node:fs"

const read = (path: string): string | null => {
  try {
    return fs.readFileSync(path, "latin1")
  } catch {
    return null
  }
}

/** Start time in clock ticks since boot: with the pid and the boot id it names a process for good. */
export const startTime = (pid: number): string | null => {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === null) return null
  // The command in parentheses may itself hold spaces and parentheses: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  // A zombie is dead: it only waits for its parent to look.
  return fields[0] === "Z" ? null : (fields[19] ?? null)
}

export const bootId = (): string | null => read("/proc/sys/kernel/random/boot_id")?.trim() ?? null

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

/** Processes (not zombies) whose environment holds exactly this variable. */
export const withVariable = (name: string, value: string): ReadonlyArray<number> => {
  const needle = `\0${name}=${value}\0`
  return pids().filter((pid) => {
    const environ = read(`/proc/${pid}/environ`)
    return environ !== null && `\0${environ}\0`.includes(needle) && startTime(pid) !== null
  })
}
