import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

const day = 86_400_000

/** A clock on the wall that somebody sets a day ahead, back, and right again, at every look. */
export const lyingClock = () => {
  const real = Clock.make()
  let looks = 0
  const wrong = () => real.unsafeCurrentTimeMillis() + [0, day, -day][++looks % 3]
  return Object.assign(Clock.make(), { unsafeCurrentTimeMillis: wrong, currentTimeMillis: Effect.sync(wrong) })
}
