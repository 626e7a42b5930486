import { expect, it } from "@effect/vitest"
import { classify } from "../../src/internal/failure.js"

it.each([
  ["You've hit your session limit · resets 5:40pm (Europe/Budapest)", 429, "quota"],
  ["You've hit your limit · resets 3pm", 429, "quota"],
  ["Weekly limit reached ∙ resets 7pm", undefined, "quota"],
  ["Your quota will reset after 2h3m.", 429, "quota"],
  ["Claude AI usage limit reached|1749924000", undefined, "quota"],
  ["Rate limit reached for m in organization o. Please try again in 20s.", 429, "rate"],
  ["You have hit your rate limit", 429, "rate"],
  ["This request would exceed your account's rate limit. Please try again later.", 429, "rate"],
  ["Too Many Requests", undefined, "rate"]
] as const)("%s (%s) is of the class %s", (message, status, expected) => {
  expect(classify(message, status)).toBe(expected)
})
