/** What a command is given of the world around it. Made at the edge; a command touches nothing else of the process. */
import type * as Effect from "effect/Effect"

export interface Session {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  readonly home: string
  /** Absolute. */
  readonly cwd: string
  /** Writes whole lines to stdout as they are; a reader that has gone away is no error. */
  readonly print: (text: string) => void
  readonly stdout: {
    readonly isTTY: boolean
    /** Infinite where it is no terminal. */
    readonly columns: number
    /** A terminal, and the user has not said `NO_COLOR`. */
    readonly colour: boolean
  }
  /** One whole line to stderr, beside an answer or an error; nothing with `--json`. */
  readonly note: (text: string) => void
  /** Calls it at the first signal; until then nothing has been ended. */
  readonly onSignal: (listener: () => void) => void
  /** Waits for the second signal, which means: at once. */
  readonly hurried: Effect.Effect<void>
}
