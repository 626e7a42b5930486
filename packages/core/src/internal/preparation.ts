/** What an agent is given in an attempt: prompt, command line, environment. Starts and writes nothing, so that it can be shown too. */
import { randomBytes } from "node:crypto"
import { bridgePath } from "@contextfs/mcp/Bridge"
import type { Admission } from "@contextfs/mcp/RunServer"
import type { StorageError } from "@contextfs/memory/MemoryError"
import type { MemoryStoreService } from "@contextfs/memory/MemoryStore"
import * as PromptBlock from "@contextfs/memory/PromptBlock"
import * as Prompt from "@contextfs/roles/Prompt"
import * as Effect from "effect/Effect"
import * as Environment from "../Environment.js"
import { delegateOf, type JobSpec } from "../Job.js"
import type { Invocation, Refusal } from "../ToolAdapter.js"
import type { WorkplaceService } from "../Workplace.js"
import { markerVariable } from "./marker.js"
import type { Plan } from "./plan.js"

/** How much of a task is enough to look for memories by. */
const recallQueryChars = 4_000
const recallBytes = 8 * 1024

export interface Circumstances {
  readonly workplace: Pick<WorkplaceService, "dataDir" | "env" | "isRoot" | "node">
  /** Private folder of the attempt. */
  readonly folder: string
  /** The agent's TMPDIR. */
  readonly temporary: string
  readonly marker: string
  /** What connects the agent to the shared memory; null: it gets none. */
  readonly admission: Pick<Admission, "env"> | null
  /** From {@link recall}. */
  readonly recalled: string | undefined
  /** Session of the program to continue. */
  readonly resume: string | undefined
  /** The session is the one in which an earlier attempt was cut short; default false. */
  readonly continued?: boolean
}

export interface Preparation {
  readonly prompt: string
  readonly invocation: Invocation
  /** The program by absolute path, and all its arguments. */
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

export const prepare = (
  spec: JobSpec,
  { adapter, program, role }: Pick<Plan, "adapter" | "program" | "role">,
  at: Circumstances
): Preparation | Refusal => {
  const { workplace } = at
  /** Who it is and where its runs are, whatever the user's environment or the job says; with or without the memory. */
  const identity = {
    CONTEXTFS_DATA_DIR: workplace.dataDir,
    CONTEXTFS_PROJECT: spec.project,
    CONTEXTFS_SOURCE_TOOL: `agent-${spec.role}`,
    [markerVariable]: at.marker
  }
  const delegate = delegateOf(spec)
  const prompt = Prompt.jobPrompt({
    role,
    task: spec.task,
    project: spec.project,
    continued: at.continued === true,
    memory: at.admission !== null && adapter.capabilities.memory ? "mcp" : "none",
    ...(delegate === undefined ? {} : { delegate }),
    ...(at.recalled === undefined ? {} : { recalled: at.recalled })
  })
  const given = { ...workplace.env, ...spec.settings.env, ...spec.env }
  const invocation = adapter.invocation({
    prompt,
    directory: spec.directory,
    folder: at.folder,
    permission: spec.permission,
    model: spec.model ?? undefined,
    resume: at.resume,
    memory:
      at.admission === null
        ? undefined
        : {
            server: "contextfs",
            command: workplace.node,
            args: [bridgePath],
            env: { ...at.admission.env, ...identity }
          },
    env: given,
    root: workplace.isRoot
  })
  if ("refused" in invocation) return invocation
  const env = Environment.forAgent({
    user: workplace.env,
    pass: [...adapter.passEnv(given), ...(spec.settings.passEnv ?? [])],
    set: {
      TMPDIR: at.temporary,
      ...spec.settings.env,
      ...spec.env,
      ...invocation.env,
      ...at.admission?.env,
      ...identity
    }
  })
  return { prompt, invocation, command: [...program, ...invocation.args, ...(spec.settings.args ?? [])], env }
}

/** What the project knows that bears on the task, as a data block for the prompt; nothing found, nothing said. */
export const recall = (
  store: Pick<MemoryStoreService, "search">,
  spec: JobSpec
): Effect.Effect<string | undefined, StorageError> =>
  Effect.gen(function* () {
    const hits = yield* store.search({
      query: spec.task.slice(0, recallQueryChars),
      project: spec.project,
      limit: 8
    })
    if (hits.length === 0) return undefined
    return PromptBlock.render({
      memories: hits.map((hit) => hit.memory),
      boundary: randomBytes(12).toString("hex"),
      budgetBytes: recallBytes
    })
  })
