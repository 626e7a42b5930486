/** From the text of a configuration to a value, with a place for every part of it. JSON with comments. */
import * as jsonc from "jsonc-parser"
import type { Path, Problem } from "./configIssue.js"

export const maxBytes = 8 * 1024 * 1024
export const maxDepth = 32
const forbidden: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"])

export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
}

export interface Parsed {
  readonly value: unknown
  readonly problems: ReadonlyArray<Problem>
  readonly place: (path: Path, atKey?: boolean) => Place
}

export interface Broken {
  readonly broken: string
  readonly suggestion?: string
  readonly at: Place
}

const syntax: Readonly<Record<string, string>> = {
  InvalidSymbol: "this is no JSON value",
  InvalidNumberFormat: "this is no number",
  PropertyNameExpected: "the name of a key in double quotes is missing here",
  ValueExpected: "a value is missing here",
  ColonExpected: "a colon is missing here",
  CommaExpected: "a comma is missing here",
  CloseBraceExpected: "the file ends inside an object: } is missing",
  CloseBracketExpected: "the file ends inside a list: ] is missing",
  EndOfFileExpected: "there is more after the end of the configuration",
  InvalidCommentToken: "this is no comment",
  UnexpectedEndOfComment: "a comment is not closed",
  UnexpectedEndOfString: "a text is not closed",
  UnexpectedEndOfNumber: "a number is cut off",
  InvalidUnicode: "this \\u escape is wrong",
  InvalidEscapeCharacter: "this escape is wrong",
  InvalidCharacter: "this character may not stand here"
}

const placer = (text: string): ((offset: number) => Place) => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

/** Where nesting first goes beyond the limit; the parser below recurses, so this comes first. */
const tooDeep = (text: string): number | undefined => {
  const scanner = jsonc.createScanner(text, true)
  let depth = 0
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const first = text[scanner.getTokenOffset()]
    if (first === "{" || first === "[") depth += 1
    if (first === "}" || first === "]") depth -= 1
    if (depth > maxDepth) return scanner.getTokenOffset()
  }
  return undefined
}

export const parse = (source: string): Parsed | Broken => {
  const text = source.startsWith("\ufeff") ? source.slice(1) : source
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) {
    return { broken: `the file is larger than ${maxBytes / 1024 / 1024} MiB`, at: { line: 1, column: 1 } }
  }
  if (text.trim() === "") {
    return { broken: "the file is empty", suggestion: "make one with init-config", at: { line: 1, column: 1 } }
  }
  const at = placer(text)
  const deep = tooDeep(text)
  if (deep !== undefined) return { broken: `nested more than ${maxDepth} levels deep`, at: at(deep) }
  const errors: Array<jsonc.ParseError> = []
  const root = jsonc.parseTree(text, errors, { allowTrailingComma: true })
  // What follows the first mistake is mostly an echo of it.
  const first = errors[0]
  if (first !== undefined || root === undefined) {
    const name = first === undefined ? "ValueExpected" : jsonc.printParseErrorCode(first.error)
    return { broken: syntax[name] ?? name, at: at(first?.offset ?? 0) }
  }
  const problems: Array<Problem> = []
  const value = toValue(root, [], problems)
  return { value, problems, place: (path, atKey) => at(offsetOf(root, path, atKey === true)) }
}

/** A fresh value; a key twice or one that would reach an object's prototype is a problem. */
const toValue = (node: jsonc.Node, path: Path, problems: Array<Problem>): unknown => {
  if (node.type === "array") {
    return (node.children ?? []).map((child, index) => toValue(child, [...path, index], problems))
  }
  if (node.type !== "object") return node.value
  const entries = new Map<string, unknown>()
  for (const property of node.children ?? []) {
    const key: unknown = property.children?.[0]?.value
    const child = property.children?.[1]
    if (typeof key !== "string" || child === undefined) continue
    const here = [...path, key]
    if (forbidden.has(key)) problems.push({ path: here, message: `the key "${key}" is not allowed`, atKey: true })
    else {
      if (entries.has(key)) problems.push({ path: here, message: `the key "${key}" stands here twice`, atKey: true })
      entries.set(key, toValue(child, here, problems))
    }
  }
  return Object.fromEntries(entries)
}

/** The offset of the value (or key) at a path; of the nearest thing around it where it is not there. */
const offsetOf = (root: jsonc.Node, path: Path, atKey: boolean): number => {
  let node = root
  for (const [index, part] of path.entries()) {
    const last = index === path.length - 1
    if (typeof part === "number") {
      const child = node.type === "array" ? node.children?.[part] : undefined
      if (child === undefined) return node.offset
      node = child
    } else {
      // The last of several: of a key that stands there twice, the second is the surprise.
      const property =
        node.type === "object" ? node.children?.findLast((child) => child.children?.[0]?.value === part) : undefined
      const child = property?.children?.[1]
      if (property === undefined || child === undefined) return node.offset
      if (last && atKey) return property.offset
      node = child
    }
  }
  return node.offset
}
