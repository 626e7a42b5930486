/** How an adapter starts its program: nothing in public, nothing widened. */
import assert from "node:assert/strict"
import type { Invocation, InvocationRequest, MemoryAttachment, ToolAdapter } from "@contextfs/core/ToolAdapter"
import type { Check } from "../Check.js"
import { permissions } from "./adapterDescription.js"

/** Words that only these tests use, so that finding one says where it came from. */
const promptWords = ["promptProbeBegin", "promptProbeMiddle", "promptProbeEnd"]
const prompt = `${promptWords[0]} $(x) "quoted" 'so' \\ ünï\n${`--help ${promptWords[1]} 😀\n`.repeat(5_000)}\n${promptWords[2]}`
const tokenProbe = "token-probe-6f1d"
const keyProbe = "key-probe-a93c"
const memory: MemoryAttachment = {
  server: "serverprobe",
  command: "/opt/probe/runtime",
  args: ["/opt/probe/bridge.js", "--probe-argument"],
  env: { PROBE_SOCKET: "/run/probe/socket", PROBE_TOKEN: tokenProbe }
}

const base: InvocationRequest = {
  prompt,
  directory: "/probe/directory",
  folder: "/probe/folder",
  permission: "read",
  model: undefined,
  resume: undefined,
  memory: undefined,
  env: {},
  root: false
}

/** Words by which programs let everything through. */
const bypass = /dangerously|bypass-?permissions|yolo|danger-full-access|skip-permissions|allow-all-tools/i
/** What the user has; an adapter that changes it changes more than one run. */
const theirs = [
  "PATH",
  "HOME",
  "USER",
  "SHELL",
  "PWD",
  "LD_PRELOAD",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_CACHE_HOME"
]
/** Files that the orchestrator puts into the same folder. */
const taken = ["prompt", "stdout", "stderr", "job.sh", "lifeline"]

const named = (request: InvocationRequest): string =>
  [
    request.permission,
    ...(request.memory === undefined ? [] : ["memory"]),
    ...(request.model === undefined ? [] : ["model"]),
    ...(request.resume === undefined ? [] : ["resume"])
  ].join(" + ")

const invoke = (adapter: ToolAdapter, request: InvocationRequest): Invocation => {
  const invocation = adapter.invocation(request)
  if ("refused" in invocation) return assert.fail(`${named(request)} is refused: ${invocation.refused}`)
  return invocation
}

const frozen = <A extends object>(value: A): A => {
  for (const item of Object.values(value)) if (typeof item === "object" && item !== null) frozen(item)
  return Object.freeze(value)
}

const openText = ({ args, env, files, overlays = [] }: Invocation): string =>
  JSON.stringify([
    args,
    env,
    files ?? {},
    overlays.map((overlay) => Object.entries(overlay.files ?? {}).map(([name, make]) => [name, make(undefined)]))
  ])

