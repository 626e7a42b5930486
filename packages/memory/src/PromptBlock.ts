/** Recalled memories as a block of a prompt: data in a frame that nothing inside can leave or imitate. */

import * as internal from "./internal/promptBlock.js"
import type { Memory } from "./Memory.js"

export interface PromptBlockOptions {
  /** Best first. */
  readonly memories: ReadonlyArray<Memory>
  /** Random per prompt, 8 or more letters and digits; no memory can know it, and where it occurs it is defused. */
  readonly boundary: string
  /** Largest size of the whole block, in bytes of UTF-8: one index line each first, then texts while they fit. */
  readonly budgetBytes: number
}

/**
 * The block, without a newline at its end; empty when there is nothing to show or no room for a single line. Every line between
 * the first and the last starts with `- ` (index), `# ` (whose text follows), `| ` (text) or `* ` (a note of ours).
 * Control, direction and invisible characters are shown as escapes like `\u{202e}`.
 */
export const render: (options: PromptBlockOptions) => string = internal.render
