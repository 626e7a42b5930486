/** From the text of a configuration to a value, with a place for every part of it. Here JSON with comments; YAML beside. */
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

/** What a reader makes of a text, whatever its format. The children of an object are properties, of a property key and value. */
export interface Node {
  readonly type: string
  readonly offset: number
  readonly value?: unknown
  readonly children?: ReadonlyArray<Node>
}

/** Why a text is not readable at all, and where. */
export interface Fault {
  readonly broken: string
  readonly suggestion?: string
  readonly offset: number
}

/** A text neither empty nor over the limit, to its tree; checks the depth first, because all that follows recurses. */
export type Reader = (text: string) => Node | Fault

export const tooDeep = (offset: number): Fault => ({ broken: `nested more than ${maxDepth} levels deep`, offset })

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

/** Where nesting first goes beyond the limit. */
const depthExceeded = (text: string): number | undefined => {
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

export const readJson: Reader = (text) => {
  const deep = depthExceeded(text)
  if (deep !== undefined) return tooDeep(deep)
  const errors: Array<jsonc.ParseError> = []
  const root = jsonc.parseTree(text, errors, { allowTrailingComma: true })
  // What follows the first mistake is mostly an echo of it.
  const first = errors[0]
  if (first === undefined && root !== undefined) return root
  const name = first === undefined ? "ValueExpected" : jsonc.printParseErrorCode(first.error)
  return {
    broken: syntax[name] ?? name,
    offset: first?.offset ?? 0,
    ...(/^\s*[[{/]/.test(text) ? {} : { suggestion: "a file in YAML has a name that ends in .yaml" })
  }
}

export const parse = (source: string, read: Reader): Parsed | Broken => {
  const text = source.startsWith("\ufeff") ? source.slice(1) : source
  if (text.length > maxBytes || Buffer.byteLength(text) > maxBytes) {
    return { broken: `the file is larger than ${maxBytes / 1024 / 1024} MiB`, at: { line: 1, column: 1 } }
  }
  if (text.trim() === "") {
    return { broken: "the file is empty", suggestion: "make one with init-config", at: { line: 1, column: 1 } }
  }
  const at = placer(text)
  const root = read(text)
  if ("broken" in root) {
    const { offset, ...fault } = root
    return { ...fault, at: at(offset) }
  }
  const problems: Array<Problem> = []
  const value = toValue(root, [], problems)
  const known = new Map<Node, ReadonlyMap<unknown, Node>>()
  const properties = (node: Node) => {
    const found = known.get(node) ?? propertiesOf(node)
    known.set(node, found)
    return found
  }
  return { value, problems, place: (path, atKey) => at(offsetOf(root, path, atKey === true, properties)) }
}

/** A fresh value; a key twice or one that would reach an object's prototype is a problem. */
const toValue = (node: Node, path: Path, problems: Array<Problem>): unknown => {
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

/** By key; of one that stands there twice the second, which is the surprise. */
const propertiesOf = ({ children = [], type }: Node): ReadonlyMap<unknown, Node> =>
  new Map(type === "object" ? children.map((property) => [property.children?.[0]?.value, property]) : [])

/** The offset of the value (or key) at a path; of the nearest thing around it where it is not there. */
const offsetOf = (
  root: Node,
  path: Path,
  atKey: boolean,
  properties: (node: Node) => ReadonlyMap<unknown, Node>
): number => {
  let node = root
  for (const [index, part] of path.entries()) {
    const last = index === path.length - 1
    if (typeof part === "number") {
      const child = node.type === "array" ? node.children?.[part] : undefined
      if (child === undefined) return node.offset
      node = child
    } else {
      const property: Node | undefined = properties(node).get(part)
      const child = property?.children?.[1]
      if (property === undefined || child === undefined) return node.offset
      if (last && atKey) return property.offset
      node = child
    }
  }
  return node.offset
}
