/** Agents that may write the same files: those that may write at all, in the same folder or one below the other's. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { JobSpec } from "../Job.js"
import type { Working } from "../WorkerQueue.js"

export interface Overlap {
  /** Agent ids, the one with the outer folder first. */
  readonly agents: readonly [string, string]
  /** The inner folder. */
  readonly directory: string
}

export const writes = ({ permission }: Pick<JobSpec, "permission">): boolean => permission !== "read"

/** Where a folder really is; itself where it is not there. */
export const realPath = (directory: string): string => {
  try {
    return fs.realpathSync(directory)
  } catch {
    return directory
  }
}

/** What the paths below a folder begin with. */
const below = (folder: string): string => (folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`)
const within = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(below(outer))

/** Each agent with the nearest one that it meets; not every pair, which are many in one folder. */
export const overlaps = (
  jobs: ReadonlyArray<Pick<JobSpec, "agentId" | "directory" | "permission">>
): ReadonlyArray<Overlap> => {
  const places = new Map<string, string>()
  const placeOf = (directory: string): string => {
    const known = places.get(directory) ?? realPath(directory)
    places.set(directory, known)
    return known
  }
  const writers = jobs
    .filter(writes)
    .map(({ agentId, directory }) => ({ agentId, place: placeOf(directory) }))
    // A folder before those below it, and they before its neighbours.
    .sort((one, other) => compare(below(one.place), below(other.place)))
  const found: Array<Overlap> = []
  const around: Array<(typeof writers)[number]> = []
  for (const writer of writers) {
    for (let last = around.at(-1); last !== undefined && !within(writer.place, last.place); last = around.at(-1))
      around.pop()
    const outer = around.at(-1)
    if (outer !== undefined) found.push({ agents: [outer.agentId, writer.agentId], directory: writer.place })
    around.push(writer)
  }
  return found
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

export interface SharedFile {
  /** Absolute. */
  readonly file: string
  /** Ids of the agents while which it changed, in the order of the results. */
  readonly agents: ReadonlyArray<string>
}

/** Where jobs of which no two may run at once are at work. */
export const laneOf = (options: Working, spec: JobSpec): string | null => {
  if (options.overlap !== "serialize" || !writes(spec)) return null
  const place = realPath(spec.directory)
  return place === path.sep ? "" : place
}
