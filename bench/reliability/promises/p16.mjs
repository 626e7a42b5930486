/** T7: every parser is given what nobody would write; the answer is a value or an error of ours, never anything else, and soon. */
import * as Duration from "@contextfs/core/Duration"
import { JobId, RunId } from "@contextfs/core/Job"
import * as RunConfig from "@contextfs/core/RunConfig"
import * as Tools from "@contextfs/core/Tools"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import * as Redaction from "@contextfs/memory/Redaction"
import { builtIn } from "@contextfs/roles/builtIn"
import * as RoleFile from "@contextfs/roles/RoleFile"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { makeHome } from "../security/command.mjs"
import { evil, mutate, random } from "../security/random.mjs"

export const id = "P16"
export const promise = "Bad input gets a clear answer."

const config = `{
  // what runs
  "project": "p", "workers": 3, "timeout": "5 minutes", "maxOutput": "64 MiB",
  "tools": { "t": { "command": ["program", "argument"], "env": { "NAME": "value" }, "passEnv": ["A_*"], "output": "events" } },
  "agents": [
    { "role": "test", "directory": ".", "task": "Write tests", "timeout": 90, "env": { "A": "b" } },
    { "role": "code", "directory": ".", "task": "Implement", "tool": "t", "permission": "edit" }
  ]
}
`
const yaml = `project: p
workers: 3
tools:
  t: { command: [program], env: { NAME: value } }
agents:
  - role: test
    directory: .
    task: |
      Write tests
    timeout: 5 minutes
`
const role = `---
name: security
description: Looks for holes
permission: read
saves:
  - findings as fact
searches: [known holes]
---
You look for holes.
`
const events = [
  '{"type":"started","sessionId":"s1"}',
  '{"type":"system","subtype":"init","session_id":"s"}',
  '{"type":"assistant","message":{"content":[{"type":"text","text":"hello"},{"type":"tool_use","id":"1","name":"mcp__contextfs__x","input":{}}]}}',
  '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"1","is_error":true,"content":"no"}]}}',
  '{"type":"result","subtype":"success","is_error":false,"result":"done","usage":{"input_tokens":1},"total_cost_usd":0.1,"permission_denials":[]}',
  '{"type":"thread.started","thread_id":"t"}',
  '{"type":"item.completed","item":{"id":"1","type":"agent_message","text":"hello"}}',
  '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":2}}',
  '{"type":"turn.failed","error":{"message":"unexpected status 429"}}',
  '{"type":"message","role":"assistant","content":"hello","delta":true}',
  '{"type":"tool_use","tool_name":"x","tool_id":"1","parameters":{}}',
  '{"type":"step_finish","part":{"reason":"stop","cost":0.1,"tokens":{"input":1}}}',
  '{"type":"error","error":{"name":"APIError","data":{"message":"x","statusCode":500}}}'
]

const ours = new Set([
  "ConfigError",
  "ConfigNotFound",
  "RoleFileError",
  "InvalidMemory",
  "StorageError",
  "MemoryNotFound",
  "AmbiguousId"
])
const limitMillis = 2_000

