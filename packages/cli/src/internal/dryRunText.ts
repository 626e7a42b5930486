/** What a run would do, for people: the plan, then each agent with its command line and its whole prompt. */
import type { DryRun, PlannedAgent } from "@contextfs/core/DryRun"
import { clean, cleanLines } from "./clean.js"
import { seconds } from "./format.js"
import { pad, type Style, wrap } from "./layout.js"
import { shellWord } from "./runSummary.js"

const sources: Readonly<Record<DryRun["memory"], string>> = {
  recalled: "what it holds now is in the prompts; a run also recalls what its agents have saved by then",
  empty: "there is none yet; a run makes it",
  unread: "not looked at, since it would be made; a run recalls from it"
}

const parts: Readonly<Record<PlannedAgent["memory"], string>> = {
  tools: "recalls, saves, and has the memory tools",
  environment: "recalls and saves; in reach of its commands as contextfs memory",
  none: "none"
}

export const dryRunText = (run: DryRun, style: Style, columns: number): string =>
  [
    style.bold("dry run: nothing is started, nothing is written"),
    "",
    ...facts(
      [
        ["project", run.project],
        ["agents", `${run.agents.length}, ${run.workers} at a time`],
        ["data", run.dataDir],
        ["memory", sources[run.memory]]
      ],
      style,
      columns
    ),
    ...run.agents.flatMap((agent) => ["", ...agentLines(agent, style, columns)]),
    ""
  ].join("\n")

const agentLines = (agent: PlannedAgent, style: Style, columns: number): ReadonlyArray<string> => [
  `${style.bold(clean(agent.agentId))} – ${clean(agent.role)} with ${clean(agent.tool)} in ${clean(agent.directory)}`,
  ...facts(
    [
      ["program", agent.command[0] ?? ""],
      ["permission", agent.permission],
      ["model", agent.model ?? "the program's own"],
      ["memory", parts[agent.memory]],
      ["contained", agent.containment === "G" ? "process group (G)" : `kernel-bound (${agent.containment})`],
      [
        "time",
        [
          agent.timeout === null ? "no limit" : seconds(agent.timeout),
          `start ${seconds(agent.startTimeout)}`,
          `idle ${seconds(agent.idleTimeout)}`,
          `provider's errors ${seconds(agent.retryTimeout)}`,
          `grace ${seconds(agent.grace)}`
        ].join(", ")
      ],
      ["retries", `${agent.retries}`],
      ["output", `at most ${Number((agent.maxOutput / 2 ** 20).toFixed(2))} MiB`],
      ["variables", agent.variables.join(" ")],
      ...(agent.files.length === 0 ? [] : [["files", agent.files.join(" ")] as const])
    ],
    style,
    columns - 2
  ).map((line) => `  ${line}`),
  // Whole, however long: it is there to be copied.
  `  ${style.dim("command")}     ${clean(agent.command.map(shellWord).join(" "), Number.POSITIVE_INFINITY)}`,
  `  ${style.dim("prompt")}`,
  ...cleanLines(agent.prompt)
    .split("\n")
    .map((line) => `  ${style.dim("│")} ${line}`.trimEnd())
]

/** A label and a value, wrapped beside it. */
const facts = (
  rows: ReadonlyArray<readonly [label: string, value: string]>,
  style: Style,
  columns: number
): ReadonlyArray<string> => {
  const widest = Math.max(...rows.map(([label]) => label.length))
  return rows.flatMap(([label, value]) =>
    wrap(clean(value, Number.POSITIVE_INFINITY), columns - widest - 4).map(
      (line, index) => `${style.dim(pad(index === 0 ? label : "", widest))}  ${line}`
    )
  )
}
