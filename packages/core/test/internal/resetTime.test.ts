/** When a limit ends, in the words of the programs and of others like them. */
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { resetTime } from "../../src/internal/resetTime.js"

const now = Date.parse("2026-11-25T18:00:00Z") // a Wednesday; 13:00 in New York, 19:00 in Berlin
const at = (text: string, from = now, zone = "America/New_York") => {
  const found = resetTime(text, from, zone)
  return found === undefined ? undefined : new Date(found).toISOString().replace(".000Z", "Z")
}

describe("what is said", () => {
  it.each([
    // Claude Code, in the order of its releases.
    ["Claude AI usage limit reached|1795917600", "2026-11-29T02:00:00Z"],
    ["Claude usage limit reached. Your limit will reset at 4pm (Etc/GMT+5).", "2026-11-25T21:00:00Z"],
    ["5-hour limit reached ∙ resets 7pm", "2026-11-26T00:00:00Z"],
    ["Weekly limit reached ∙ resets Mon 12:00am", "2026-11-30T05:00:00Z"],
    ["You've hit your session limit · resets 5:40pm (Europe/Budapest)", "2026-11-26T16:40:00Z"],
    ["You've hit your limit · resets Nov 26, 9am", "2026-11-26T14:00:00Z"],
    ["You've hit your weekly limit · resets Dec 3 at 10am (Europe/Berlin)", "2026-12-03T09:00:00Z"],
    ["You've hit your session limit · resets in 1d 5h", "2026-11-26T23:00:00Z"],
    // Codex.
    [
      "You've hit your usage limit. Visit https://chatgpt.com/codex/settings/usage to purchase more credits or try again at 3:45 PM.",
      "2026-11-25T20:45:00Z"
    ],
    ["You've hit your usage limit. Upgrade to Pro or try again at Dec 1st, 2026 3:14 PM.", "2026-12-01T20:14:00Z"],
    ["You've hit your usage limit. Try again at Nov 27, 2026, 11:12 AM.", "2026-11-27T16:12:00Z"],
    ["You've hit your usage limit. Try again in 2 hours 5 minutes.", "2026-11-25T20:05:00Z"],
    ["You've hit your usage limit. Try again in 1 day, 3 hours and 2 minutes.", "2026-11-26T21:02:00Z"],
    ['{"type":"usage_limit_reached","resets_in_seconds":3600}', "2026-11-25T19:00:00Z"],
    ['{"error":{"resets_at": 1795917600}}', "2026-11-29T02:00:00Z"],
    ['{"resetsAt":1795917600123}', "2026-11-29T02:00:00.123Z"],
    // Gemini.
    ["Your quota will reset after 12h34m56s.", "2026-11-26T06:34:56Z"],
    ["Quota exceeded. Please retry in 31.5s.", "2026-11-25T18:00:31.500Z"],
    ["Usage limit reached for all Pro models. Access resets at 11:59 PM PST.", "2026-11-26T07:59:00Z"],
    // Others.
    ["resets at 3pm (America/New_York)", "2026-11-25T20:00:00Z"],
    ["Your limit will reset at 9:30 AM UTC", "2026-11-26T09:30:00Z"],
    ["usage limit: try again in 2h 5m", "2026-11-25T20:05:00Z"],
    ["limit, try again in 35 minutes", "2026-11-25T18:35:00Z"],
    ["try again after 3600 seconds", "2026-11-25T19:00:00Z"],
    ["Retry-After: 120", "2026-11-25T18:02:00Z"],
    ["limit resets in 4 hours", "2026-11-25T22:00:00Z"],
    ["try again in an hour", "2026-11-25T19:00:00Z"],
    ["blocked until 2026-11-26T03:00:00Z", "2026-11-26T03:00:00Z"],
    ["blocked until 2026-11-26T03:00:00.000+01:00", "2026-11-26T02:00:00Z"],
    ["blocked until 2026-11-26 03:00 UTC", "2026-11-26T03:00:00Z"],
    ["resets 3am (Europe/Berlin)", "2026-11-26T02:00:00Z"],
    ["resets at 14:30", "2026-11-25T19:30:00Z"],
    ["resets at 9 p.m. ET", "2026-11-26T02:00:00Z"],
    ["resets at 21:00 UTC+2", "2026-11-25T19:00:00Z"],
    ["resets at midnight", "2026-11-26T05:00:00Z"],
    ["resets tomorrow at 8am", "2026-11-26T13:00:00Z"],
    ["resets on Friday", "2026-11-27T05:00:00Z"],
    ["resets Thursday, Nov 26 at 9am", "2026-11-26T14:00:00Z"],
    ["available again on 1 December 2026 at 00:00 UTC", "2026-12-01T00:00:00Z"],
    ["please wait 90 seconds", "2026-11-25T18:01:30Z"],
    // A day begins at its beginning.
    ["resets Nov 28", "2026-11-28T05:00:00Z"],
    // The first of several.
    ["Session resets in 2h; your week resets Mon 12:00am", "2026-11-25T20:00:00Z"]
  ])("%s", (text, expected) => {
    expect(at(text)).toBe(expected)
  })

  it("is nothing where nothing is said, or nothing that is sure", () => {
    for (const text of [
      "",
      "usage limit reached",
      "try again later",
      "try again in a few minutes",
      "resets soon",
      "resets 5",
      "resets at 25:00",
      "resets at 13pm",
      "resets at 3pm (Mars/Olympus)",
      "resets at 3pm IST",
      "resets 11/26",
      "resets Nov 31",
      "resets 2026-13-45",
      "connection reset by peer after 30 seconds",
      "[2026-11-25T17:59:00Z] quota exceeded after 3 requests",
      "resets in 5 months",
      "limit reached|12345"
    ]) {
      expect([text, at(text)]).toEqual([text, undefined])
    }
  })

  it("means the time that has just passed, not tomorrow's", () => {
    expect(at("resets 1pm")).toBe("2026-11-25T18:00:00Z")
    expect(at("resets 1pm", now + 60_000)).toBe("2026-11-25T18:00:00Z")
    expect(at("resets 1pm", now + 10 * 60_000)).toBe("2026-11-26T18:00:00Z")
    const midnight = Date.parse("2026-11-26T05:00:30Z")
    expect(at("resets 11:59pm", midnight)).toBe("2026-11-26T04:59:00Z")
  })

  it("is the nearest date where no year is said", () => {
    expect(at("resets Jan 2, 9am", Date.parse("2026-12-30T12:00:00Z"))).toBe("2027-01-02T14:00:00Z")
    expect(at("resets Nov 20")).toBe("2026-11-20T05:00:00Z")
  })
})

