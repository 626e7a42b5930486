import * as path from "node:path"
import { memoryTypes } from "@contextfs/memory/vocabulary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Yaml from "yaml"
import { Permission, Role } from "../Role.js"
import { type Issue, RoleFileError } from "../RoleError.js"

export const maxBytes = 256 * 1024
export const maxFrontBytes = 16 * 1024
/** The YAML parser recurses. */
const maxDepth = 8

type Path = ReadonlyArray<string | number>

interface Problem {
  readonly path: Path
  readonly message: string
  readonly suggestion?: string | undefined
  /** Point at the name of the key rather than at its value. */
  readonly atKey?: boolean
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? `${value}`
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

const expected = (what: string) => ({
  message: (issue: ParseResult.ParseIssue) => `expected ${what}, got ${show(issue.actual)}`
})

/** Of one of many words: not every single one is told. */
const oneOf = (words: ReadonlyArray<string>) => ({
  message: ({ actual }: ParseResult.ParseIssue) => ({
    message: `expected one of ${words.join(", ")}, got ${show(actual)}`,
    override: true
  })
})

const Text = Schema.String.annotations(expected("a text")).pipe(
  Schema.filter((text) => /\S/.test(text) && !/[\r\n]/.test(text.trim()), expected("a text of one line"))
)
/** `test failures as error`. */
const saveText = /^(.*\S)\s+as\s+(\S+)$/s
const isType = (text: string) => memoryTypes.some((type) => type === text)
const saveHint = `what, the word as, and a type such as fact, decision, code, error or doc`
const SaveText = Schema.String.pipe(
  Schema.filter((text) => isType(saveText.exec(text.trim())?.[2] ?? "")),
  Schema.annotations(expected(saveHint))
)
const Type = Schema.Literal(...memoryTypes).annotations(oneOf(memoryTypes))
const SaveObject = Schema.Struct({ what: Text, type: Type }).annotations(expected(saveHint))
const Saves = Schema.Array(Schema.Union(SaveText, SaveObject).annotations(expected(saveHint)))
const Texts = Schema.Array(Text).annotations(expected("a text, or a list of texts"))

const optional = { exact: true } as const
const Front = Schema.Struct({
  name: Schema.optionalWith(
    Schema.String.pipe(Schema.pattern(/^[a-z][a-z0-9-]{0,39}$/)).annotations(
      expected("a name of small letters, digits and hyphens, at most 40")
    ),
    optional
  ),
  description: Text,
  permission: Schema.optionalWith(Permission.annotations(oneOf(Permission.literals)), optional),
  tool: Schema.optionalWith(Text, optional),
  model: Schema.optionalWith(Text, optional),
  searches: Schema.optionalWith(Texts, optional),
  saves: Schema.optionalWith(Saves, optional),
  links: Schema.optionalWith(Texts, optional),
  outcome: Schema.optionalWith(Type, optional)
})
type Front = typeof Front.Type

const decodeFront = Schema.decodeUnknownEither(Front, { errors: "all", onExcessProperty: "error" })
const decodeRole = Schema.decodeUnknownEither(Role)

/** The text between the first line `---` and the next, and what follows it. */
const split = (
  text: string
): { readonly front: string; readonly body: string; readonly bodyLine: number } | undefined => {
  const found = /^---[ \t]*\r?\n((?:.*\r?\n)*?)---[ \t]*(?:\r?\n|$)/.exec(text)
  if (found === null) return undefined
  const [whole, front = ""] = found
  return { front, body: text.slice(whole.length), bodyLine: whole.split("\n").length }
}

const tooDeep = (front: string): boolean => {
  let depth = 0
  for (const character of front) {
    if (character === "[" || character === "{") depth += 1
    if (character === "]" || character === "}") depth -= 1
    if (depth > maxDepth) return true
  }
  return front.split("\n").some((line) => new RegExp(`^\\s*(?:[-?:]\\s+){${maxDepth}}`).test(line))
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A list of one thing may be written as the thing. */
const normalised = (value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const list = key === "searches" || key === "saves" || key === "links"
      return [key, list && (typeof inner === "string" || isObject(inner)) ? [inner] : inner]
    })
  )

const shapeProblems = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const problems = new Map<string, Problem>()
  for (const issue of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const at = issue.path.flatMap((part) => (typeof part === "symbol" ? [] : [part]))
    const key = JSON.stringify(at)
    const name = `${at.at(-1) ?? ""}`
    if (problems.has(key)) continue
    if (issue._tag === "Unexpected") {
      problems.set(key, {
        path: at,
        message: `unknown key ${show(name)}`,
        atKey: true,
        suggestion: at.length === 1 ? `one of ${Object.keys(Front.fields).join(", ")}` : saveHint
      })
    } else if (issue._tag === "Missing") {
      problems.set(key, { path: at.slice(0, -1), message: `${name} is missing`, suggestion: `add a line ${name}: …` })
    } else problems.set(key, { path: at, message: issue.message })
  }
  // Of something that may be written in two ways, the more exact word counts.
  const inner = (at: Path) => (other: Problem) =>
    other.path.length > at.length && at.every((part, index) => other.path[index] === part)
  return [...problems.values()].filter(
    ({ atKey, path: at }) => atKey === true || at.length === 0 || ![...problems.values()].some(inner(at))
  )
}

