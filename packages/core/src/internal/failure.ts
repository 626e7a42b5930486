/** What class a provider's failure is of, from its HTTP status or its words. */
import type { FailureClass } from "../ToolAdapter.js"

/** Order matters: a quota wall also speaks of limits, and a 429 may be either. */
const patterns: ReadonlyArray<readonly [FailureClass, RegExp]> = [
  [
    "quota",
    /(?:usage|session|weekly|daily|monthly|\d-hour) limit|hit your (?:(?!rate)\w{1,20} )?limit|quota (?:exceeded|exhausted|will reset)|exceeded your (?:current|monthly) quota|insufficient_quota|credit balance|out of credits|spending limit|(?<!rate[ _-])limit (?:reached|will reset)/i
  ],
  [
    "context",
    /context[ _](?:length|window)|prompt is too long|maximum context|too many (?:input )?tokens|input is too long|context_length_exceeded/i
  ],
  ["rate", /rate[ _-]?limit|too many requests|\b429\b|resource_exhausted|overloaded/i],
  [
    "auth",
    /\b401\b|\b403 forbidden\b|unauthorized|unauthenticated|not logged in|log ?in (?:again|required)|please (?:run|log)[^.]{0,20}login|authentication(?:_| )(?:failed|error)|failed to authenticate|invalid (?:api )?key|invalid auth|missing environment variable: `[^`]*(?:KEY|TOKEN)[^`]*`|API_KEY environment variable|expired (?:api )?(?:key|token)/i
  ],
  ["permission", /auto-rejecting|requires? approval|permission denied by policy/i],
  [
    "server",
    /\b5\d\d\b (?:internal|bad gateway|service|gateway|fake|server)|internal server error|server-side issue|internal error|experiencing high demand/i
  ],
  [
    "network",
    /econnre(?:set|fused)|enotfound|etimedout|eai_again|socket (?:hang up|connection was closed)|connection (?:reset|refused|closed)|connect(?:ion)? error|network error|stream disconnected|terminated\b|timed out/i
  ]
]

/** The class of an HTTP status; `other` where it says nothing. */
export const classOfStatus = (status: number): FailureClass =>
  status === 401 || status === 403
    ? "auth"
    : status === 402
      ? "quota"
      : status === 413
        ? "context"
        : status === 429 || status === 529
          ? "rate"
          : status >= 500
            ? "server"
            : "other"

/** The class of a provider's error text; `other` where nothing is recognised. Only for text that is an error already. */
export const classOfText = (text: string): FailureClass =>
  patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? "other"

/** Status and words together: words tell a quota wall from a passing 429, and a full context from another 400. */
export const classify = (message: string, status?: number): FailureClass => {
  const byText = classOfText(message)
  if (status === undefined) return byText
  const byStatus = classOfStatus(status)
  if (byText === "quota" && (byStatus === "rate" || byStatus === "auth" || byStatus === "other")) return "quota"
  return byStatus === "other" ? (byText === "context" ? "context" : "other") : byStatus
}

/** One printable line of at most `max` characters. */
export const oneLine = (text: string, max = 300): string => {
  const clean = text
    .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g, "")
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .trim()
  return clean.length > max ? `${clean.slice(0, max - 1)}…` : clean
}
