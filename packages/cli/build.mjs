/** Bundles the command: a tiny front, the main part, and parts that are loaded when a command needs them. */
import { chmodSync, readFileSync, rmSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const here = path.dirname(fileURLToPath(import.meta.url))
const dist = path.join(here, "dist")
const { version } = JSON.parse(readFileSync(path.join(here, "package.json"), "utf8"))
rmSync(dist, { recursive: true, force: true })

/** What loads the user's modules: it stays a file of its own, for in a script from the code cache there is no import(). */
const importer = "program/importModule"
const importerBeside = {
  name: "importer-beside",
  resolveId: (source, from) =>
    from !== undefined && source.endsWith("/importModule.js") ? { id: `./${importer}.cjs`, external: true } : null
}

/** `mainFile`: what the front loads. */
const bundle = async (input, output, mainFile = "") => {
  const built = await rolldown({
    input,
    cwd: here,
    platform: "node",
    tsconfig: false,
    external: ["better-sqlite3"],
    plugins: [importerBeside],
    transform: { define: { __VERSION__: JSON.stringify(version), __MAIN__: JSON.stringify(mainFile) } },
    // jsonc-parser: its main file cannot be bundled, its module can.
    resolve: { conditionNames: ["@contextfs/source", "node", "import", "default"], mainFields: ["module", "main"] },
    onLog: (level, log, handler) => {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
      handler(level, log)
    }
  })
  const { output: files } = await built.write({ dir: dist, ...output })
  await built.close()
  return files
}

// What is loaded later is required, for the same reason.
const cjs = {
  format: "cjs",
  dynamicImportInCjs: false,
  minify: true,
  chunkFileNames: "[name]-[hash].cjs",
  exports: "named"
}
const [main] = await bundle({ main: "src/main.ts" }, { ...cjs, entryFileNames: "main-[hash].cjs" })

const front = { ...cjs, entryFileNames: "bin.cjs", banner: "#!/usr/bin/env node" }
await bundle({ bin: "src/front.ts" }, front, main.fileName)
chmodSync(path.join(dist, "bin.cjs"), 0o755)

await bundle(
  { [importer]: "@contextfs/memory/importModule" },
  { ...cjs, dynamicImportInCjs: true, entryFileNames: "[name].cjs" }
)

// Programs that agents start: each whole in one file, beside the bundle.
const programs = { "program/bridge": "@contextfs/mcp/program/bridge", mockAgent: "@contextfs/core/mockAgent" }
for (const [name, input] of Object.entries(programs)) {
  await bundle({ [name]: input }, { format: "esm", entryFileNames: "[name].js", codeSplitting: false })
}