export const invocationChecks = (adapter: ToolAdapter, harmless: boolean): ReadonlyArray<Check> => {
  const can = adapter.capabilities
  /** A user's environment in which every secret-looking variable that the program may see has our value. */
  const env = Object.fromEntries([
    ["HOME", "/home/someone"],
    ...adapter.passEnv({}).flatMap((name): ReadonlyArray<readonly [string, string]> => {
      if (name.endsWith("*")) return [[`${name.slice(0, -1)}API_KEY`, keyProbe]]
      return /KEY|TOKEN|SECRET/.test(name) ? [[name, keyProbe]] : []
    })
  ])
  /** Every way to ask without the permission. */
  const asked: ReadonlyArray<InvocationRequest> = [undefined, memory].flatMap((attached) =>
    (can.model ? [undefined, "model-probe"] : [undefined]).flatMap((model) =>
      (can.resume ? [undefined, "session-probe"] : [undefined]).map((resume) => ({
        ...base,
        env,
        memory: attached,
        model,
        resume
      }))
    )
  )
  const everyRequest = can.permissions.flatMap((permission) => asked.map((request) => ({ ...request, permission })))
  const each = (body: (invocation: Invocation, request: InvocationRequest) => void) => () => {
    for (const request of everyRequest) body(invoke(adapter, request), request)
  }
  const refused = (change: Partial<InvocationRequest>, why: string): void => {
    const level = can.permissions.find((own) => own !== "full") ?? "full"
    const answer = adapter.invocation({ ...base, permission: level, ...change })
    if (!("refused" in answer)) assert.fail(`${why} is not refused; it starts with ${JSON.stringify(answer.args)}`)
    assert.match(answer.refused, /^[^\r\n]+$/, "a refusal is one line")
  }

  return [
    {
      name: "invocation: the prompt is on stdin or in a file, whole, and never in argv or a variable",
      run: each((invocation, request) => {
        const open = JSON.stringify([invocation.args, invocation.env, Object.keys(invocation.files ?? {})])
        for (const word of promptWords) {
          assert.ok(
            !open.includes(word),
            `${named(request)}: the prompt is in an argument, a variable or a file's name`
          )
        }
        const places = [invocation.stdin ?? prompt, ...Object.values(invocation.files ?? {})]
        const written = JSON.stringify(prompt).slice(1, -1)
        assert.ok(
          places.some((text) => text.includes(prompt) || text.includes(written)),
          `${named(request)}: the prompt is neither on stdin nor in a file, or not whole`
        )
      })
    },
    {
      name: "invocation: no token and no key of the user's is in argv",
      run: each(({ args }, request) => {
        for (const secret of [tokenProbe, keyProbe]) {
          assert.ok(
            !args.some((arg) => arg.includes(secret)),
            `${named(request)}: a secret is in ${JSON.stringify(args)}`
          )
        }
      })
    },
    {
      name: "invocation: arguments, variables and files are such as a system takes",
      run: each(({ args, env: variables, files, stdin }, request) => {
        const where = named(request)
        for (const arg of args) {
          assert.ok(typeof arg === "string" && !arg.includes("\0"), `${where}: argument ${JSON.stringify(arg)}`)
        }
        for (const [name, value] of Object.entries(variables)) {
          assert.match(name, /^[A-Za-z_][A-Za-z0-9_]*$/, `${where}: a variable's name`)
          assert.ok(typeof value === "string" && !value.includes("\0"), `${where}: value of ${name}`)
          assert.ok(!theirs.includes(name), `${where}: ${name} is the user's, and is replaced`)
        }
        assert.ok(stdin === undefined || typeof stdin === "string", `${where}: stdin is no text`)
        for (const [name, text] of Object.entries(files ?? {})) {
          assert.match(name, /^[A-Za-z0-9][A-Za-z0-9._-]*$/, `${where}: file ${JSON.stringify(name)} is no plain name`)
          assert.ok(!taken.includes(name), `${where}: file ${name} is the orchestrator's own`)
          assert.equal(typeof text, "string", `${where}: file ${name} is no text`)
        }
      })
    },
    {
      name: "invocation: every permission is honoured or refused",
      run: () => {
        for (const permission of permissions) {
          if (can.permissions.includes(permission)) invoke(adapter, { ...base, permission })
          else refused({ permission }, `permission ${permission}, which the adapter does not have,`)
        }
      }
    },
    {
      name: "invocation: full is refused as root",
      run: () => refused({ permission: "full", root: true }, "permission full as root")
    },
    {
      name: harmless
        ? "invocation: permissions are all alike, as of a program that is harmless"
        : "invocation: no permission starts the program as another does, and only full bypasses",
      run: () => {
        for (const request of asked) {
          const starts = can.permissions.map((permission) => ({
            permission,
            text: openText(invoke(adapter, { ...request, permission }))
          }))
          for (const [index, { permission, text }] of starts.entries()) {
            const same = starts.slice(0, index).find((other) => other.text === text)?.permission
            if (!harmless) {
              assert.equal(same, undefined, `${named({ ...request, permission })} starts it exactly as ${same} does`)
            } else if (index > 0) assert.notEqual(same, undefined, `${permission} differs from ${can.permissions[0]}`)
            if (permission === "full") continue
            const word = bypass.exec(text)?.[0]
            assert.equal(word, undefined, `${named({ ...request, permission })} starts it with ${word}`)
          }
        }
      }
    },
    {
      name: "invocation: a model or session that would be taken for an option is refused, as is one it cannot take",
      run: () => {
        for (const value of ["-x", "--help", ...(can.model ? [] : ["some-model"])]) {
          refused({ model: value }, `the model ${value}`)
        }
        for (const value of ["-x", "--last", ...(can.resume ? [] : ["some-session"])]) {
          refused({ resume: value }, `the session ${value}`)
        }
      }
    },
    {
      name: "invocation: model and session reach the program",
      run: each((invocation, { model, resume, ...request }) => {
        for (const value of [model, resume]) {
          if (value === undefined) continue
          assert.ok(openText(invocation).includes(value), `${request.permission}: ${value} is nowhere`)
        }
      })
    },
    {
      name: "invocation: the memory is attached as asked, and nothing of it without",
      run: each((invocation, request) => {
        const text = openText(invocation)
        const parts = [memory.server, memory.command, ...memory.args]
        if (request.memory === undefined) {
          const found = [...parts, ...Object.keys(memory.env)].filter((part) => text.includes(part))
          assert.deepEqual(found, [], `${named(request)}: no memory was asked for`)
        } else if (can.memory) {
          const missing = parts.filter((part) => !text.includes(part))
          assert.deepEqual(missing, [], `${named(request)}: the program is not told of these`)
        }
      })
    },
    {
      name: "invocation: the same request is the same invocation, and is left as it was",
      run: each((invocation, request) => {
        const again = invoke(adapter, frozen(structuredClone(request)))
        const whole = (one: Invocation) => [
          openText(one),
          one.stdin,
          one.overlays?.map(({ at, of, only }) => [at, of, only])
        ]
        assert.deepEqual(whole(again), whole(invocation), `${named(request)}: another answer the second time`)
      })
    }
  ]
}
