import { type McpTool, ToolError } from "@contextfs/mcp/McpTool"
import { MemoryStore } from "@contextfs/memory/MemoryStore"
import { RoleRegistry } from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentRequest } from "../AgentRequest.js"
import { JobId } from "../Job.js"
import { JobQueue } from "../JobQueue.js"
import type { Host, Session } from "../OrchestratorTools.js"
import * as RunConfig from "../RunConfig.js"
import * as orchestratorTools from "./orchestratorTools.js"

const refuse = ({ message }: { readonly message: string }): ToolError => new ToolError({ message })

export const make = (
  session: Session
): Effect.Effect<ReadonlyArray<McpTool>, never, JobQueue | MemoryStore | RoleRegistry> =>
  Effect.gen(function* () {
    const journal = yield* JobQueue
    const store = yield* MemoryStore
    const roles = yield* RoleRegistry
    const started: Array<JobId> = []

    const start = (agents: ReadonlyArray<AgentRequest>) =>
      Effect.gen(function* () {
        if (agents.some(({ permission }) => permission === "full")) {
          return yield* refuse({
            message: 'permission "full" is given by the user alone, to contextfs orchestrator run'
          })
        }
        const { directory, project, tools } = session
        const known = { roles: yield* roles.list, tools, directory }
        const config = yield* Effect.mapError(RunConfig.fromInput({ project, agents }, known), refuse)
        const runId = yield* session.launch(config)
        const ids = agents.map((_, index) => JobId.make(`${runId}-${index + 1}`))
        started.push(...ids)
        return ids
      })

    // Another process is at work on the run: only the journal tells.
    const until: Host["until"] = (look) =>
      Effect.flatMap(look, (found) =>
        Option.isSome(found) ? Effect.succeed(found.value) : Effect.delay(until(look), "500 millis")
      )

    return orchestratorTools.make({
      store,
      start,
      started: Effect.sync(() => [...started]),
      job: (jobId) =>
        journal.job(jobId).pipe(
          Effect.mapError(refuse),
          Effect.filterOrFail(
            ({ spec }) => spec.project === session.project,
            () => refuse({ message: `no job ${JSON.stringify(jobId)} in project ${JSON.stringify(session.project)}` })
          )
        ),
      until
    })
  })
