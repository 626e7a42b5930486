import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import type { Environment, Redactor } from "../Redaction.js"
import * as privateFiles from "./privateFiles.js"
import {
  escapedForm,
  formsOf,
  privateKeyBegins,
  privateKeyEnds,
  privateKeyLine,
  replaceShapes,
  secretsIn
} from "./secrets.js"

const placeholder = (name: string): string => `[redacted: ${name}]`
export const count = (text: string): number => text.split("[redacted: ").length - 1

/** `open`: the text goes on; what may not be whole at its end is left for later. */
type Redact = (text: string, open: boolean) => string

/** `bytes`: the text is bytes read as Latin-1. */
const compile = (secrets: ReadonlyMap<string, string>, bytes: boolean): Redact => {
  const held = new Map<string, string>()
  const patterns: Array<readonly [RegExp, string]> = []
  for (const [value, name] of secrets) {
    const pattern = escapedForm(value, bytes)
    if (pattern !== undefined) patterns.push([pattern, placeholder(name)])
    for (const form of formsOf(value)) held.set(bytes ? Buffer.from(form).toString("latin1") : form, placeholder(name))
  }
  // A longer one first, so that one which begins with another is replaced whole.
  const forms = [...held].sort(([one], [other]) => other.length - one.length)
  return (text, open) => {
    let clean = text
    for (const [form, instead] of forms) if (clean.includes(form)) clean = clean.replaceAll(form, () => instead)
    for (const [pattern, instead] of patterns) clean = clean.replace(pattern, () => instead)
    return replaceShapes(clean, placeholder, open)
  }
}

/** A private key that a program prints line by line has no shape in any one line. */
const byLine = (redact: (text: string) => string) => (): ((line: string) => string) => {
  let within = false
  return (line) => {
    if (within) {
      if (privateKeyEnds.test(line)) {
        within = false
        return redact(line.replace(privateKeyEnds, ""))
      }
      if (privateKeyLine.test(line)) return ""
      within = false
    }
    const begins = privateKeyBegins.exec(line)
    // What follows on the same line, as in JSON, is seen there.
    if (begins !== null && line.slice(begins.index + begins[0].length).trim() === "") within = true
    return redact(line)
  }
}

/** Whether secretlint could find something: an unbroken run that is no word, number or hash, or a password in a URL. */
export const isSuspicious = (text: string): boolean => {
  for (const [run] of text.matchAll(/[\w-]{20,}/g)) if (/\d/.test(run) && /[G-Zg-z]/.test(run)) return true
  return /:\/\/[^\s/]{0,256}@|PRIVATE KEY|secret_?access/i.test(text)
}

type Linter = (
  text: string
) => Promise<ReadonlyArray<{ readonly rule: string; readonly range: readonly [number, number] }>>
let linter: Promise<Linter> | undefined

const loadLinter = async (): Promise<Linter> => {
  const [{ lintSource }, { creator }, { secretLintProfiler }] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
    import("@secretlint/profiler")
  ])
  // It keeps every mark of every text for ever, and searches all of them at each new one.
  secretLintProfiler.mark = () => undefined
  const rules = [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator, options: {} }]
  return async (content) => {
    const { messages } = await lintSource({
      source: { content, filePath: "text", ext: "", contentType: "text" },
      options: { config: { rules }, noPhysicFilePath: true }
    })
    return messages.map(({ range, ruleId }) => ({ rule: ruleId.replace(/^.*secretlint-rule-/, ""), range }))
  }
}

/** Replaces what secretlint finds. */
const lint = async (text: string, open: boolean): Promise<string> => {
  if (!isSuspicious(text)) return text
  linter ??= loadLinter()
  const find = await linter
  // Its words begin where no letter is before them, and that of an escape is none; a comment must not turn it off.
  const given = text.replace(/\\[nrtbf]/g, "  ").replace(/secretlint-/g, "secretlint ")
  const found = [...(await find(given))].filter(({ range }) => !open || range[1] < text.length)
  // From the end, so that places before stay what they are; what reaches into another is cut there.
  found.sort((one, other) => other.range[1] - one.range[1] || one.range[0] - other.range[0])
  let clean = text
  let border = text.length
  for (const { range, rule } of found) {
    const [from, to] = [range[0], Math.min(range[1], border)]
    if (from >= to || count(text.slice(from, to)) > 0) continue
    clean = `${clean.slice(0, from)}${placeholder(rule)}${clean.slice(to)}`
    border = from
  }
  return clean
}

