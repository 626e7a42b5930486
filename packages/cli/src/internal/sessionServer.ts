/** The way of `mcp` outside of a run: the memory, and agents for the user's own session. Loaded only by it. */

import * as path from "node:path"
import * as JobQueue from "@contextfs/core/JobQueue"
import * as Live from "@contextfs/core/Live"
import { Orchestrator } from "@contextfs/core/Orchestrator"
import * as OrchestratorTools from "@contextfs/core/OrchestratorTools"
import type { RunConfig } from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import { ToolError } from "@contextfs/mcp/McpTool"
import * as StdioServer from "@contextfs/mcp/StdioServer"
import type { Identity } from "@contextfs/memory/Memory"
import * as RoleRegistry from "@contextfs/roles/RoleRegistry"
import * as Effect from "effect/Effect"
import { type Failure, report } from "../CliError.js"
import type { Session } from "../Session.js"
import { launch } from "./detached.js"
import * as store from "./store.js"

/** Until the session has ended. Runs that it asked for go on in the background. */
export const serve = (session: Session, identity: Identity): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const around = { dataDir: store.dataDir(session), directory: session.cwd, home: session.env["HOME"] }
    const roles = yield* RoleRegistry.loadFiles(around).pipe(
      // The memory is worth more than a role that cannot be read.
      Effect.tapError(({ message }) => Effect.sync(() => session.note(`warning: ${message}`))),
      Effect.orElseSucceed(() => RoleRegistry.make(RoleRegistry.builtIn))
    )
    const served = Effect.gen(function* () {
      const tools = yield* OrchestratorTools.forSession({
        project: identity.project,
        directory: session.cwd,
        tools: [...Tools.builtIn.keys()],
        launch: (config) => inBackground(session, config)
      })
      yield* StdioServer.run({ identity, tools })
    }).pipe(
      Effect.provideService(RoleRegistry.RoleRegistry, roles),
      Effect.provide(JobQueue.layerSqlite({ path: path.join(around.dataDir, JobQueue.databaseName) }))
    )
    yield* store.provide(session, served)
  })

/** Built for the call alone: a session that asks for no agents pays for none. */
const inBackground = (session: Session, config: RunConfig) =>
  Effect.gen(function* () {
    const runId = yield* (yield* Orchestrator).enqueue(config)
    yield* launch(session, runId)
    return runId
  }).pipe(
    Effect.provide(Live.layer({ dataDir: store.dataDir(session), directory: session.cwd, env: session.env })),
    Effect.mapError((failure) => {
      const { hint, message } = report(failure)
      return new ToolError({ message: hint === undefined ? message : `${message} – ${hint}` })
    })
  )
