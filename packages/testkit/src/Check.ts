/** One promise that a suite holds its subject to. */
export interface Check {
  /** Starts with the part of the subject it is about: `decoding: …`. */
  readonly name: string
  /** Throws (or rejects with) an error that says what was seen where the promise is broken. */
  readonly run: () => void | Promise<void>
}
