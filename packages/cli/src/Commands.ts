/** The table of commands. To add one: a file in `commands/`, and its name in here. */
import type { Group } from "./Command.js"
import { cancel } from "./commands/cancel.js"
import { completions } from "./commands/completions.js"
import { doctor } from "./commands/doctor.js"
import { errors } from "./commands/errors.js"
import { findings } from "./commands/findings.js"
import { initConfig } from "./commands/initConfig.js"
import { logs } from "./commands/logs.js"
import { mcp } from "./commands/mcp.js"
import { memoryList } from "./commands/memoryList.js"
import { memoryRecall } from "./commands/memoryRecall.js"
import { memorySave } from "./commands/memorySave.js"
import { memorySearch } from "./commands/memorySearch.js"
import { monitor } from "./commands/monitor.js"
import { resume } from "./commands/resume.js"
import { roles } from "./commands/roles.js"
import { run } from "./commands/run.js"
import { spawn } from "./commands/spawn.js"
import { status } from "./commands/status.js"
import { tools } from "./commands/tools.js"
import { trust } from "./commands/trust.js"

const orchestrator: Group = {
  name: "orchestrator",
  summary: "run agents concurrently and see what they did",
  commands: [initConfig, run, spawn, roles, tools, findings, errors, status, monitor, logs, resume, cancel]
}

const memory: Group = {
  name: "memory",
  summary: "the memory that agents and you share",
  commands: [memorySave, memorySearch, memoryList, memoryRecall]
}

export const root: Group = {
  name: "contextfs",
  summary: "run many coding agents at once, with one shared memory",
  commands: [orchestrator, memory, mcp, trust, doctor, completions]
}
