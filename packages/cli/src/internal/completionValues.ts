/** The names that a shell can complete. Creates nothing, and what cannot be read has no names: a Tab never complains. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type { Completes } from "../Command.js"
import type { Session } from "../Session.js"
import { clean } from "./clean.js"
import type { Candidate, Completion } from "./complete.js"
import { dataDir } from "./store.js"

type Place = Pick<Session, "cwd" | "env" | "home">

/** How many of the newest runs are named. */
const newest = 20

/** What the script of a shell reads: `files`, `directories` or `words`; the prefix; for words, a word and its help a line. */
export const answer = ({ of, prefix }: Completion, place: Place): Effect.Effect<string> => {
  if (of === "file" || of === "directory") {
    return Effect.succeed(`${of === "file" ? "files" : "directories"}\n${prefix}\n`)
  }
  const candidates = typeof of === "string" ? values(of, place) : Effect.succeed(of)
  return Effect.map(candidates, (list) =>
    ["words", prefix, ...list.map(({ help, value }) => `${prefix}${value}\t${clean(help)}`), ""].join("\n")
  )
}

type Kind = Exclude<Completes, "file" | "directory">

/** A shell may put a word into the line as it is: one that needs quotes is left out. */
const plain = /^[\w.,:=@+-]+$/

const values = (kind: Kind, place: Place): Effect.Effect<ReadonlyArray<Candidate>> =>
  read(kind, place).pipe(
    Effect.catchAllCause(() => Effect.succeed([])),
    Effect.map((list) => list.filter(({ value }) => plain.test(value)))
  )

const read = (kind: Kind, place: Place): Effect.Effect<ReadonlyArray<Candidate>, unknown> => {
  switch (kind) {
    case "role":
      return roles(place)
    case "tool":
      return tools
    case "run":
      return runs(place, false)
    case "job":
      return runs(place, true)
  }
}

const roles = ({ cwd, env, home }: Place) =>
  Effect.gen(function* () {
    const { loadFiles } = yield* Effect.promise(() => import("@contextfs/roles/RoleRegistry"))
    const registry = yield* loadFiles({ dataDir: dataDir({ env, home }), directory: cwd, home })
    const list = yield* registry.list
    return list.map(({ description, name }) => ({ value: name, help: description }))
  })

const tools = Effect.gen(function* () {
  const { builtIn } = yield* Effect.promise(() => import("@contextfs/core/Tools"))
  return [...builtIn.values()].map(({ description, name }) => ({ value: name, help: description }))
})

/** The newest runs; with `jobs`, the jobs of each after it. */
const runs = (place: Place, jobs: boolean) =>
  Effect.gen(function* () {
    const file = path.join(dataDir(place), "orchestrator.db")
    if (!fs.existsSync(file)) return []
    const { JobQueue, layerSqlite } = yield* Effect.promise(() => import("@contextfs/core/JobQueue"))
    return yield* Effect.gen(function* () {
      const queue = yield* JobQueue
      const list = yield* queue.runs({ limit: newest })
      const blocks = yield* Effect.forEach(list, ({ project, runId, status }) =>
        Effect.gen(function* () {
          const below = jobs ? yield* queue.jobs(runId) : []
          return [
            { value: runId, help: `${status}, ${project}` },
            ...below.map(({ jobId, spec, status }) => ({ value: jobId, help: `${status}, ${spec.role}: ${spec.task}` }))
          ]
        })
      )
      return blocks.flat()
    }).pipe(Effect.provide(layerSqlite({ path: file })))
  })
