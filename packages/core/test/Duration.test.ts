import { describe, expect, it } from "@effect/vitest"
import * as EffectDuration from "effect/Duration"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Duration from "../src/Duration.js"

describe("Duration", () => {
  it("a number is seconds, a text has a unit, a Duration is itself", () => {
    const cases: ReadonlyArray<readonly [Duration.DurationInput, number]> = [
      [120, 120_000],
      [0.5, 500],
      ["120", 120_000],
      ["5 minutes", 300_000],
      ["1 minute", 60_000],
      ["500 millis", 500],
      ["500ms", 500],
      ["90s", 90_000],
      ["1.5h", 5_400_000],
      ["2 Days", 172_800_000],
      [EffectDuration.minutes(2), 120_000]
    ]
    for (const [input, millis] of cases) expect(Duration.toMillis(input)).toEqual(Option.some(millis))
  })

  it("anything else is none", () => {
    for (const input of [
      "",
      "soon",
      "5 fortnights",
      "-5s",
      "1e9",
      "5 constructor",
      "NaN",
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY
    ]) {
      expect(Duration.toMillis(input)).toEqual(Option.none())
    }
    expect(Duration.toMillis(EffectDuration.infinity)).toEqual(Option.none())
  })

  it("any text has an answer at once", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ maxLength: 200 }), (text) => {
        const millis = Option.getOrElse(Duration.toMillis(text), () => 0)
        expect(Number.isFinite(millis) && millis >= 0).toBe(true)
      })
    )
  })
})
