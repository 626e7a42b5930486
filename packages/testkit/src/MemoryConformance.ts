/**
 * What every `MemoryStore` promises, as checks for any test runner: nothing lost, nothing stale, nothing from elsewhere.
 *
 *     for (const check of memoryConformance(() => myLayer)) test(check.name, check.run)
 */
import type { MemoryStore } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Check } from "./Check.js"
import { changing } from "./internal/memoryChanging.js"
import { feed } from "./internal/memoryFeed.js"
import { finding } from "./internal/memoryFinding.js"
import { saving } from "./internal/memorySaving.js"

export type { Check } from "./Check.js"

/**
 * The checks, in order. `empty` is called once a check and gives the layer of a store that holds nothing; the layer is
 * built for that check alone and closed after it. The largest check saves about 200 memories.
 */
export const memoryConformance = <E>(empty: () => Layer.Layer<MemoryStore, E>): ReadonlyArray<Check> =>
  [...saving, ...finding, ...changing, ...feed].map(({ name, body }) => ({
    name,
    run: () => Effect.runPromise(body.pipe(Effect.provide(Layer.fresh(Layer.suspend(empty)))))
  }))
