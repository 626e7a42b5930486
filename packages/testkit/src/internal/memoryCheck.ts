/** What the checks of a memory are written with. */
import assert from "node:assert/strict"
import type { Identity } from "@contextfs/memory/Memory"
import { MemoryStore, type MemoryStoreService, type SaveInput } from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import type { YieldWrap } from "effect/Utils"

export interface MemoryCheck {
  readonly name: string
  readonly body: Effect.Effect<void, unknown, MemoryStore>
}

export const check = (
  name: string,
  body: (store: MemoryStoreService) => Generator<YieldWrap<Effect.Effect<unknown, unknown>>, void, never>
): MemoryCheck => ({ name, body: Effect.flatMap(MemoryStore, (store) => Effect.gen(() => body(store))) })

export const by = (more: Partial<Identity> = {}): Identity => ({
  project: "one",
  namespace: "global",
  trust: "agent",
  sourceTool: "testkit",
  ...more
})

/** Saves, and gives the memory itself. */
export const put = (store: MemoryStoreService, input: SaveInput | string, more: Partial<Identity> = {}) =>
  Effect.map(store.save(typeof input === "string" ? { content: input } : input, by(more)), ({ memory }) => memory)

/** The failure of an effect that must fail with this tag. */
export const failure = <A, E extends { readonly _tag: string }, Tag extends E["_tag"]>(
  effect: Effect.Effect<A, E>,
  tag: Tag,
  what: string
): Effect.Effect<Extract<E, { readonly _tag: Tag }>> =>
  Effect.matchEffect(effect, {
    onSuccess: () => Effect.sync(() => assert.fail(`${what} succeeds; ${tag} was expected`)),
    onFailure: (error) =>
      isTagged(error, tag)
        ? Effect.succeed(error)
        : Effect.sync(() => assert.fail(`${what} fails with ${error._tag}; ${tag} was expected`))
  })

const isTagged = <E extends { readonly _tag: string }, Tag extends E["_tag"]>(
  error: E,
  tag: Tag
): error is Extract<E, { readonly _tag: Tag }> => error._tag === tag

export const contents = (memories: ReadonlyArray<{ readonly content: string }>): ReadonlyArray<string> =>
  memories.map(({ content }) => content)
