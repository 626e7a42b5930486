/** What may be spent: told at 80 %, nothing more started at the limit, in simulated time. */
import * as path from "node:path"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { afterAll, describe, expect } from "vitest"
import { part } from "../src/internal/budget.js"
import type { RunEvent } from "../src/Orchestrator.js"
import { command } from "../src/tools/command.js"
import * as WorkerQueue from "../src/WorkerQueue.js"
import { decode, makeHome } from "./harness.js"
import { inTime, layer, type Script, simulate, simulatedClock } from "./simulation.js"

const home = makeHome()
afterAll(home.remove)

const usage = (tokens: number, costUsd?: number) =>
  [
    1_000,
    { type: "usage", inputTokens: tokens, outputTokens: 0, ...(costUsd === undefined ? {} : { costUsd }) }
  ] as const
const started = [10, { type: "started" }] as const
const done = [10, { type: "result", ok: true, text: "ok" }] as const
const broke = [10, { type: "result", ok: false, error: { class: "server", message: "HTTP 500" } }] as const

let count = 0
const work = (
  script: (start: number) => Script,
  input: {
    readonly workers: number
    readonly agents: number
    readonly retries?: number
    readonly agentBudget?: object
  },
  budget: WorkerQueue.RunBudget | null = null
) => {
  const at = { ...home, dataDir: path.join(home.root, `d${++count}`) }
  let starts = 0
  const simulation = { clock: simulatedClock(0), script: () => script(starts++) }
  const told: Array<RunEvent> = []
  const config = {
    workers: input.workers,
    retries: input.retries ?? 0,
    tools: { t: { command: ["/bin/sh"], output: "events" } },
    agents: Array.from({ length: input.agents }, (_, index) => ({
      role: "custom",
      directory: ".",
      task: "go",
      id: `a${index}`,
      tool: "t",
      ...(input.agentBudget === undefined ? {} : { budget: input.agentBudget })
    }))
  }
  return inTime(
    simulation,
    Effect.gen(function* () {
      const { journal, results, runId } = yield* simulate(at, simulation, config, { budget }, (event) =>
        told.push(event)
      )
      const spent = yield* journal.spent(runId)
      return { results, spent, starts, told: told.flatMap((event) => (event.kind === "budget" ? [event.part] : [])) }
    }).pipe(Effect.provide(layer(at, simulation)))
  )
}

describe("the budget of a run", () => {
  it.live("is told of at 80 %, and at the limit what has not begun is failed, unstarted", () =>
    Effect.gen(function* () {
      const found = yield* work(
        () => [started, usage(100), done],
        { workers: 1, agents: 20 },
        { maxCostUsd: null, maxTokens: 1_000, unknownCost: "warn" }
      )
      expect(found.starts).toBe(10)
      expect(found.told).toEqual([0.8, 1])
      expect(found.spent.tokens).toBe(1_000)
      expect(found.results.map(({ attempts, reason, status }) => reason ?? `${status} ${attempts}`)).toEqual([
        ...Array(10).fill("completed 1"),
        ...Array(10).fill("BudgetExceeded")
      ])
      expect(found.results.at(-1)?.error).toMatch(/budget of the run is spent – .+ – .+/)
    })
  )

  it.live("lets those finish that are at work, over every tool and attempt", () =>
    Effect.gen(function* () {
      // Every first attempt fails and has cost something.
      const found = yield* work(
        (start) => [started, usage(10, 0.5), start % 2 === 0 ? broke : done],
        { workers: 3, agents: 10, retries: 1 },
        { maxCostUsd: 4, maxTokens: null, unknownCost: "warn" }
      )
      expect(found.spent.costUsd).toBeGreaterThanOrEqual(4)
      // No more than the workers were at it when the limit was met.
      expect(found.spent.costUsd).toBeLessThanOrEqual(4 + 2 * 0.5)
      expect(found.results.some(({ reason }) => reason === "BudgetExceeded")).toBe(true)
    })
  )

  it.live("is not begun with a tool that does not tell its cost, where that is wanted", () =>
    Effect.gen(function* () {
      const refuse = { maxCostUsd: 100, maxTokens: null, unknownCost: "refuse" } as const
      const error = yield* Effect.flip(
        Effect.gen(function* () {
          const at = { ...home, dataDir: path.join(home.root, `d${++count}`) }
          const simulation = { clock: simulatedClock(0), script: () => [started, done] as const }
          const config = {
            tools: { t: { command: ["/bin/sh"] } },
            agents: [{ role: "custom", directory: ".", task: "go", tool: "t" }]
          }
          return yield* simulate(at, simulation, config, { budget: refuse }).pipe(Effect.provide(layer(at, simulation)))
        })
      )
      expect(error).toMatchObject({ _tag: "PolicyRefused" })
    })
  )

  it.live("ends with the first agent whose cost turns out to be unknown, where that is wanted", () =>
    Effect.gen(function* () {
      const at = { ...home, dataDir: path.join(home.root, `d${++count}`) }
      let starts = 0
      // Its adapter tells costs, and the second agent told none.
      const script = (): Script => [started, ...(++starts === 2 ? [] : [usage(10, 0.01)]), done]
      const simulation = { clock: simulatedClock(0), script }
      const told: Array<RunEvent> = []
      const config = {
        workers: 1,
        retries: 0,
        tools: { claude: { command: ["/bin/sh"] } },
        agents: Array.from({ length: 4 }, () => ({ role: "custom", directory: ".", task: "go", tool: "claude" }))
      }
      const plain = command("claude", "events")
      const priced = { ...plain, capabilities: { ...plain.capabilities, cost: true } }
      const budget = { maxCostUsd: 100, maxTokens: null, unknownCost: "refuse" } as const
      const { results } = yield* inTime(
        simulation,
        simulate(at, simulation, config, { budget }, (event) => told.push(event)).pipe(
          Effect.provide(layer(at, simulation, new Map([["claude", priced]])))
        )
      )
      expect(results.map(({ reason, status }) => reason ?? status)).toEqual([
        "completed",
        "completed",
        "BudgetExceeded",
        "BudgetExceeded"
      ])
      expect(starts).toBe(2)
      expect(told.flatMap((event) => (event.kind === "budget" ? [[event.part, event.spent.unknown]] : []))).toEqual([
        [1, 1]
      ])
    })
  )
})

