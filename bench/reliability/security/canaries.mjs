/** Secrets that are nobody's: values of variables whose names say so, and keys of well-known shape. */

const shapes = [
  ({ word }) => `sk-ant-api03-${word(40)}`,
  ({ word }) => `sk-proj-${word(48)}`,
  ({ word }) => `AIza${word(35)}`,
  ({ word }) => `ghp_${word(36)}`,
  ({ word }) => `github_pat_${word(22)}_${word(59)}`,
  ({ word }) => `glpat-${word(20)}`,
  ({ word }) => `xoxb-${word(12, "123456789")}-${word(12, "123456789")}-${word(24)}`,
  ({ word }) => `npm_${word(36)}`,
  ({ word }) => `sk_live_${word(24)}`,
  ({ word }) => `AKIA${word(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}`,
  ({ word }) => `eyJ${word(20)}.eyJ${word(40)}.${word(43)}`,
  ({ word }) => `-----BEGIN RSA PRIVATE KEY-----\n${word(64)}\n${word(64)}\n-----END RSA PRIVATE KEY-----`,
  // Known to secretlint alone.
  ({ word }) => `vcp_a1${word(30)}`
]

const values = [
  ({ word }) => word(24),
  ({ word }) => `${word(8)} "${word(6)}" \\ ${word(6)}`,
  ({ word }) => `${word(10)}é日本${word(6)}`,
  ({ word }) => `${word(12)}/+=&?${word(8)}`,
  ({ word }) => `${word(32)}\n${word(32)}`,
  ({ word }) => `${word(6)}'$(touch x)\`${word(6)}`
]

const names = ["API_KEY", "ACCESS_TOKEN", "DB_PASSWORD", "CLIENT_SECRET", "AWS_CREDENTIAL"]

/** Half of them values of variables, half of them shapes. */
export const make = (source, count) => {
  const variables = Object.fromEntries(
    Array.from({ length: Math.ceil(count / 2) }, (_, index) => [
      `CANARY${index}_${names[index % names.length]}`,
      values[index % values.length](source)
    ])
  )
  const keys = Array.from({ length: Math.floor(count / 2) }, (_, index) => shapes[index % shapes.length](source))
  return { variables, keys, all: [...Object.values(variables), ...keys] }
}

/** The longest part of a canary that no encoding changes, as it would stand in any file. */
const core = (canary) =>
  canary
    .replace(/-----[A-Z ]+-----/g, " ")
    .match(/[A-Za-z0-9_-]{6,}/g)
    .sort((one, other) => other.length - one.length)[0]

/** Which canaries are in these bytes: by their core, or in base64. */
export const found = (canaries, bytes) => {
  const text = bytes.toString("latin1")
  return canaries.filter((canary) => {
    const base64 = Buffer.from(canary).toString("base64").slice(0, -4)
    return text.includes(core(canary)) || text.includes(base64)
  })
}
