/**
 * The fenced blocks of a page, and what their first line says of them:
 *
 *     ```bash                 run, in the order of the page, in one folder with src and tests
 *     ```json agents.json     written to that file of the folder; so in every language
 *     ```ts                   checked against the types of the built packages, and run
 *     ```bash not run: why    left alone
 *     ```                     what one sees: no snippet
 */
import * as fs from "node:fs"

export interface Snippet {
  /** Of the fence, from 1. */
  readonly line: number
  readonly language: string
  /** Where it is to be written, if anywhere. */
  readonly file: string | undefined
  /** Why it is left alone, if it is. */
  readonly notRun: string | undefined
  readonly text: string
}

export const snippets = (page: string): ReadonlyArray<Snippet> => {
  const found: Array<Snippet> = []
  let open: { readonly line: number; readonly info: string; readonly lines: Array<string> } | undefined
  for (const [index, line] of fs.readFileSync(page, "utf8").split("\n").entries()) {
    if (open === undefined) {
      if (/^\s*(```|~~~)/.test(line)) open = { line: index + 1, info: line.trim().slice(3), lines: [] }
    } else if (line.trim() !== "```") open.lines.push(line)
    else {
      const [, language = "", rest = ""] = /^(\S*)\s*(.*)$/.exec(open.info) ?? []
      const notRun = /^not run: (.+)$/.exec(rest)?.[1]
      const file = notRun === undefined && rest !== "" ? rest : undefined
      if (language !== "") found.push({ line: open.line, language, file, notRun, text: `${open.lines.join("\n")}\n` })
      open = undefined
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block does not end`)
  return found
}

/** The targets of links to files and to headings, as they are written. */
export const links = (page: string): ReadonlyArray<string> =>
  [...fs.readFileSync(page, "utf8").matchAll(/\]\(([^)\s]+)\)/g)]
    .flatMap(([, target]) => target ?? [])
    .filter((target) => !/^[a-z]+:/.test(target))

/** The names under which the headings of a page can be linked to. */
export const anchors = (page: string): ReadonlyArray<string> =>
  [...fs.readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-")
  )
