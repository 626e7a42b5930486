/** Whose a run is: the process that works it off, as others can tell. */
import * as Effect from "effect/Effect"
import type { ProcessIdentity } from "../AgentProcess.js"
import type { Counts, Run } from "../JobQueue.js"
import { sinceBoot } from "./jobQueue.js"
import * as procfs from "./procfs.js"

/** Long enough for any pause of this process that is not its death. */
export const leaseMillis = 60_000

/** This process as the owner of a run. */
export const self = Effect.sync(
  (): ProcessIdentity => ({
    pid: process.pid,
    startTime: procfs.startTime(process.pid),
    bootId: procfs.bootId()
  })
)

/** Whether a run is at work. Where nobody can tell by its process, its heartbeat does. */
export const isAtWork = ({ heartbeat, owner, status }: Run): Effect.Effect<boolean> =>
  Effect.map(sinceBoot, (now) => status === "running" && (procfs.isAlive(owner) ?? now - heartbeat < leaseMillis))

/** What a run came to whose jobs have all ended. */
export const statusOf = (counts: Counts): "completed" | "failed" | "cancelled" => {
  if (counts.failed + counts.timeout > 0) return "failed"
  return counts.cancelled > 0 ? "cancelled" : "completed"
}
