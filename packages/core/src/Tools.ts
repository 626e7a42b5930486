/** The tools we know. To add one: a file in `tools/`, and its name in the list below. */
import { type Found, findProgram } from "./internal/findProgram.js"
import type { ToolSettings } from "./Job.js"
import type { ToolAdapter } from "./ToolAdapter.js"
import { claude } from "./tools/claude.js"
import { codex } from "./tools/codex.js"
import { command } from "./tools/command.js"
import { gemini } from "./tools/gemini.js"
import { mock } from "./tools/mock.js"
import { opencode } from "./tools/opencode.js"

const adapters: ReadonlyArray<ToolAdapter> = [claude, gemini, codex, opencode, mock]

/** By the name that `--tool` takes. */
export const builtIn: ReadonlyMap<string, ToolAdapter> = new Map(adapters.map((adapter) => [adapter.name, adapter]))

/**
 * The adapter of a tool as configured: the one that `settings.adapter` names, else the one of the tool's own name, else
 * `command` where a command is given. Undefined: nobody knows this tool.
 */
export const adapterFor = (
  name: string,
  settings: ToolSettings,
  known: ReadonlyMap<string, ToolAdapter> = builtIn
): ToolAdapter | undefined => {
  const wanted = settings.adapter ?? (known.has(name) ? name : "command")
  if (wanted !== "command") return known.get(wanted)
  return settings.command === undefined ? undefined : command(name, settings.output)
}

/** The tool's program by absolute path, looked for in `searchPath` (as PATH is written), or why there is none. */
export const locate = (adapter: ToolAdapter, searchPath: string, directory: string): Found => {
  const name = adapter.command?.[0] ?? adapter.program
  return name === null ? { missing: "it has no program of its own" } : findProgram(name, searchPath, directory)
}
