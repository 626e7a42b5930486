/** A folder that shows a folder of the user's through links, with some files of its own. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as PrivateFiles from "@contextfs/memory/PrivateFiles"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import type { Overlay } from "../ToolAdapter.js"
import * as outputFiles from "./outputFiles.js"

/** Made now, gone with the scope; links are never followed on the way out. Fails with one line that says why. */
export const make = (folder: string, overlay: Overlay): Effect.Effect<void, string, Scope> => {
  const at = path.join(folder, overlay.at)
  return Effect.acquireRelease(
    Effect.try({
      try: () => build(at, overlay),
      catch: (cause) => `cannot show ${overlay.of} to the agent: ${cause instanceof Error ? cause.message : cause}`
    }),
    () => Effect.sync(() => outputFiles.remove(at))
  )
}

const build = (at: string, { of, only, folders = [], files = {} }: Overlay): void => {
  PrivateFiles.folder(path.dirname(at), path.basename(at))
  for (const name of folders) makeIfPossible(path.join(of, name))
  const present = fs.existsSync(of) ? fs.readdirSync(of) : []
  for (const name of present) {
    if (Object.hasOwn(files, name) || only?.includes(name) === false) continue
    fs.symlinkSync(path.join(of, name), path.join(at, name))
  }
  for (const [name, make] of Object.entries(files)) {
    const own = present.includes(name) ? fs.readFileSync(path.join(of, name), "utf8") : undefined
    PrivateFiles.write(path.join(at, name), make(own))
  }
}

/** Where the user's folder cannot be written, what the program keeps lies in the attempt's folder and goes with it. */
const makeIfPossible = (folder: string): void => {
  try {
    PrivateFiles.makeFolder(folder)
  } catch {
    return
  }
}