/** Every text and every key of a value that JSON can carry; what it cannot carry (too deep) is refused by whoever stores. */
const redactValue = async <A>(redact: (text: string) => Promise<string>, value: A): Promise<A> => {
  const clean = new Map<string, string>()
  let json: string
  try {
    json = JSON.stringify(value, (key, item) => {
      for (const text of typeof item === "string" ? [key, item] : [key]) clean.set(text, text)
      return item
    })
  } catch {
    return value
  }
  let changed = false
  for (const text of clean.keys()) {
    const safe = await redact(text)
    changed ||= safe !== text
    clean.set(text, safe)
  }
  if (!changed) return value
  const of = (text: string): string => clean.get(text) ?? text
  return JSON.parse(json, (_, item) => {
    if (typeof item === "string") return of(item)
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [of(key), inner]))
  })
}

const pieceBytes = 256 * 1024
/** The longest secret that is found where it reaches from one piece into the next. */
export const overlapBytes = 24 * 1024

type RedactPiece = (text: string, open: boolean) => Promise<string>

/** Of a small file, which most are: nothing is written where nothing is secret. */
const isClean = async (redact: RedactPiece, file: number): Promise<boolean> => {
  const { size } = fs.fstatSync(file)
  if (size >= pieceBytes) return false
  const buffer = Buffer.allocUnsafe(size)
  const given = buffer.toString("latin1", 0, fs.readSync(file, buffer, 0, size, 0))
  return (await redact(given, false)) === given
}

const redactFile = async (redact: RedactPiece, file: string): Promise<boolean> => {
  const from = privateFiles.open(file)
  if (from === undefined) return false
  const clean = `${file}.redacted`
  let changed = false
  try {
    if (await isClean(redact, from)) return false
    // What a crash has left of an earlier try.
    fs.rmSync(clean, { force: true })
    const to = privateFiles.create(clean)
    try {
      const buffer = Buffer.allocUnsafe(pieceBytes)
      let rest = ""
      let at = 0
      for (let open = true; open; ) {
        const read = fs.readSync(from, buffer, 0, buffer.length, at)
        at += read
        open = read > 0
        const given = rest + buffer.toString("latin1", 0, read)
        const safe = await redact(given, open)
        changed ||= safe !== given
        // What is whole has been replaced by now, so that it does not matter where the text is cut.
        const end = open ? Math.max(0, safe.length - overlapBytes) : safe.length
        fs.writeFileSync(to, safe.slice(0, end), "latin1")
        rest = safe.slice(end)
      }
    } finally {
      fs.closeSync(to)
    }
  } finally {
    fs.closeSync(from)
  }
  if (changed) fs.renameSync(clean, file)
  else fs.unlinkSync(clean)
  return changed
}

export const make = (...environments: ReadonlyArray<Environment>): Redactor => {
  const secrets = secretsIn(environments)
  const ofText = compile(secrets, false)
  const text = (given: string): string => ofText(given, false)
  let compiled: Redact | undefined
  const ofBytes: Redact = (given, open) => {
    compiled ??= compile(secrets, true)
    return compiled(given, open)
  }
  const thorough = (given: string): Promise<string> => lint(text(given), false)
  // Most of what the jobs of a run are given is the same in all of them.
  const known = new Map<string, string>()
  const part = async (given: string): Promise<string> => {
    const safe = known.get(given) ?? (await thorough(given))
    if (given.length <= 4096) {
      if (known.size === 256) known.clear()
      known.set(given, safe)
    }
    return safe
  }
  return {
    text,
    lines: byLine(text),
    thorough: (given) => Effect.promise(() => thorough(given)),
    value: (value) => Effect.promise(() => redactValue(part, value)),
    file: (file) =>
      Effect.tryPromise({
        try: () => redactFile((piece, open) => lint(ofBytes(piece, open), open), file),
        catch: (cause) => (cause instanceof Error ? cause : new Error(`${cause}`))
      }),
    part: (given) => Effect.promise(() => lint(ofBytes(given, true), true))
  }
}
