/** The command as people have it: the built file, run by plain node, in a home and a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"

export const bin = fileURLToPath(new URL("../dist/bin.cjs", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Resolves once stdout and stderr together hold this text; rejects when the command ends without it. */
  readonly seen: (text: string, times?: number) => Promise<void>
  readonly ended: Promise<Ended>
}

export interface Options {
  readonly env?: Readonly<Record<string, string>>
  /** All of stdin; null: it stays open. Default empty. */
  readonly input?: string | null
  /** Options of node itself. */
  readonly node?: ReadonlyArray<string>
}

export interface Home {
  readonly root: string
  readonly dataDir: string
  /** Where commands are run. */
  readonly work: string
  readonly env: Readonly<Record<string, string>>
  readonly file: (name: string, content: unknown) => string
  readonly start: (args: ReadonlyArray<string>, options?: Options) => Running
  readonly contextfs: (args: ReadonlyArray<string>, options?: Options) => Promise<Ended>
}

/** Makes homes in one folder, which is gone after the tests of the file; they share one code cache. */
export const homes = (): (() => Home) => {
  const all = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-cli-")))
  const running = new Set<ChildProcess>()
  afterAll(() => {
    for (const child of running) child.kill("SIGKILL")
    fs.rmSync(all, { recursive: true, force: true })
  })
  let count = 0
  return () => {
    const root = path.join(all, `h${++count}`)
    const work = path.join(root, "work")
    fs.mkdirSync(work, { recursive: true })
    const dataDir = path.join(root, "data")
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: root,
      XDG_CACHE_HOME: path.join(all, "cache"),
      CONTEXTFS_DATA_DIR: dataDir
    }
    const start = (args: ReadonlyArray<string>, options: Options = {}): Running => {
      const child = spawn(process.execPath, [...(options.node ?? []), bin, ...args], {
        cwd: work,
        env: { ...env, ...options.env },
        stdio: "pipe"
      })
      running.add(child)
      const texts = { stdout: "", stderr: "" }
      const waiting = new Set<() => void>()
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (chunk: string) => {
          texts[name] += chunk
          for (const look of waiting) look()
        })
      }
      child.stdin.on("error", () => undefined)
      if (options.input !== null) child.stdin.end(options.input ?? "")
      const ended = new Promise<Ended>((resolve) =>
        child.on("close", (code, signal) => {
          running.delete(child)
          resolve({ code, signal, ...texts })
        })
      )
      const seen = (text: string, times = 1) =>
        new Promise<void>((resolve, reject) => {
          const look = () => {
            if ((texts.stdout + texts.stderr).split(text).length > times) resolve()
          }
          waiting.add(look)
          look()
          ended.then(({ stderr, stdout }) => reject(new Error(`ended without ${text}:\n${stdout}${stderr}`)))
        })
      return { child, seen, ended }
    }
    return {
      root,
      work,
      dataDir,
      env,
      start,
      contextfs: (args, options) => start(args, options).ended,
      file: (name, content) => {
        const file = path.join(work, name)
        fs.mkdirSync(path.dirname(file), { recursive: true })
        fs.writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content))
        return file
      }
    }
  }
}

/** The one JSON document that a stdout is; anything beside it is an error. */
export const document = (stdout: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(stdout)
  if (!isRecord(value)) throw new Error(`not an object: ${stdout.slice(0, 200)}`)
  return value
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value at a path of keys; undefined where there is none. */
export const at = (value: unknown, ...keys: ReadonlyArray<string | number>): unknown =>
  keys.reduce<unknown>((inner, key) => {
    if (Array.isArray(inner) && typeof key === "number") return inner[key]
    return isRecord(inner) ? inner[key] : undefined
  }, value)

/** Every control character but line feed, every bidirectional and every invisible one: what must never reach a terminal. */
export const harmful =
  /[^\P{Cc}\n]|\p{Bidi_C}|[\u2028\u2029]|(?![\u200d\ufe0f])\p{DI}|(?<!\p{ExtPict}|\p{EMod}|\ufe0f)\u200d|(?<!\p{Emoji})\ufe0f/u

/** The same numbers for the same seed: a generator for property tests (mulberry32). */
export const random = (seed: number) => {
  const next = (): number => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (count: number): number => Math.floor(next() * count)
  const pick = <A>(from: readonly [A, ...Array<A>]): A => from[below(from.length)] ?? from[0]
  return { below, pick }
}

const pieces = [
  "\u001b[2J",
  "\u001b]52;c;ZXZpbA==\u0007",
  "\u001b]52;c;ZXZpbA==\u001b\\",
  "\u001b]0;a title\u0007",
  "\u001b]8;;http://127.0.0.1\u0007link",
  "\u001bP1;2q~\u001b\\",
  "\u001b_apc\u001b\\",
  "\u001b[",
  "\u001b]52;c;open",
  "\u009b31m",
  "\u009d52;c;ZXZpbA==\u009c",
  "\r",
  "\n",
  "\t",
  "\b\b",
  "\u0007",
  "\u0000",
  "\u007f",
  "\u000b\u000c\u000e\u000f",
  "\u202e",
  "\u2066",
  "\u200f",
  "\u2028",
  "\ufeff",
  "\u200b",
  "\u200d",
  "\ufe0f",
  "\u00ad",
  "\u3164",
  "\u{e0101}",
  "\u{e0041}",
  "\ud800",
  "plain text",
  "日本語",
  "👩‍💻",
  "e\u0301",
  "%s",
  "\\u001b",
  " "
] as const

/** A text of a few pieces, most of them evil. */
export const evil = ({ below, pick }: ReturnType<typeof random>): string =>
  Array.from({ length: 1 + below(8) }, () => pick([...pieces])).join("")