describe("the budget of an agent", () => {
  it.live("ends it when it is spent, and counts what its earlier attempts have used", () =>
    Effect.gen(function* () {
      const found = yield* work(
        (start) =>
          start === 0
            ? [started, usage(60), broke]
            : [started, usage(50), [60_000, { type: "message", text: "never" }], done],
        { workers: 1, agents: 1, retries: 5, agentBudget: { maxTokens: 100 } }
      )
      expect(found.results).toMatchObject([{ status: "failed", reason: "BudgetExceeded", attempts: 2 }])
    })
  )

  it.live("does not take back what was done with the last of it", () =>
    Effect.gen(function* () {
      const found = yield* work(() => [started, [1_000, { type: "message", text: "x" }], done], {
        workers: 1,
        agents: 1,
        agentBudget: { maxTokens: 100 }
      })
      expect(found.results).toMatchObject([{ status: "completed" }])
    })
  )
})

it("what is spent of a budget is a number that grows, whatever the limits", () => {
  const amount = FastCheck.oneof(FastCheck.constant(0), FastCheck.double({ min: 0, max: 1e9, noNaN: true }))
  FastCheck.assert(
    FastCheck.property(
      FastCheck.option(amount),
      FastCheck.option(amount),
      amount,
      amount,
      (maxCostUsd, maxTokens, spent, more) => {
        const of = (costUsd: number) => part({ maxCostUsd, maxTokens }, { costUsd, tokens: costUsd })
        expect(of(spent)).not.toBeNaN()
        expect(of(spent + more)).toBeGreaterThanOrEqual(of(spent))
        if (maxCostUsd !== null && spent >= maxCostUsd) expect(of(spent)).toBeGreaterThanOrEqual(1)
      }
    )
  )
})

it.live("a cancel beside the end of a budget stops nothing else", () =>
  Effect.gen(function* () {
    const at = { ...home, dataDir: path.join(home.root, `d${++count}`) }
    const simulation = { clock: simulatedClock(0), script: () => [started, usage(100), done] as const }
    const input = {
      workers: 1,
      retries: 0,
      tools: { t: { command: ["/bin/sh"], output: "events" } },
      agents: Array.from({ length: 30 }, () => ({ role: "custom", directory: ".", task: "go", tool: "t" }))
    }
    const { results } = yield* inTime(
      simulation,
      Effect.gen(function* () {
        const config = yield* decode(at, input)
        let cancelAll: Effect.Effect<unknown> = Effect.void
        const queue = yield* WorkerQueue.make({
          project: "p",
          numWorkers: 1,
          budget: { maxCostUsd: null, maxTokens: 100, unknownCost: "warn" },
          jobs: config.jobs.map((spec) => ({ ...spec, memory: false })),
          onEvent: (event) => {
            if (event.kind === "budget") Effect.runFork(cancelAll)
          }
        })
        cancelAll = Effect.forEach(
          Array.from({ length: 30 }, (_, index) => `${queue.runId}-${30 - index}`),
          (id) => queue.cancel(id),
          { concurrency: "unbounded" }
        ).pipe(Effect.orDie)
        return { results: yield* queue.join }
      }).pipe(Effect.scoped, Effect.provide(layer(at, simulation)))
    )
    expect(results).toHaveLength(30)
    expect(new Set(results.map(({ reason }) => reason ?? "completed"))).toContain("completed")
  })
)
