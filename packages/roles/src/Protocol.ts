/** What a role asked of its agent's memory, against what the agent really did. */
import type { MemoryType } from "@contextfs/memory/Memory"
import type { Role } from "./Role.js"

/** One call of a memory tool, as the server saw it. */
export interface MemoryCall {
  /** `contextfs_save` and so on. */
  readonly tool: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly ok: boolean
  /** Type of the memory that was saved, evolved or updated. */
  readonly type?: MemoryType
  /** At most 200 characters. */
  readonly query?: string
  /** Memories the answer was about, at most 20. */
  readonly memoryIds: ReadonlyArray<string>
}

export interface ProtocolReport {
  /** Every step of the role: `search existing docs`, `save findings as fact`, `link …`. */
  readonly asked: ReadonlyArray<string>
  readonly done: ReadonlyArray<string>
  readonly ignored: ReadonlyArray<string>
  readonly searches: number
  readonly recalls: number
  /** Ids of memories saved, evolved or updated, each once, in the order of the first time. */
  readonly saved: ReadonlyArray<string>
}

const saving: ReadonlySet<string> = new Set(["contextfs_save", "contextfs_evolve", "contextfs_update"])

/** Only calls that succeeded count. */
export const report = (role: Role, calls: ReadonlyArray<MemoryCall>): ProtocolReport => {
  const good = calls.filter((call) => call.ok)
  const count = (tool: string) => good.filter((call) => call.tool === tool).length
  const searches = count("contextfs_search")
  const saves = good.filter((call) => saving.has(call.tool))
  const steps = [
    ...role.searches.map((what) => ({ step: `search ${what}`, happened: searches > 0 })),
    ...role.saves.map(({ what, type }) => ({
      step: `save ${what} as ${type}`,
      happened: saves.some((call) => call.type === type)
    })),
    ...role.links.map((what) => ({ step: `link ${what}`, happened: count("contextfs_link") > 0 }))
  ]
  return {
    asked: steps.map(({ step }) => step),
    done: steps.flatMap(({ step, happened }) => (happened ? [step] : [])),
    ignored: steps.flatMap(({ step, happened }) => (happened ? [] : [step])),
    searches,
    recalls: count("contextfs_recall"),
    saved: [...new Set(saves.flatMap((call) => call.memoryIds))]
  }
}
