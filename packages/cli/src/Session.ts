/** What a command is given of the world around it. Made at the edge; a command touches nothing else of the process. */
import type * as Effect from "effect/Effect"
import type { Answer } from "./Command.js"

export interface Screen {
  readonly size: () => { readonly columns: number; readonly rows: number }
  /** False while it has not yet taken what was written before. */
  readonly ready: () => boolean
  /** `resumed`: after a pause in which the screen was another's. Returns what ends the listening. */
  readonly onChange: (listener: (what: "resized" | "resumed") => void) => () => void
}

/** `hint`: how to go on. */
export type Left = Answer & { readonly hint: string }

export interface Session {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Starts this command anew: program and first arguments. */
  readonly command: ReadonlyArray<string>
  /** The user's home folder. */
  readonly home: string
  /** Absolute. */
  readonly cwd: string
  /** The memory backend that the command line names, where the command takes one. */
  readonly memory?: { readonly module: string | undefined; readonly options: unknown }
  /** Writes to stdout as they are; a reader that has gone away is no error. */
  readonly print: (text: string) => void
  readonly stdout: {
    /** Infinite where it is no terminal. */
    readonly columns: number
    /** A terminal, and the user has not said `NO_COLOR`. */
    readonly colour: boolean
    /** Where pictures can be drawn: a terminal that is not dumb, outside of CI. */
    readonly screen: Screen | undefined
    /** Waits until its reader has gone away, which shows at the next thing that is printed. */
    readonly closed: Effect.Effect<void>
  }
  /** One whole line to stderr, beside an answer or an error; nothing with `--json`. */
  readonly note: (text: string) => void
  /** The same with `--json` too: what keeps the command, which nobody would else be told. */
  readonly warn: (text: string) => void
  /** Calls it at the first signal; until then nothing has been ended. */
  readonly onSignal: (listener: () => void) => void
  /**
   * What an interrupted command has come to: shown before the error, with `--json` as its `result`. Quietly: a signal is
   * how it ends, and no error.
   */
  readonly leave: (answer: Left | "quietly") => void
  /** Waits for the second signal, which means: at once. */
  readonly hurried: Effect.Effect<void>
}
