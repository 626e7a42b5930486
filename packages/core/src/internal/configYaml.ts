/** A configuration in YAML 1.2, core schema: what JSON has and no more. Loaded only for a file that is YAML. */
import * as yaml from "yaml"
import { type Fault, maxDepth, type Node, type Reader, tooDeep } from "./configText.js"

const notAllowed = (what: string, suggestion: string, offset: number): Fault => ({
  broken: `${what} not allowed`,
  suggestion,
  offset
})

const collections: ReadonlySet<string> = new Set(["block-map", "block-seq", "flow-collection"])

/** The parser keeps a stack of its own and gives out a document when it is whole: the depth is known before anything recurses. */
function* tokens(text: string, deep: (offset: number) => void): Generator<yaml.CST.Token, void> {
  const parser = new yaml.Parser()
  for (const lexeme of new yaml.Lexer().lex(text)) {
    yield* parser.next(lexeme)
    if (parser.stack.length <= maxDepth) continue
    if (parser.stack.filter(({ type }) => collections.has(type)).length > maxDepth) return deep(parser.offset)
  }
  yield* parser.end()
}

export const readYaml: Reader = (text) => {
  let deep: number | undefined
  const composer = new yaml.Composer({
    version: "1.2",
    schema: "core",
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
    // Quadratic there; a key that stands twice is found with everything else that is wrong.
    uniqueKeys: false
  })
  const documents = [
    ...composer.compose(
      tokens(text, (offset) => {
        deep = offset
      }),
      true,
      text.length
    )
  ]
  if (deep !== undefined) return tooDeep(deep)
  const [first, second] = documents
  // What follows the first mistake is mostly an echo of it; a tag that is not known is a mistake too.
  const [mistake] = [...(first?.errors ?? []), ...(first?.warnings ?? [])]
  if (mistake !== undefined) return { broken: told(mistake), offset: mistake.pos[0] }
  if (second !== undefined) {
    return notAllowed("a second document is", "keep one, without --- between", second.range[0])
  }
  return toNode(first?.contents ?? null, 0)
}

const told = ({ code, message }: yaml.YAMLError): string =>
  code === "NON_STRING_KEY" ? "a key must be a text" : message.charAt(0).toLowerCase() + message.slice(1)

/** `at`: where an empty value stands. Stops at the first thing that is refused. */
const toNode = (node: yaml.ParsedNode | null, at: number): Node | Fault => {
  if (node === null) return { type: "null", offset: at, value: null }
  const offset = node.range[0]
  if (yaml.isAlias(node)) return notAllowed(`the alias *${node.source} is`, "write the value out", offset)
  if (yaml.isScalar(node)) return { type: "scalar", offset, value: node.value }
  const children: Array<Node> = []
  for (const item of node.items) {
    const child = yaml.isPair(item) ? toProperty(item, offset) : toNode(item, offset)
    if ("broken" in child) return child
    children.push(child)
  }
  return { type: yaml.isSeq(node) ? "array" : "object", offset, children }
}

const toProperty = (pair: yaml.Pair<yaml.ParsedNode, yaml.ParsedNode | null>, at: number): Node | Fault => {
  const key = toNode(pair.key, at)
  if ("broken" in key) return key
  if (key.value === "<<") return notAllowed("the merge key << is", "write the keys out", key.offset)
  const value = toNode(pair.value, key.offset)
  return "broken" in value ? value : { type: "property", offset: key.offset, children: [key, value] }
}