const savesOf = (saves: Front["saves"]): Role["saves"] =>
  (saves ?? []).map((save) => {
    if (typeof save !== "string") return { ...save, what: save.what.trim() }
    const [, what = "", name = ""] = saveText.exec(save.trim()) ?? []
    return { what, type: memoryTypes.find((type) => type === name) ?? "fact" }
  })

const roleOf = (front: Front, name: string, prompt: string): unknown => {
  const saves = savesOf(front.saves)
  const { model, tool } = front
  return {
    name: front.name ?? name,
    description: front.description.trim(),
    permission: front.permission ?? "read",
    ...(tool === undefined ? {} : { tool: tool.trim() }),
    ...(model === undefined ? {} : { model: model.trim() }),
    searches: front.searches ?? [],
    saves,
    links: front.links ?? [],
    outcome: front.outcome ?? saves[0]?.type ?? "fact",
    prompt
  }
}

const pathText = (at: Path): string =>
  at.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? part : `${text}.${part}`),
    ""
  ) || "$"

export const decode = (source: string, file: string): Effect.Effect<Role, RoleFileError> =>
  Effect.gen(function* () {
    const text = source.startsWith("\ufeff") ? source.slice(1) : source
    const parts = split(text)
    const at = (line: number, column: number, { message, path: where, suggestion }: Problem): Issue => ({
      file,
      path: pathText(where),
      line,
      column,
      message,
      ...(suggestion === undefined ? {} : { suggestion })
    })
    const broken = (message: string, suggestion: string) =>
      new RoleFileError({ issues: [at(1, 1, { path: [], message, suggestion })] })
    if (parts === undefined) {
      return yield* broken("the front matter is missing", "begin with a line ---, then description: …, then a line ---")
    }
    const { body, bodyLine, front } = parts
    if (Buffer.byteLength(front) > maxFrontBytes) {
      return yield* broken(`the front matter is larger than ${maxFrontBytes / 1024} KiB`, "the prompt goes below it")
    }
    if (tooDeep(front)) return yield* broken(`nested more than ${maxDepth} levels deep`, "a role is flat")

    const yaml = yield* Effect.promise(() => import("yaml"))
    const counter = new yaml.LineCounter()
    const document = yaml.parseDocument(front, {
      lineCounter: counter,
      prettyErrors: false,
      schema: "core",
      stringKeys: true,
      logLevel: "silent"
    })
    const place = (offset: number) => {
      const { col, line } = counter.linePos(offset)
      return [line + 1, col] as const
    }
    const issues = [...document.errors, ...document.warnings].map(({ message, pos }) =>
      at(...place(pos[0]), { path: [], message, suggestion: "put a text with special characters in quotes" })
    )
    yaml.visit(document, {
      Alias: (_, { range }) => {
        issues.push(
          at(...place(range?.[0] ?? 0), {
            path: [],
            message: "aliases are not allowed here",
            suggestion: "write it out"
          })
        )
      }
    })
    // What follows the first mistake of syntax is mostly an echo of it.
    const [syntax] = issues
    if (syntax !== undefined) return yield* new RoleFileError({ issues: [syntax] })

    const value: unknown = document.contents === null ? {} : document.toJS({ maxAliasCount: 0 })
    if (!isObject(value)) return yield* broken("the front matter is no list of keys and values", "write description: …")
    const decoded = decodeFront(normalised(value))
    const prompt = body.trim()
    const name = path.basename(file, ".md")
    if (Either.isLeft(decoded)) {
      for (const problem of shapeProblems(decoded.left))
        issues.push(at(...place(offsetOf(yaml, document, problem)), problem))
    } else {
      const role = decodeRole(roleOf(decoded.right, name, prompt || "-"))
      if (Either.isRight(role) && prompt !== "") return role.right
      if (Either.isLeft(role)) {
        for (const { message, path: where } of ParseResult.ArrayFormatter.formatErrorSync(role.left)) {
          issues.push(
            where[0] === "prompt"
              ? at(bodyLine, 1, { path: [], message, suggestion: "begin that line otherwise" })
              : at(1, 1, {
                  path: where.flatMap((part) => (typeof part === "symbol" ? [] : [part])),
                  message: where[0] === "name" ? `${show(name)} is no name for a role` : message,
                  suggestion:
                    where[0] === "name"
                      ? "small letters, digits and hyphens: rename the file, or add name: …"
                      : undefined
                })
          )
        }
      }
    }
    if (prompt === "") {
      issues.push(
        at(bodyLine, 1, {
          path: [],
          message: "the prompt is missing",
          suggestion: "say below the front matter who the agent is"
        })
      )
    }
    const [first, ...rest] = issues.sort((one, other) => one.line - other.line || one.column - other.column)
    return yield* first === undefined
      ? broken("it is no role", "see contextfs orchestrator roles --help")
      : new RoleFileError({ issues: [first, ...rest] })
  })

/** Where the thing at a path begins; the nearest thing around it where it is not there. */
const offsetOf = (yaml: typeof Yaml, document: Yaml.Document, { atKey, path: at }: Problem): number => {
  const parent = document.getIn(at.slice(0, -1), true)
  const pair =
    atKey === true && yaml.isMap(parent)
      ? parent.items.find(({ key }) => yaml.isScalar(key) && key.value === at.at(-1))
      : undefined
  if (yaml.isNode(pair?.key) && pair.key.range) return pair.key.range[0]
  for (let length = at.length; length > 0; length -= 1) {
    const node = document.getIn(at.slice(0, length), true)
    if (yaml.isNode(node) && node.range) return node.range[0]
  }
  return 0
}
