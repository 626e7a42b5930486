/** Compiles the package, and puts the compiled fixtures inside it, so that nothing that is published needs them. */
import { execFileSync } from "node:child_process"
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import path from "node:path"
import { fileURLToPath } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)
const dist = path.join(here, "dist")
const fixtures = path.join(path.dirname(require.resolve("@contextfs/fixtures/package.json")), "dist")
// Its own `dist` again: the modules find the scripted agent's program by that path.
const inside = path.join(dist, "internal/fixtures/dist")

execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", path.join(here, "tsconfig.build.json")], {
  stdio: "inherit"
})

const wanted = /^(?:(?:Census|ModelServer|Scenario|scriptedAgent)\.|internal\b|modelServer\b)/
cpSync(fixtures, inside, {
  recursive: true,
  filter: (source) => {
    const name = path.relative(fixtures, source)
    return name === "" || (wanted.test(name) && !name.endsWith(".map"))
  }
})

const rewrite = (folder, change) => {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(?:js|d\.ts)$/.test(entry.name)) continue
    const file = path.join(entry.parentPath ?? entry.path, entry.name)
    writeFileSync(file, change(readFileSync(file, "utf8"), path.dirname(file)))
  }
}
rewrite(inside, (text) => text.replace(/\n\/\/# sourceMappingURL=.*/g, ""))
rewrite(dist, (text, folder) =>
  text.replace(/"@contextfs\/fixtures\/(\w+)"/g, (_, name) => {
    const relative = path.relative(folder, path.join(inside, `${name}.js`))
    return JSON.stringify(relative.startsWith(".") ? relative : `./${relative}`)
  })
)
