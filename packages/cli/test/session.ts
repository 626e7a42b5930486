import * as Effect from "effect/Effect"
import type { Session } from "../src/Session.js"

/** A session in which nothing is seen or touched; a pipe unless columns are given. */
export const session = (columns = Number.POSITIVE_INFINITY): Session => ({
  env: {},
  command: [],
  home: "/",
  cwd: "/",
  print: () => undefined,
  note: () => undefined,
  warn: () => undefined,
  onSignal: () => undefined,
  leave: () => undefined,
  stdout: { screen: undefined, closed: Effect.never, columns, colour: false },
  hurried: Effect.never
})