export const run = async ({ scale = 1, seed = 1, note = () => undefined } = {}) => {
  const source = random(seed)
  const count = Math.round(10_000 * scale)
  const runtime = ManagedRuntime.make(MemoryStore.layerMemory)
  const known = { roles: builtIn, tools: [...Tools.builtIn.keys()], directory: process.cwd(), stdin: () => "" }
  const spoil = (text) => (source.below(3) === 0 ? evil(source) : mutate(source, text))
  /** An effect must succeed or fail with an error of ours that says something. */
  const asks = (make) => async (input) => {
    const exit = await runtime.runPromiseExit(make(input))
    if (Exit.isSuccess(exit)) return undefined
    const failure = Cause.failureOption(exit.cause)
    if (Option.isNone(failure)) return `a defect: ${Cause.pretty(exit.cause).slice(0, 200)}`
    const { _tag, message } = failure.value
    if (!ours.has(_tag)) return `an unknown error ${_tag}`
    if (typeof message !== "string" || message.trim() === "") return `${_tag} says nothing`
    return /\n\s+at .*:\d+:\d+/.test(message) ? "a stack" : undefined
  }
  const calls = (use) => async (input) => {
    use(input)
    return undefined
  }
  const isRun = Schema.is(RunId)
  const isJob = Schema.is(JobId)
  const redactor = Redaction.make({ A_KEY: "0123456789abcdef" })
  const parsers = {
    "configuration, JSON": [() => spoil(config), asks((text) => RunConfig.decode(text, known))],
    "configuration, YAML": [() => spoil(yaml), asks((text) => RunConfig.decode(text, { ...known, file: "a.yaml" }))],
    "role file": [() => spoil(role), asks((text) => RoleFile.decode(text, "r.md"))],
    duration: [() => spoil("5 minutes"), calls(Duration.toMillis)],
    id: [
      () => spoil("k3v9x2m1-1"),
      async (text) =>
        !(isRun(text) || isJob(text)) || /^[a-z0-9][a-z0-9-]{0,63}$/.test(text) ? undefined : "a bad id was taken"
    ],
    "search text": [
      () => evil(source),
      asks((query) =>
        Effect.flatMap(MemoryStore.MemoryStore, (store) => store.search({ query, project: "p", limit: 5 }))
      )
    ],
    "memory content": [
      () => evil(source),
      asks((content) =>
        Effect.flatMap(MemoryStore.MemoryStore, (store) =>
          store.save(
            { content, tags: [content.slice(0, 50)], structuredData: { [content.slice(0, 20)]: content } },
            { project: "p", namespace: "n", trust: "agent", sourceTool: "t" }
          )
        )
      )
    ],
    redaction: [() => evil(source), calls((text) => redactor.lines()(text))],
    ...Object.fromEntries(
      [...Tools.builtIn].map(([name, adapter]) => [
        `events of ${name}`,
        [
          () => spoil(source.pick(events)),
          calls((text) => {
            const decoder = adapter.decoder()
            for (const line of text.split("\n")) decoder.line(line)
            decoder.end?.({ exitCode: source.pick([0, 1, 137]), stderr: text })
          })
        ]
      ])
    )
  }
  let inputs = 0
  let wrong = 0
  let slow = 0
  for (const [name, [make, parse]] of Object.entries(parsers)) {
    // A search and a save are many times dearer than the rest.
    const turns = name === "search text" || name === "memory content" ? Math.ceil(count / 5) : count
    for (let turn = 0; turn < turns; turn++) {
      const input = make()
      const began = performance.now()
      let answer
      try {
        answer = await parse(input)
      } catch (cause) {
        answer = `thrown: ${cause instanceof Error ? cause.stack?.slice(0, 300) : cause}`
      }
      inputs++
      const took = performance.now() - began
      if (took > limitMillis) {
        slow++
        note(
          `${name} took ${took.toFixed(0)} ms for ${input.length} characters that begin ${JSON.stringify(input.slice(0, 80))}`
        )
      }
      if (answer === undefined) continue
      if (++wrong <= 10) note(`${name}: ${answer} for ${JSON.stringify(input.slice(0, 200))}`)
    }
  }
  // The command line, as a process: its exit codes and its one line.
  const home = makeHome()
  const words = [
    "orchestrator",
    "memory",
    "run",
    "spawn",
    "status",
    "save",
    "search",
    "--json",
    "--workers",
    "-w",
    "agents.json",
    "3",
    "--help",
    "--debug"
  ]
  const shells = Math.max(20, Math.round(200 * scale))
  for (let turn = 0; turn < shells; turn++) {
    const args = Array.from({ length: source.below(6) }, () =>
      source.pick([() => source.pick(words), () => evil(source).slice(0, 200).replaceAll("\0", "")])()
    )
    // `mcp` waits for its client, and gets none.
    const began = performance.now()
    const { code, signal, stderr, stdout } = await home.contextfs(args)
    inputs++
    const said = `${stdout}${stderr}`
    const bad =
      signal !== null ||
      code === 70 ||
      code === null ||
      (!args.includes("--debug") && /\n\s+at .*:\d+:\d+/.test(said)) ||
      (code !== 0 && said.trim() === "")
    if (performance.now() - began > 10 * limitMillis) slow++
    if (bad && ++wrong <= 10)
      note(`contextfs ${JSON.stringify(args)} ended with ${code ?? signal}: ${said.slice(0, 200)}`)
  }
  home.close()
  await runtime.dispose()
  return {
    figure: `${inputs} inputs of ${Object.keys(parsers).length + 1} parsers: ${wrong} crashes, stacks or unclassed errors, ${slow} hangs over 2 s`,
    floor: "0 crashes, 0 stacks, 0 hangs > 2 s",
    ok: wrong === 0 && slow === 0
  }
}
