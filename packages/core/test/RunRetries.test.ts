import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterAll, describe, expect } from "vitest"
import * as RunRetries from "../src/internal/runRetries.js"
import { makeHome, run, say } from "./harness.js"

const home = makeHome()
afterAll(home.remove)

describe("runRetries", () => {
  it.live("bounds the further attempts of all agents together, and says so where one was not tried again", () =>
    Effect.gen(function* () {
      const tools = { fails: yield* Effect.promise(() => home.tool([say.started, { do: "exit", code: 3 }], "events")) }
      const agents = Array.from({ length: 3 }, () => ({ role: "custom", directory: ".", task: "do it", tool: "fails" }))
      const { results, status } = yield* run(home, { workers: 3, retries: 1, runRetries: 2, tools, agents })
      expect(status).toBe("failed")
      expect(results.map(({ attempts }) => attempts).sort()).toEqual([1, 2, 2])
      const said = "not tried again, for the run has used up its further attempts (runRetries)"
      expect(results.filter(({ warnings }) => warnings.includes(said)).map(({ attempts }) => attempts)).toEqual([1])
    })
  )

  it("counts what a run has used before it was interrupted, granted attempts included, and no first one", () => {
    const left = (most: number | null) => {
      const retries = RunRetries.make(most, [
        { status: "completed", charged: 1 },
        { status: "failed", charged: 3 },
        { status: "pending", charged: 0 },
        { status: "pending", charged: 1 },
        { status: "running", charged: 1 }
      ])
      return [retries.take(), retries.take()]
    }
    expect(left(5)).toEqual([true, true])
    expect(left(4)).toEqual([true, false])
    expect(left(2)).toEqual([false, false])
    expect(left(null)).toEqual([true, true])
  })
})
