/**
 * How far the lifetime of an agent's processes can be bound to ours, from the strongest form down: a pid namespace whose
 * init watches a lifeline that the kernel cuts when we die (K1 as root, K2 in a user namespace, K3 the same where /proc
 * is partly masked), else a process group (G), watched by a reaper and swept by an environment marker.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { HostUnfit } from "../OrchestratorError.js"
import { remedy } from "./shortage.js"

/** What the configuration asks for. */
export type Containment = "auto" | "group" | "namespace"

export type Level = "K1" | "K2" | "K3" | "G"

const unshare: Readonly<Record<Exclude<Level, "G">, ReadonlyArray<string>>> = {
  K1: ["--pid", "--fork", "--kill-child", "--mount-proc"],
  K2: ["--user", "--map-current-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
  K3: ["--user", "--map-current-user", "--pid", "--fork", "--kill-child"]
}

/**
 * The namespace's init. Its guard waits for the end of the lifeline and then kills everything but itself, again and
 * again, because the agent may not have been forked yet; it ignores the TERM that the whole group gets. The agent stays
 * in the foreground: with `&` it would lose its stdin and ignore INT and QUIT.
 */
const init = `{ trap '' TERM INT HUP; read -r _; while :; do kill -s KILL -- -1; sleep 0.05; done; } <&3 2>/dev/null & "$@" 3<&-; exit $?`

/** What this host offers: programs by absolute path, since an agent's PATH is not ours. */
export interface Host {
  readonly level: Level
  readonly env: string
  readonly setsid: string
  readonly sh: string
  readonly unshare: string
}

/** The words to put before an agent's command. */
export const prefix = (host: Host, level: Level): ReadonlyArray<string> => {
  // Jobs are started by `&`, which makes INT and QUIT ignored in everything they start, unless reset.
  const session = [host.env, "--default-signal=INT,QUIT", host.setsid]
  return level === "G" ? session : [...session, host.unshare, ...unshare[level], host.sh, "-c", init, "init"]
}

// One shell makes the lifeline, finds the programs and tries the very forms in use, strongest first; about 12 ms.
const probe = `[ -z "$1" ] || mkfifo -m 600 "$1" || exit 1
for program in env setsid sh unshare; do command -v "$program" || echo; done
env --default-signal=INT,QUIT true && echo signals || echo
${(["K1", "K2", "K3"] as const)
  .map(
    (level) => `env --default-signal=INT,QUIT unshare ${unshare[level].join(" ")} sh -c true && echo ${level} && exit`
  )
  .join("\n")}
echo G`

/** Looks at the host and makes the FIFO `lifeline`. */
export const prepare = (lifeline: string, path: string): Effect.Effect<Host, HostUnfit> => ask(path, lifeline)

/** Looks at the host, and makes nothing. */
export const look = (path: string): Effect.Effect<Host, HostUnfit> => ask(path, "")

const ask = (path: string, lifeline: string): Effect.Effect<Host, HostUnfit> =>
  Effect.async((resume) => {
    // Where no descriptor is left for its pipe it has no output, and the error comes by itself.
    const child: ChildProcess = spawn("sh", ["-c", probe, "probe", lifeline], {
      env: { PATH: path },
      stdio: ["ignore", "pipe", "ignore"]
    })
    let said = ""
    child.stdout?.setEncoding("utf8")
    child.stdout?.on("data", (data: string) => {
      said += data
    })
    child.on("error", (error) => resume(new HostUnfit({ message: `no shell: ${error.message}${remedy(error)}` })))
    child.on("close", () => {
      const [env = "", setsid = "", sh = "", unshare = "", signals, level] = said.split("\n")
      if (level !== "K1" && level !== "K2" && level !== "K3" && level !== "G") {
        return resume(new HostUnfit({ message: `cannot make a FIFO at ${lifeline}` }))
      }
      if (env === "" || setsid === "" || sh === "") {
        return resume(
          new HostUnfit({ message: "the programs env, setsid and sh are needed on PATH (coreutils, util-linux)" })
        )
      }
      if (signals !== "signals") {
        return resume(new HostUnfit({ message: `${env} knows no --default-signal: coreutils 8.31 or newer is needed` }))
      }
      resume(Effect.succeed({ level, env, setsid, sh, unshare }))
    })
  })

/**
 * unshare ends as its child did, by the same signal, but for KILL, at which it stumbles: it complains and exits 1. What is
 * meant is that somebody has killed the namespace's init, and with it the agent.
 */
const stumble = /(?:^|\n)unshare: [^\n]*sigprocmask[^\n]*\s*$/

/** How the agent of a namespace ended, and what it said itself on stderr. */
export const truly = <A extends number | null>(
  exitCode: A,
  stderr: string
): { readonly exitCode: A | 137; readonly stderr: string } =>
  exitCode === 1 && stumble.test(stderr) ? { exitCode: 137, stderr: stderr.replace(stumble, "") } : { exitCode, stderr }

/** unshare, or the namespace's init, had no process to start the agent with, and says so as its last word. */
const unforked = /(?:^|\n)(?:unshare: fork failed:|init: [^\n]*\bfork\b)[^\n]*\s*$/

/** The agent never began, for want of a process that may be there again soon. */
export const couldNotFork = (exitCode: number | null, stderr: string): boolean =>
  exitCode !== null && exitCode !== 0 && unforked.test(stderr)

/** `wanted` where the host can give it; `auto` is the strongest. */
export const choose = (host: Host, wanted: Containment): Option.Option<Level> =>
  wanted === "auto"
    ? Option.some(host.level)
    : wanted === "group"
      ? Option.some("G")
      : host.level === "G"
        ? Option.none()
        : Option.some(host.level)

/** What a level promises, in words for people. */
export const describe = (level: Level): string =>
  level === "G"
    ? "process group: background processes that leave the group are found by their environment"
    : `kernel-bound (${level}): no process of an agent outlives it or us`
