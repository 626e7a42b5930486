/**
 * Every snippet of the README and of docs/ does what it says: commands run as they stand, with the built command; files are
 * what they are taken for; code is checked and run against the built packages. Only the agent programs are not the real
 * ones: each replays a recording of itself.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { transformSync } from "esbuild"
import { describe, expect, it } from "vitest"
import { anchors, links, type Snippet, snippets } from "./snippets.js"
import { machine, root } from "./world.js"

const pages = ["README.md", ...fs.readdirSync(path.join(root, "docs")).map((name) => `docs/${name}`)]
  .filter((page) => page.endsWith(".md"))
  .map((page) => ({ page, file: path.join(root, page), found: snippets(path.join(root, page)) }))

const person = machine()

const isCode = ({ language }: Snippet): boolean => ["ts", "js"].includes(language)

describe.each(pages)("$page", ({ file, found, page }) => {
  const { home, run, work } = person(page.replaceAll(/\W/g, "-"))
  const place = (snippet: Snippet): string =>
    path.join(work, snippet.file ?? `snippet-${snippet.line}.${snippet.language}`)
  /** A path in the home of the page's reader, with what is in the block. */
  const write = (snippet: Snippet): string => {
    const target = place(snippet)
    expect(path.relative(home, target)).not.toMatch(/^\.\./)
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

  it("links to what there is", () => {
    for (const link of links(file)) {
      const [to = "", anchor] = link.split("#")
      const target = to === "" ? file : path.resolve(path.dirname(file), to)
      expect(fs.existsSync(target), link).toBe(true)
      if (anchor !== undefined) expect(anchors(target), link).toContain(anchor)
    }
  })

  let done = 0
  for (const snippet of found) {
    const { language, line, notRun } = snippet
    if (notRun === undefined) {
      it(`line ${line}: ${language} ${snippet.file ?? ""}`, async () => {
        const how = check[language]
        if (how === undefined) throw new Error(`nobody knows how to check ${language}: say "not run: why"`)
        await how(snippet)
        done++
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
      typeRoots: [path.join(root, "packages/core/node_modules/@types")],
      types: ["node"]
    }
    fs.writeFileSync(path.join(work, "tsconfig.json"), JSON.stringify({ compilerOptions, files: code.map(place) }))
    await run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", "."])
  })

  it(`runs every snippet of ${page}`, () => {
    expect(done).toBe(found.filter(({ notRun }) => notRun === undefined).length)
  })
})