describe("when clocks change", () => {
  const spring = Date.parse("2026-03-08T05:00:00Z") // midnight in New York; at 2:00 the clocks show 3:00
  const autumn = Date.parse("2026-11-01T04:00:00Z") // midnight in New York; at 2:00 the clocks show 1:00
  it("counts from the clocks as they are by then", () => {
    expect(at("resets 3am", spring)).toBe("2026-03-08T07:00:00Z")
    expect(at("resets 9am", spring)).toBe("2026-03-08T13:00:00Z")
    expect(at("resets 9am", autumn)).toBe("2026-11-01T14:00:00Z")
    expect(at("resets Mar 9, 9am", Date.parse("2026-03-01T12:00:00Z"))).toBe("2026-03-09T13:00:00Z")
  })

  it("takes the first of a time that comes twice, then the second, and a time that never comes not too late", () => {
    expect(at("resets 1:30am", autumn)).toBe("2026-11-01T05:30:00Z")
    expect(at("resets 1:30am", Date.parse("2026-11-01T06:00:00Z"))).toBe("2026-11-01T06:30:00Z")
    expect(at("resets 2:30am", spring)).toBe("2026-03-08T06:30:00Z")
  })

  const zones = FastCheck.constantFrom(
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/St_Johns",
    "UTC"
  )
  const moments = FastCheck.integer({
    min: Date.parse("2026-01-01T00:00:00Z"),
    max: Date.parse("2029-01-01T00:00:00Z")
  })

  it("what a zone's clock shows of a moment within a day is read back as that moment, or as one that looks the same", () => {
    FastCheck.assert(
      FastCheck.property(moments, FastCheck.integer({ min: 3, max: 22 * 60 }), zones, (from, minutes, zone) => {
        const meant = Math.floor((from + minutes * 60_000) / 60_000) * 60_000
        const shown = (instant: number, hourCycle: "h12" | "h23") =>
          new Intl.DateTimeFormat("en-US", { timeZone: zone, hour: "numeric", minute: "2-digit", hourCycle }).format(
            instant
          )
        for (const hourCycle of ["h12", "h23"] as const) {
          const found = resetTime(`resets ${shown(meant, hourCycle)} (${zone})`, from, "UTC")
          expect(found).toBeDefined()
          expect(shown(found ?? 0, hourCycle)).toBe(shown(meant, hourCycle))
          expect(found).toBeLessThanOrEqual(meant)
          expect(found).toBeGreaterThan(from - 121_000)
        }
      }),
      { numRuns: 500 }
    )
  })

  it("a whole date is read back, whatever the season", () => {
    FastCheck.assert(
      FastCheck.property(moments, zones, (moment, zone) => {
        const meant = Math.floor(moment / 60_000) * 60_000
        const text = new Intl.DateTimeFormat("en-US", {
          timeZone: zone,
          month: "short",
          day: "numeric",
          year: "numeric",
          hour: "numeric",
          minute: "2-digit"
        }).format(meant)
        const found = resetTime(`try again at ${text} (${zone})`, meant - 86_400_000, "UTC")
        // The same, or the first of two that look the same.
        expect([0, 1_800_000, 3_600_000]).toContain(meant - (found ?? 0))
      }),
      { numRuns: 500 }
    )
  })
})

it("is quick whatever the text is made of, and never throws", () => {
  const pieces = FastCheck.constantFrom(
    ..."resets |try again |until |in |at |1h |12 |3pm |(|A/b|Nov |26, |2026-11-26T|:30|and |1 |99999999999 |a |mon|tues|+|-|T|Z|𝟛|\u0000|é".split(
      "|"
    )
  )
  FastCheck.assert(
    FastCheck.property(FastCheck.array(pieces, { maxLength: 300 }), (parts) => {
      const found = resetTime(parts.join(""), now, "UTC")
      if (found !== undefined) expect(Number.isFinite(found)).toBe(true)
    }),
    { numRuns: 2_000 }
  )
  // What grows with the square of its length would not come to an end here.
  for (const part of [
    "resets ",
    "resets in 1h ",
    "resets Nov ",
    "try again at at ",
    "1h",
    "resets in a a ",
    " ",
    "resets (A/"
  ]) {
    resetTime(part.repeat(1_000_000), now, "UTC")
  }
})
