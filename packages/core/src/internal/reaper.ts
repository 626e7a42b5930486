/**
 * Where the kernel does not bind lifetimes, a shell in a session of its own outlives us just long enough to end the
 * groups that we leave behind, and everything that carries our marker.
 */
import { type ChildProcess, spawn } from "node:child_process"

const script = `trap '' TERM INT HUP
groups=' '
while read -r op; do
  group=\${op#?}
  case $op in
    +*) groups="$groups$group " ;;
    -*) rest=' '; for g in $groups; do [ "$g" = "$group" ] || rest="$rest$g "; done; groups=$rest ;;
  esac
done
[ "$groups" = ' ' ] && exit
for g in $groups; do kill -s TERM -- "-$g"; done
sleep "$2"
for g in $groups; do kill -s KILL -- "-$g"; done
for round in 1 2 3 4; do
  found=
  for environ in $(grep -lsz "^$1" /proc/[0-9]*/environ); do
    pid=\${environ#/proc/}
    kill -s KILL "\${pid%/environ}" && found=1
  done
  [ "$found" ] || break
done`

export class Reaper {
  private shell: ChildProcess | null = null

  constructor(
    private readonly sh: string,
    private readonly path: string,
    /** Start of the environment entry that all our agents carry: `NAME=value`. */
    private readonly entry: string
  ) {}

  watch(group: number): void {
    this.shell ??= this.start()
    this.shell.stdin?.write(`+${group}\n`)
  }

  forget(group: number): void {
    this.shell?.stdin?.write(`-${group}\n`)
  }

  close(): void {
    this.shell?.stdin?.end()
  }

  private start(): ChildProcess {
    const shell = spawn(this.sh, ["-c", script, "reaper", this.entry, "1"], {
      detached: true,
      env: { PATH: this.path },
      stdio: ["pipe", "ignore", "ignore"]
    })
    shell.stdin?.on("error", () => undefined)
    shell.on("error", () => undefined)
    shell.unref()
    return shell
  }
}
