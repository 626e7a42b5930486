/**
 * Where the kernel does not bind lifetimes, a shell in a session of its own outlives us just long enough to end the
 * groups that we leave behind, and everything that carries our marker.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { endingName } from "./marker.js"

const script = `trap '' TERM INT HUP
line='
'
groups=
while read -r op group folder; do
  rest=
  while read -r g f; do [ -z "$g" ] || [ "$g" = "$group" ] || rest="$rest$g $f$line"; done <<END
$groups
END
  groups=$rest
  [ "$op" = - ] || groups="$groups$group $folder$line"
done
[ "$groups" ] || exit
each() {
  while read -r g f; do [ -z "$g" ] || "$@"; done <<END
$groups
END
}
term() { [ -z "$f" ] || mkdir "$f/$mark"; kill -s TERM -- "-$g"; }
end() { kill -s KILL -- "-$g"; }
mark=$3
each term
sleep "$2"
each end
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

  /** In `folder` (absolute) it leaves the mark that we have begun to end the group, unless its name is of several lines. */
  watch(group: number, folder: string): void {
    this.shell ??= this.start()
    this.shell.stdin?.write(`+ ${group} ${folder.includes("\n") ? "" : folder}\n`)
  }

  forget(group: number): void {
    this.shell?.stdin?.write(`- ${group}\n`)
  }

  close(): void {
    this.shell?.stdin?.end()
  }

  private start(): ChildProcess {
    const shell = spawn(this.sh, ["-c", script, "reaper", this.entry, "1", endingName], {
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
