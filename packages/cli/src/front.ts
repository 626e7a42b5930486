/**
 * The file that is executed: answers `--version` and, where nobody has written a role, the listing of roles by itself, else loads the main part with a code cache, so that V8 need
 * not compile it again. Every failure of the cache is silent: then it is loaded as usual.
 */
import fs from "node:fs"
import Module from "node:module"
import path from "node:path"
import vm from "node:vm"
import { dataDir } from "@contextfs/memory/Namespace"
import { builtIn } from "@contextfs/roles/builtIn"
import { hasRoleFiles } from "@contextfs/roles/folders"
import { rolesText } from "./internal/rolesText.js"

declare const __VERSION__: string
declare const __MAIN__: string
declare global {
  namespace NodeJS {
    interface Module {
      _compile(content: string, filename: string): unknown
    }
  }
}

const words = process.argv.slice(2).join(" ")
if (words === "--version") process.stdout.write(`${__VERSION__}\n`)
else if (words === "orchestrator roles" && !writtenRoles()) process.stdout.write(rolesText(builtIn))
else {
  useCodeCache()
  Module.createRequire(__filename)(path.join(__dirname, __MAIN__))
}

function writtenRoles(): boolean {
  const home = process.env["HOME"]
  return hasRoleFiles({ dataDir: dataDir(process.env, home ?? ""), directory: process.cwd(), home })
}

/** The names of our files carry a hash of their content, so that a cached file never goes stale. */
function useCodeCache(): void {
  const home = process.env["HOME"] ?? ""
  const base = process.env["XDG_CACHE_HOME"] ?? (home === "" ? "" : path.join(home, ".cache"))
  if (!path.isAbsolute(base)) return
  const folder = path.join(base, "contextfs")
  const fileOf = (name: string) => path.join(folder, `${name}-${process.version}-${process.arch}.cache`)
  const fresh = new Map<string, vm.Script>()
  const compile = Module.prototype._compile
  Module.prototype._compile = function (content, filename) {
    if (path.dirname(filename) !== __dirname) return compile.call(this, content, filename)
    const name = path.basename(filename)
    const cachedData = read(fileOf(name))
    const script = new vm.Script(Module.wrap(content), {
      filename,
      ...(cachedData === undefined ? {} : { cachedData })
    })
    if (cachedData === undefined || script.cachedDataRejected === true) fresh.set(name, script)
    const run = script.runInThisContext()
    return run.call(this.exports, this.exports, Module.createRequire(filename), this, filename, __dirname)
  }
  process.on("exit", () => {
    if (fresh.size === 0) return
    try {
      // Not recursively: below /proc that never comes back.
      for (const each of [base, folder]) if (!fs.existsSync(each)) fs.mkdirSync(each, { mode: 0o700 })
      for (const [name, script] of fresh) write(fileOf(name), script.createCachedData())
    } catch {
      // Without a cache the next start is slower, no more.
    }
  })
}

/** Only what the user alone could have written: a code cache is code. */
function read(file: string): Buffer | undefined {
  try {
    const descriptor = fs.openSync(file, "r")
    try {
      const { mode, uid } = fs.fstatSync(descriptor)
      return uid === process.getuid?.() && (mode & 0o022) === 0 ? fs.readFileSync(descriptor) : undefined
    } finally {
      fs.closeSync(descriptor)
    }
  } catch {
    return undefined
  }
}

function write(file: string, data: Buffer): void {
  const draft = `${file}.${process.pid}`
  fs.writeFileSync(draft, data, { mode: 0o600, flag: "wx" })
  fs.renameSync(draft, file)
}
