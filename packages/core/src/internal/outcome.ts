/** What the orchestrator itself remembers of a job, so that the next one knows even where the agent said nothing. */
import type { Identity, MemoryType } from "@contextfs/memory/Memory"
import * as Memory from "@contextfs/memory/Memory"
import type * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Effect from "effect/Effect"
import type { Job, JobResult } from "../Job.js"

/** Cut at a character, not in the middle of one. */
export const clip = (text: string, bytes: number): string => {
  const buffer = Buffer.from(text)
  if (buffer.length <= bytes) return text
  let end = bytes
  while (end > 0 && ((buffer[end] ?? 0) & 0xc0) === 0x80) end--
  return `${buffer.toString("utf8", 0, end)}…`
}

const firstLine = (text: string): string => clip(text.trim().split("\n", 1)[0] ?? "", 120)

/** Saves the outcome under its type; what could not be saved comes back as a warning, for the job has ended anyway. */
export const remember = (
  store: MemoryStore.MemoryStoreService,
  identity: Identity,
  job: Job,
  result: Pick<JobResult, "status" | "reason" | "result" | "error">,
  /** Of a completed job; one that failed is an `error`. */
  completedAs: MemoryType
): Effect.Effect<ReadonlyArray<string>> => {
  const failed = result.status === "failed" || result.status === "timeout"
  const text = failed ? `${result.error}${result.result === null ? "" : `\n\n${result.result}`}` : result.result
  if (text === null || result.status === "cancelled") return Effect.succeed([])
  const type: MemoryType = failed ? "error" : completedAs
  const task = firstLine(job.spec.task)
  return store
    .save(
      {
        content: clip(text, Memory.maxContentBytes - 8),
        type,
        summary: `${job.spec.agentId} ${failed ? `failed (${result.reason})` : "completed"}: ${task}`,
        tags: [`${job.spec.role}-agent`, "outcome"],
        ...(failed ? { structuredData: { error_type: result.reason ?? "failed", message: result.error ?? "" } } : {})
      },
      { ...identity, sourceTool: "contextfs" }
    )
    .pipe(
      Effect.as([]),
      Effect.catchAll((error) => Effect.succeed([`the outcome could not be remembered: ${error.message}`]))
    )
}
