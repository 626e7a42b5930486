/** A HOME of its own, folders to work in, and `contextfs` run in them as some person; then what is left of it. */
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { delimiter, dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { killAll, waitForNone } from "../../../packages/fixtures/src/Census.js"
import type { Person } from "./people.js"
import type { Program } from "./programs.js"
import { worlds } from "./settings.js"

const contextfs = fileURLToPath(new URL("../../../packages/cli/dist/bin.cjs", import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface World {
  readonly folder: string
  readonly home: string
  /** Every process of this world has it in its environment: `HOME=…`. */
  readonly mark: string
  /** Makes an empty folder for an agent to work in. */
  readonly directory: (name: string) => Promise<string>
  /** Writes `<folder>/<name>`, owned by the person; returns its path. */
  readonly file: (name: string, content: string) => Promise<string>
  /** Gives everything in the folder to the person. */
  readonly handOver: () => Promise<void>
  /** Its standard input stays open and silent, as under many a supervisor. */
  readonly contextfs: (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) => Promise<Ended>
  /** Any program as the person, in the folder, with nothing on standard input. */
  readonly start: (
    file: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>>,
    place?: { readonly cwd: string; readonly input: string }
  ) => Promise<Ended>
  /** Paths in HOME that are neither our data or cache folder nor the program's own, and settings of the program with our server in them. */
  readonly strangers: (program: Program) => Promise<ReadonlyArray<string>>
  /** Whatever lies in the agents' folders and in the temporary folder. */
  readonly litter: () => Promise<ReadonlyArray<string>>
  /** Waits until no process is left; rejects with their names. */
  readonly quiet: () => Promise<number>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export const makeWorld = async (person: Person): Promise<World> => {
  const folder = await mkdtemp(join(worlds, "cfs-"))
  await chmod(folder, 0o755)
  const home = join(folder, `home-${randomBytes(4).toString("hex")}`)
  const temporary = join(folder, "tmp")
  const work = join(folder, "work")
  for (const each of [home, temporary, work]) await mkdir(each)
  const mark = `HOME=${home}`

  const handOver = async (): Promise<void> => {
    for (const path of [folder, ...(await everything(folder))]) await own(path)
  }
  const own = async (path: string): Promise<void> => {
    const { uid, gid } = await lstat(path)
    if (uid !== person.uid || gid !== person.gid) await chown(path, person.uid, person.gid)
  }
  await handOver()

  /** Input null: an open pipe on which nothing comes. */
  const launch = (
    file: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>>,
    cwd: string,
    input: string | null
  ): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        cwd,
        uid: person.uid,
        gid: person.gid,
        env: {
          PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
          HOME: home,
          TMPDIR: temporary,
          CONTEXTFS_DATA_DIR: join(home, ".contextfs"),
          ...env
        }
      })
      const output = { stdout: "", stderr: "" }
      for (const name of ["stdout", "stderr"] as const) {
        child[name].setEncoding("utf8").on("data", (text: string) => {
          output[name] += text
        })
      }
      // A program that ends without reading its input is judged by how it ends.
      child.stdin.on("error", () => undefined)
      if (input !== null) child.stdin.end(input)
      child.once("error", reject)
      child.once("close", (code) => resolve({ code, ...output }))
    })

  return {
    folder,
    home,
    mark,
    handOver,
    directory: async (name) => {
      const path = join(work, name)
      await mkdir(path, { recursive: true })
      await own(path)
      return path
    },
    file: async (name, content) => {
      const path = join(folder, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, content)
      await own(path)
      return path
    },
    contextfs: (args, env = {}) => launch(process.execPath, [contextfs, ...args], env, folder, null),
    start: (file, args, env, place) => launch(file, args, env, place?.cwd ?? folder, place?.input ?? ""),
    strangers: async (program) => {
      const shared = new Set([".cache", ".config", ".local", ".local/share", ".local/state"])
      const ours = new Set([".contextfs", ".cache/contextfs"])
      const looked = await Promise.all(["", ...shared].map((parent) => children(home, parent)))
      const strange = looked.flat().filter((path) => !shared.has(path) && !ours.has(path) && !program.own.test(path))
      const settings = await Promise.all(
        program.settingsFiles.map(
          async (name) => [name, await readFile(join(home, name), "utf8").catch(() => "")] as const
        )
      )
      return [...strange, ...settings.flatMap(([name, text]) => (/[".]contextfs["\]]/.test(text) ? [name] : []))]
    },
    litter: async () => {
      const inside = async (path: string) => (await everything(path)).map((found) => relative(folder, found))
      const folders = await readdir(work)
      const found = await Promise.all([temporary, ...folders.map((name) => join(work, name))].map(inside))
      return found.flat()
    },
    quiet: () => waitForNone({ env: mark }, 3_000),
    [Symbol.asyncDispose]: async () => {
      await killAll({ env: mark })
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

const children = async (home: string, parent: string): Promise<ReadonlyArray<string>> =>
  (await readdir(join(home, parent)).catch(() => [])).map((name) => join(parent, name))

const everything = async (path: string): Promise<ReadonlyArray<string>> =>
  (await readdir(path, { recursive: true })).map((name) => join(path, name))
