/** What an agent sees of the user's environment: an allowlist, never the whole of it. */

/** What every program needs: the person, the locale, the terminal, proxies and certificates, where logins are kept. */
export const common: ReadonlyArray<string> = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "LC_*",
  "TERM",
  "COLORTERM",
  "TZ",
  "TMPDIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_CACHE_HOME",
  "SSH_AUTH_SOCK",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "all_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE"
]

/** Marks by which a program knows that it runs inside another agent's session; an agent of ours does not. */
export const sessionMarks: ReadonlyArray<string> = [
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
  "CLAUDE_CODE_CHILD_SESSION",
  "CLAUDE_PROJECT_DIR",
  "CODEX_SANDBOX",
  "CODEX_SANDBOX_NETWORK_DISABLED",
  "CODEX_THREAD_ID",
  "GEMINI_CLI",
  "GEMINI_CLI_NO_RELAUNCH",
  "OPENCODE",
  "OPENCODE_PID",
  "OPENCODE_RUN_ID"
]

/** Whether a text can be the name of a variable. */
export const isName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

/** Whether a text can say which variables to pass: a name, or the beginning of one and `*`. */
export const isPattern = (pattern: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(pattern)

const matcher = (patterns: ReadonlyArray<string>): ((name: string) => boolean) => {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")))
  const starts = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1))
  return (name) => names.has(name) || starts.some((start) => name.startsWith(start))
}

/**
 * The environment of an agent. From `user` pass the common names and those that match `pass` (names; a trailing `*`
 * stands for any ending), without the marks of a surrounding session; then `set` is laid over it, which nothing filters.
 * Names that are no identifiers never pass.
 */
export const forAgent = (options: {
  readonly user: Readonly<Record<string, string | undefined>>
  readonly pass: ReadonlyArray<string>
  readonly set: Readonly<Record<string, string>>
}): Record<string, string> => {
  const passes = matcher([...common, ...options.pass.filter(isPattern)])
  const marks = new Set(sessionMarks)
  const entries = Object.entries(options.user).flatMap(
    ([name, value]): ReadonlyArray<[string, string]> =>
      value !== undefined && isName(name) && passes(name) && !marks.has(name) ? [[name, value]] : []
  )
  return Object.fromEntries([...entries, ...Object.entries(options.set).filter(([name]) => isName(name))])
}
