/**
 * CPU time of a whole tree of processes, those that ended and those that left their parents included: only a control
 * group knows it. Works with cgroup v1 (cpuacct) and v2 where we may make a group, which mostly means as root.
 */
import { mkdirSync, readFileSync, rmdirSync } from "node:fs"
import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** Line of /proc/self/cgroup → the folder of our own group. */
const candidates = () => {
  const own = new Map(
    readFileSync("/proc/self/cgroup", "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [, controllers, ...rest] = line.split(":")
        return [controllers, rest.join(":")]
      })
  )
  const v1 = [...own].find(([controllers]) => controllers.split(",").includes("cpuacct"))
  return [
    ...(v1 === undefined
      ? []
      : ["cpuacct", v1[0]].map((mount) => ({
          parent: path.join("/sys/fs/cgroup", mount, v1[1]),
          read: (folder) => Number(readFileSync(path.join(folder, "cpuacct.usage"), "utf8")) / 1e6
        }))),
    {
      parent: path.join("/sys/fs/cgroup", own.get("") ?? "/"),
      read: (folder) =>
        Number(/^usage_usec (\d+)/m.exec(readFileSync(path.join(folder, "cpu.stat"), "utf8"))?.[1]) / 1e3
    }
  ]
}

let made = 0

/** A new control group, or null with nothing left behind. */
export const makeGroup = () => {
  if (process.platform !== "linux") return null
  for (const { parent, read } of candidates()) {
    const folder = path.join(parent, `contextfs-bench-${process.pid}-${++made}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    try {
      if (!Number.isFinite(read(folder))) throw new Error("no usage")
    } catch {
      rmdirSync(folder)
      continue
    }
    const leave = () => {
      try {
        rmdirSync(folder)
      } catch {
        // Still in use; a group that is left costs nothing.
      }
    }
    process.once("exit", leave)
    return {
      /** Milliseconds so far. */
      used: () => read(folder),
      /** Put before a command line, this makes it run in the group. */
      enter: ["/bin/sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, folder],
      close: async () => {
        // What was killed needs a moment to be gone.
        for (let attempt = 0; ; attempt++) {
          try {
            rmdirSync(folder)
            process.off("exit", leave)
            return
          } catch (error) {
            if (attempt === 50) throw error
            await sleep(100)
          }
        }
      }
    }
  }
  return null
}

export const noGroup =
  "no control group can be made here (root, or a delegated cgroup v2, is needed): no CPU of process trees"
