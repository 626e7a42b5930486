/** What a secret looks like: which variables hold one, in which forms it appears in text, and the shapes of well-known keys. */

const secretName = /KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|(?:_|^)(?:PWD|PASS|AUTH)$/i
/** These name a place, not a secret; `PWD` is where one stands. */
const placeName = /^(?:OLD)?PWD$|_(?:FILE|PATH|DIR|SOCK|ENDPOINT)$/i
/** Shorter values would be found in innocent text. */
const minSecretLength = 8
const urlPassword = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,256}:([^\s/@]{4,})@/i

/** The secrets of an environment with their names, each once. */
export const secretsIn = (
  environments: ReadonlyArray<Readonly<Record<string, string | undefined>>>
): ReadonlyMap<string, string> => {
  const secrets = new Map<string, string>()
  for (const env of environments) {
    for (const [name, value = ""] of Object.entries(env)) {
      // The name is shown in the value's place, and may stand in JSON there.
      const label = /^\w{1,128}$/.test(name) ? name : "secret"
      const isPath = /^(?:~|\/)[\w./-]*\/[\w.-]+$/.test(value)
      if (secretName.test(name) && !placeName.test(name) && !isPath && value.length >= minSecretLength) {
        secrets.set(value, label)
      }
      const password = urlPassword.exec(value)?.[1]
      if (password !== undefined) secrets.set(password, label)
    }
  }
  return secrets
}

/** Base64 of text that holds the value, however it is aligned: only the characters that the value alone determines. */
const base64Forms = (value: string): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)])
    const form = bytes.toString("base64").slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3))
    return form.length < minSecretLength ? [] : [form, form.replaceAll("+", "-").replaceAll("/", "_")]
  })

const urlEncoded = (value: string): ReadonlyArray<string> => {
  try {
    return [encodeURIComponent(value), encodeURI(value)]
  } catch {
    return []
  }
}

/** As it is, encoded for a URL or in base64; of a value with several lines, each line too. */
export const formsOf = (given: string): ReadonlyArray<string> => {
  const value = given.trim()
  const lines = value.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith("-----"))
  return [...new Set([value, ...(value.includes("\n") ? lines : []), ...urlEncoded(value), ...base64Forms(value)])]
}

/**
 * Finds a value inside a JSON string, and inside JSON within JSON, however deep; undefined where it stands there as it is.
 * `bytes`: the text is bytes read as Latin-1.
 */
