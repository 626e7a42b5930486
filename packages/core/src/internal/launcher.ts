/**
 * A small shell that forks on our behalf. Forking from a large process costs in proportion to its memory; from here it
 * costs the same whatever we hold. It survives nothing: at the end of our life its stdin ends, and so does it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"

/**
 * One line per job in: `id file`. Out: `S id pid` when it is forked, `X id code` when it has ended. The code also goes to
 * `file.exit`, which is there already: should we die first, the next start reads there how the agent ended.
 */
const script = `while read -r id file; do
  ( . "$file" & echo "S $id $!"; wait $!; code=$?; echo "$code" >"$file.exit"; echo "X $id $code" ) </dev/null &
done`

export interface LauncherEvents {
  readonly started: (pid: number) => void
  /** 0 to 255; 128 + n for death by signal n. */
  readonly exited: (code: number) => void
  readonly failed: (reason: string) => void
}

/**
 * The lifeline: every agent's guard reads a FIFO that only this process holds open for writing. However we die, the
 * kernel closes it. `file` is an existing FIFO; its name is not needed afterwards.
 */
export const openLifeline = (file: string): { readonly reader: number; readonly close: () => void } => {
  const writer = fs.openSync(file, fs.constants.O_RDWR)
  const reader = fs.openSync(file, fs.constants.O_RDONLY)
  fs.unlinkSync(file)
  return {
    reader,
    close: () => {
      fs.closeSync(writer)
      fs.closeSync(reader)
    }
  }
}

export class Launcher {
  private shell: ChildProcess | null = null
  private readonly jobs = new Map<string, LauncherEvents>()
  private readonly running = new Set<string>()
  private count = 0

  constructor(
    private readonly sh: string,
    private readonly lifeline: number
  ) {}

  /** Starts the job in `file`; a launcher that died is replaced, and the jobs of the old one still report. */
  launch(file: string, events: LauncherEvents): void {
    const id = `${++this.count}`
    this.jobs.set(id, events)
    const shell = this.shell ?? this.start()
    shell.stdin?.write(`${id} ${file}\n`)
  }

  close(): void {
    this.shell?.stdin?.end()
    this.shell = null
  }

  private start(): ChildProcess {
    const shell = spawn(this.sh, ["-c", script], {
      // Its own session: a Ctrl-C in the terminal is for us to translate.
      detached: true,
      env: {},
      stdio: ["pipe", "pipe", "ignore", this.lifeline]
    })
    let rest = ""
    shell.stdout?.setEncoding("latin1")
    shell.stdout?.on("data", (data: string) => {
      const lines = (rest + data).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) this.line(line)
    })
    shell.stdin?.on("error", () => undefined)
    const gone = (reason: string) => {
      if (this.shell === shell) this.shell = null
      // What runs still reports through its own waiter; what was not forked is lost, which shows when no word of it comes.
      const waiting = [...this.jobs].filter(([id]) => !this.running.has(id))
      setTimeout(() => {
        for (const [id, job] of waiting) {
          if (this.running.has(id) || !this.jobs.delete(id)) continue
          job.failed(reason)
        }
      }, 1000)
    }
    shell.on("error", (error) => gone(error.message))
    shell.on("exit", () => gone("the launcher ended"))
    this.shell = shell
    return shell
  }

  private line(line: string): void {
    const [kind, id, value] = line.split(" ")
    if (id === undefined || value === undefined) return
    const job = this.jobs.get(id)
    if (job === undefined) return
    if (kind === "S") {
      this.running.add(id)
      job.started(Number(value))
    } else if (kind === "X") {
      this.running.delete(id)
      this.jobs.delete(id)
      job.exited(Number(value))
    }
  }
}
