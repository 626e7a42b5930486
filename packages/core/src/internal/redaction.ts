/**
 * Keeps secrets out of everything we keep or show: what an agent prints is redacted before it is decoded, its files when
 * it has ended, a memory before it is stored. First the exact values that we hold, then the shapes of well-known keys.
 */
import * as fs from "node:fs"

const secretName = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i
/** Shorter values would be found in innocent text. */
const minSecretLength = 8

const shapes: ReadonlyArray<readonly [name: string, shape: string]> = [
  ["private key", "-----BEGIN [A-Z ]*PRIVATE KEY-----[\\s\\S]{0,8000}?-----END [A-Z ]*PRIVATE KEY-----"],
  ["anthropic key", "\\bsk-ant-[A-Za-z0-9_-]{20,}"],
  ["openai key", "\\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{32,}"],
  ["google key", "\\bAIza[A-Za-z0-9_-]{35}"],
  ["github token", "\\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"],
  ["slack token", "\\bxox[abprs]-[A-Za-z0-9-]{20,}"],
  ["npm token", "\\bnpm_[A-Za-z0-9]{36}"],
  ["aws key", "\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b"],
  ["jwt", "\\beyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}"],
  ["bearer token", "(?<=\\b[Aa]uthorization[\"']?\\s*[:=]\\s*[\"']?Bearer )[A-Za-z0-9._~+/=-]{16,}"]
]

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** How a value may stand in text: as it is, and inside a JSON string. */
const forms = (value: string): ReadonlyArray<string> => [...new Set([value, JSON.stringify(value).slice(1, -1)])]

/** The whole in one pass; `bytes`: the text is bytes read as Latin-1. */
const compile = (secrets: ReadonlyMap<string, string>, bytes: boolean): ((text: string) => string) => {
  const held = new Map<string, string>()
  for (const [value, name] of secrets) {
    for (const form of forms(value)) held.set(bytes ? Buffer.from(form).toString("latin1") : form, name)
  }
  // A longer value first, so that one which begins with another is replaced whole.
  const values = [...held.keys()].sort((one, other) => other.length - one.length).map(escape)
  const pattern = new RegExp(
    [...values.map((value) => `(?:${value})`), ...shapes.map(([, shape]) => `(${shape})`)].join("|"),
    "g"
  )
  return (text) =>
    text.replace(pattern, (found, ...groups) => {
      const name =
        held.get(found) ?? shapes[groups.slice(0, shapes.length).findIndex((group) => group !== undefined)]?.[0]
      return `[redacted: ${name}]`
    })
}

export interface Redactor {
  readonly text: (text: string) => string
  /** Replaces the file by its redacted form, by rename; one that holds no secret is left as it is. */
  readonly file: (file: string) => void
}

/** Files are redacted in pieces that end with a line. */
const pieceBytes = 64 * 1024

const redactFile = (redact: (text: string) => string, file: string): void => {
  if (fs.statSync(file).size === 0) return
  const clean = `${file}.redacted`
  const from = fs.openSync(file, fs.constants.O_RDONLY)
  const to = fs.openSync(clean, "wx", 0o600)
  let changed = false
  try {
    const buffer = Buffer.allocUnsafe(pieceBytes)
    let rest = ""
    const put = (text: string) => {
      const safe = redact(text)
      changed ||= safe !== text
      fs.writeSync(to, safe, null, "latin1")
    }
    for (;;) {
      const read = fs.readSync(from, buffer)
      if (read === 0) break
      const text = rest + buffer.toString("latin1", 0, read)
      const end = text.lastIndexOf("\n") + 1
      // A line without end is cut rather than gathered.
      if (end > 0 || text.length > 64 * pieceBytes) {
        put(text.slice(0, end || undefined))
        rest = end > 0 ? text.slice(end) : ""
      } else {
        rest = text
      }
    }
    put(rest)
  } finally {
    fs.closeSync(from)
    fs.closeSync(to)
  }
  if (changed) fs.renameSync(clean, file)
  else fs.unlinkSync(clean)
}

/** Holds the values of all variables whose names say that they are secret. */
export const make = (...environments: ReadonlyArray<Readonly<Record<string, string | undefined>>>): Redactor => {
  const secrets = new Map<string, string>()
  for (const env of environments) {
    for (const [name, value = ""] of Object.entries(env)) {
      if (secretName.test(name) && value.length >= minSecretLength) secrets.set(value, name)
    }
  }
  const ofBytes = compile(secrets, true)
  return { text: compile(secrets, false), file: (file) => redactFile(ofBytes, file) }
}