export const escapedForm = (given: string, bytes: boolean): RegExp | undefined => {
  const value = given.trim()
  if (!/["\\\u0000-\u001f\u007f-\uffff]/.test(value)) return undefined
  const parts = [...value].map((character) => {
    const plain = (bytes ? Buffer.from(character).toString("latin1") : character).replace(
      /[.*+?^${}()|[\]\\/]/g,
      "\\$&"
    )
    if (character === "\\") return "\\\\{1,64}"
    if (character === '"') return '\\\\{0,64}"'
    const letter = letters[character]
    const units = [...character.split("")].map(
      (unit) => `\\\\{1,64}u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
    )
    if (letter !== undefined) return `(?:${plain}|\\\\{1,64}${letter}|${units.join("")})`
    return /[\u0000-\u001f\u007f-\uffff]/.test(character) ? `(?:${plain}|${units.join("")})` : plain
  })
  return new RegExp(parts.join(""), "gi")
}

const letters: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f" }

/**
 * A literal that stands at the start of a word; looked at once the literal is found, which is quick to look for. The
 * letter of an escape (`\n`, `%0A`) belongs to no word.
 */
const word = (literal: string): string =>
  `${literal}(?<=(?:(?<![A-Za-z0-9_-])|(?<=\\\\[nrtbf]|\\\\u[0-9a-f]{4}|%[0-9A-F]{2}))${literal})`
const quotation = `(?:\\\\{0,3}["'])?`
const assigned = `${quotation}\\s{0,3}[=:]\\s{0,3}${quotation}`
const token = "[A-Za-z0-9._~+/=-]"
const hasDigit = "(?=[A-Za-z._~+/=-]{0,64}\\d)"
const keyHeader = "[A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
const authorization = `[Aa](?:UTHORIZATION|uthorization)${assigned}`

/**
 * A name, what is secret, and what stands before it and stays. No groups of their own. Every repetition is bounded, or
 * begins at a border that the text has once, so that no text makes the search slow.
 */
const shapes: ReadonlyArray<readonly [name: string, secret: string, before?: string]> = [
  [
    "private key",
    `-----BEGIN ${keyHeader}(?:(?:(?!-----)[^"]){0,16000}-----END ${keyHeader}|(?:[A-Za-z0-9+/=\\s]|\\\\+[nr]){0,16000})`
  ],
  ["anthropic key", "sk-ant-[A-Za-z0-9_-]{16,}"],
  ["openai key", `${word("sk-")}(?:proj-|svcacct-|admin-|or-v1-)?[A-Za-z0-9_-]{32,}`],
  ["google key", "AIza[A-Za-z0-9_-]{35}"],
  ["google token", `${word("ya29\\.")}[A-Za-z0-9_-]{20,}`],
  ["github token", "gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,}"],
  ["gitlab token", `${word("gl(?:pat|ptt|dt|rt)-")}[A-Za-z0-9_-]{20,}`],
  [
    "slack token",
    "(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{20,}|(?<=hooks\\.slack\\.com\\/services\\/)T[A-Za-z0-9]{1,40}\\/B[A-Za-z0-9]{1,40}\\/[A-Za-z0-9]{1,40}"
  ],
  ["npm token", 'npm_[A-Za-z0-9]{36}|(?<=_authToken=)(?!\\$)[^\\s"]{8,256}'],
  ["1password token", "ops_ey[A-Za-z0-9+/=]{40,1400}"],
  ["stripe key", `${word("[rs]k_(?:live|test)_")}[A-Za-z0-9]{16,}`],
  ["aws key", `${word("A[KS]IA")}[A-Z0-9]{16}(?![A-Za-z0-9])`],
  ["jwt", `${word("eyJ")}[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}`],
  [
    "service token",
    `${word("(?:shp(?:at|ca|pa|ss)_|hf_|fig[dos]_|lin_api_|ntn_|gls[ac]_|glc_|gsk_|dapi|hv[sbr]\\.|vc[piark]_|dckr_pat_|pypi-|dop_v1_|SG\\.)")}(?=[A-Za-z._-]{0,64}\\d)[A-Za-z0-9._-]{24,}|hf_[A-Za-z]{34}`
  ],
  ["bearer token", `${token}{8,}`, `${authorization}(?:[Bb]earer|[Bb]asic|[Tt]oken) {1,3}`],
  ["bearer token", `${hasDigit}${token}{16,}`, "[Bb]earer {1,3}"],
  ["authorization", `${hasDigit}${token}{16,}`, authorization],
  ["api key", `${token}{16,}`, `[Xx]-(?:goog-)?[Aa]pi-[Kk]ey${assigned}`],
  ["password", `(?![$<{%*])[^\\s/@"'<>]{3,256}(?=@)`, `:\\/\\/[^\\s/:@"'<>]{0,64}:`],
  [
    "variable",
    `(?![$<{[(%*]|process\\.|os\\.|env\\.|import\\.|undefined|secrets?\\.)[^\\s"'\\\\;,)<>&|]{8,512}`,
    `(?:(?:API|ACCESS|SECRET|PRIVATE|AUTH|SIGNING|ENCRYPTION|MASTER)_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?)(?:_[A-Z0-9]{1,8})?${assigned}`
  ]
]

const patterns = shapes.map(
  ([name, secret, before = ""]) => ({ name, pattern: new RegExp(`(${before})(?:${secret})`, "g") }) as const
)
/** What every shape has in it somewhere: most texts have none of it, and looking for it is quick. */
const trigger =
  /PRIVATE KEY|shp|hf_|vc[piark]_|hooks\.slack|ops_ey|_authToken|fig[dos]_|lin_api|ntn_|gl[cs]|gsk_|dapi|hv[sbr]\.|dckr|pypi-|dop_v1|SG\.|sk-|AIza|ya29|gh[opusr]_|github_pat_|gl(?:pat|ptt|dt|rt)-|xox|xapp|npm_|[rs]k_|A[KS]IA|eyJ|uthorization|AUTHORIZATION|pi-[Kk]ey|earer|:\/\/|_?KEY|TOKEN|SECRET|PASS|CREDENTIAL/

/** `open`: the text goes on, so that what reaches its end may not be whole and is left for later. */
export const replaceShapes = (given: string, placeholder: (name: string) => string, open: boolean): string => {
  if (!trigger.test(given)) return given
  let text = given
  for (const { name, pattern } of patterns) {
    text = text.replace(pattern, (found: string, before: string, at: number) =>
      open && at + found.length === text.length ? found : `${before}${placeholder(name)}`
    )
  }
  return text
}

export const privateKeyBegins = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/
export const privateKeyEnds = /^.*-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----/
/** A line within a private key: base64 or a header. */
export const privateKeyLine = /^\s*(?:[A-Za-z0-9+/=]{1,200}|[A-Za-z0-9-]{1,40}: .{0,200})?\s*$/
