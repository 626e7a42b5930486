/**
 * Every snippet of the README and of docs/ does what it says: commands run as they stand, with the built command; files are
 * what they are taken for; code is checked and run against the built packages. Only the agent programs are not the real
 * ones: each replays a recording of itself.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { transformSync } from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { anchors, links, type Snippet, snippets } from "./snippets.js"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-docs-")))
const bin = path.join(folder, "bin")
const pages = ["README.md", ...fs.readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)]
  .filter((page) => page.endsWith(".md"))
  .map((page) => ({ page, file: path.join(root, page), found: snippets(path.join(root, page)) }))

beforeAll(() => {
  fs.mkdirSync(bin)
  fs.symlinkSync(path.join(root, "packages/cli/dist/bin.cjs"), path.join(bin, "contextfs"))
  for (const program of ["claude", "codex", "gemini", "opencode"]) {
    const recording = path.join(root, "packages/fixtures/recordings", program, "mcp.out")
    const script = `#!/bin/sh\ncase "$*" in *--version*) echo 1.0.0; exit 0;; esac\ncat >/dev/null\nexec cat '${recording}'\n`
    fs.writeFileSync(path.join(bin, program), script, { mode: 0o755 })
  }
  // What a project has that installed our packages.
  const modules = path.join(folder, "node_modules")
  fs.mkdirSync(path.join(modules, "@contextfs"), { recursive: true })
  for (const name of ["core", "mcp", "memory", "roles", "testkit"]) {
    fs.symlinkSync(path.join(root, "packages", name), path.join(modules, "@contextfs", name))
  }
  fs.symlinkSync(path.join(root, "packages/core/node_modules/effect"), path.join(modules, "effect"))
  fs.symlinkSync(path.join(root, "packages/core/node_modules/@types"), path.join(modules, "@types"))
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const isCode = ({ language }: Snippet): boolean => ["ts", "js"].includes(language)

describe.each(pages)("$page", ({ file, found, page }) => {
  const home = path.join(folder, page.replaceAll(/\W/g, "-"))
  const work = path.join(home, "project")
  /** What was printed; rejects where the program fails. Never blocks, or vitest loses touch with this process. */
  const run = (program: string, args: ReadonlyArray<string>, input = "") =>
    new Promise<string>((resolve, reject) => {
      const env = { HOME: home, PATH: `${bin}:${process.env["PATH"]}`, LANG: "C.UTF-8" }
      const child = spawn(program, args, { cwd: work, env, stdio: "pipe" })
      let printed = ""
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          printed += text
        })
      }
      child.stdin.on("error", () => undefined)
      child.stdin.end(input)
      child.on("error", reject)
      child.on("close", (code, signal) => {
        if (code === 0) resolve(printed)
        else reject(new Error(`${[program, ...args].join(" ")} ended with ${code ?? signal}:\n${printed}`))
      })
    })
  const place = (snippet: Snippet): string =>
    path.join(work, snippet.file ?? `snippet-${snippet.line}.${snippet.language}`)
  /** A path in the folder of the page, with what is in the block. */
  const write = (snippet: Snippet): string => {
    const target = place(snippet)
    expect(path.relative(work, target)).not.toMatch(/^\.\./)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.writeFileSync(target, snippet.text, { mode: snippet.language === "bash" ? 0o755 : 0o644 })
    return target
  }

  const check: Readonly<Record<string, (snippet: Snippet) => Promise<unknown>>> = {
    bash: (snippet) =>
      snippet.file === undefined
        ? run("bash", ["-euo", "pipefail"], snippet.text)
        : run("bash", ["-n", write(snippet)]),
    ts: async (snippet) => {
      const built = write(snippet).replace(/\.ts$/, ".js")
      fs.writeFileSync(built, transformSync(snippet.text, { loader: "ts", target: "node20" }).code)
      if (snippet.file === undefined) await run(process.execPath, [built])
    },
    js: async (snippet) => {
      const target = write(snippet)
      await run(process.execPath, ["--check", target])
      if (snippet.file === undefined) await run(process.execPath, [target])
    },
    json: async (snippet) => {
      JSON.parse(snippet.text)
      await configuration(snippet)
    },
    jsonc: (snippet) => configuration(snippet),
    yaml: async (snippet) => {
      await configuration(snippet)
      // Of a workflow, the steps that are ours.
      for (const [, line = ""] of snippet.text.matchAll(/^\s*- run: (contextfs .+)$/gm))
        await run("bash", ["-euc", line])
    },
    markdown: async (snippet) => write(snippet)
  }
  /** Every agent of a configuration can be prepared; nothing is started. */
  const configuration = async (snippet: Snippet): Promise<void> => {
    const target = write(snippet)
    if (/\brole\b/.test(snippet.text)) await run("contextfs", ["orchestrator", "run", target, "--dry-run"])
  }

  beforeAll(() => fs.mkdirSync(work, { recursive: true }))

  it("links to what there is", () => {
    for (const link of links(file)) {
      const [to = "", anchor] = link.split("#")
      const target = to === "" ? file : path.resolve(path.dirname(file), to)
      expect(fs.existsSync(target), link).toBe(true)
      if (anchor !== undefined) expect(anchors(target), link).toContain(anchor)
    }
  })

  for (const snippet of found) {
    const { language, line, notRun } = snippet
    if (notRun === undefined) {
      it(`line ${line}: ${language} ${snippet.file ?? ""}`, async () => {
        const how = check[language]
        if (how === undefined) throw new Error(`nobody knows how to check ${language}: say "not run: why"`)
        await how(snippet)
      })
    } else console.log(`${page}:${line}: not run: ${notRun}`)
  }

  const code = found.filter((snippet) => isCode(snippet) && snippet.notRun === undefined)
  it.runIf(code.length > 0)("is right in its types", async () => {
    const compilerOptions = {
      allowJs: true,
      lib: ["ES2023", "ESNext.Disposable"],
      module: "NodeNext",
      noEmit: true,
      skipLibCheck: true,
      strict: true,
      target: "ES2023",
      types: ["node"]
    }
    fs.writeFileSync(path.join(work, "tsconfig.json"), JSON.stringify({ compilerOptions, files: code.map(place) }))
    await run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "."])
  })
})
