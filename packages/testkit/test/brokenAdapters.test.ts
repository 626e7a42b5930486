/** Each check is worth something: an adapter that breaks one promise fails the check of that promise. */
import type { AgentEvent, Decoder, Invocation, InvocationRequest, ToolAdapter } from "@contextfs/core/ToolAdapter"
import { describe, expect, it } from "vitest"
import { type AdapterConformanceOptions, adapterConformance } from "../src/AdapterConformance.js"
import { builtIn, eventLines, type Subject, subjects } from "./builtIn.js"

const known: ReadonlyArray<Subject> = await subjects()
const claude = builtIn("claude")
const options = ((): AdapterConformanceOptions => {
  const all = known.find(({ title }) => title === "claude")?.options.recordings ?? []
  return { recordings: all.filter(({ name }) => ["text", "mcp", "e401-noretry", "sigterm-shell"].includes(name)) }
})()

/** What fails among the checks of one part, one line each. */
const failed = async (
  adapter: ToolAdapter,
  part: string,
  given: AdapterConformanceOptions = options
): Promise<string> => {
  const found: Array<string> = []
  for (const check of adapterConformance(adapter, given).filter(({ name }) => name.startsWith(part))) {
    try {
      await check.run()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      found.push(`${check.name}: ${error.message.split("\n")[0]}`)
    }
  }
  // The checks are synchronous: without a pause the test runner could not report for a minute.
  await new Promise((resume) => setImmediate(resume))
  return found.join("\n")
}

const inspect = (of: (event: { readonly [key: string]: unknown }) => ReadonlyArray<AgentEvent>) => (line: string) => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? of({ ...value }) : []
  } catch {
    return []
  }
}

const withLine = (change: (line: string, decoder: Decoder) => ReadonlyArray<AgentEvent>): ToolAdapter => ({
  ...claude,
  decoder: () => {
    const decoder = claude.decoder()
    return { ...decoder, line: (line) => change(line, decoder) }
  }
})

const withInvocation = (
  change: (invocation: Invocation, request: InvocationRequest) => Partial<Invocation>
): ToolAdapter => ({
  ...claude,
  invocation: (request) => {
    const invocation = claude.invocation(request)
    return "refused" in invocation ? invocation : { ...invocation, ...change(invocation, request) }
  }
})

const done: AgentEvent = { kind: "finished", ok: true, text: "done" }
const trusting = (change: (request: InvocationRequest) => InvocationRequest): ToolAdapter => ({
  ...claude,
  invocation: (request) => claude.invocation(change(request))
})

const shared = claude.decoder()
let calls = 0

const broken: Readonly<Record<string, readonly [adapter: ToolAdapter, check: RegExp]>> = {
  "takes half a line for the end": [
    withLine((line, decoder) =>
      line.startsWith('{"is_error":false') || line.includes('"subtype":"success"') ? [done] : decoder.line(line)
    ),
    /decoding: text: cut at any byte .*judged completed/
  ],
  "calls the end of the output a success": [
    {
      ...claude,
      decoder: () => ({ ...claude.decoder(), end: ({ exitCode }) => (exitCode === 0 ? [done] : []) })
    },
    /verdict: mcp: without its terminal event it is not completed/
  ],
  "looks for the end anywhere in a line": [
    withLine((line, decoder) => (/"type\W+result\W/.test(line) ? [done] : decoder.line(line))),
    /decoding: mcp: a terminal event inside its texts and tool outputs is none/
  ],
  "looks for the end in every object of a line": [
    withLine((line, decoder) => {
      const isEnd = (value: unknown): boolean =>
        typeof value === "object" &&
        value !== null &&
        (("type" in value && value.type === "result") || Object.values(value).some(isEnd))
      return inspect((event) => (isEnd(event) ? [done] : []))(line).length > 0 ? [done] : decoder.line(line)
    }),
    /decoding: mcp: a terminal event inside its texts and tool outputs is none/
  ],
  "takes a prefixed event for one": [
    withLine((line, decoder) => decoder.line(line.slice(Math.max(0, line.indexOf("{"))))),
    /decoding: noise alone is no event/
  ],
  "takes noise for messages": [
    withLine((line, decoder) => {
      const events = decoder.line(line)
      return events.length === 0 && line.startsWith("warning") ? [{ kind: "message", text: line }] : events
    }),
    /decoding: text: lines of noise change nothing/
  ],
  "does not count noise": [
    { ...claude, decoder: () => ({ ...claude.decoder(), noise: () => 0 }) },
    /decoding: text: lines of noise .*: noise lines that were counted/
  ],
  "shares one decoder": [{ ...claude, decoder: () => shared }, /decoding: two decoders share nothing/],
  "numbers its calls over all decoders": [
    withLine((line, decoder) =>
      decoder.line(line).map((event) => (event.kind === "toolCall" ? { ...event, id: `${++calls}` } : event))
    ),
    /decoding: two decoders share nothing/
  ],
  "throws on what is no JSON": [
    withLine((line, decoder) => {
      JSON.parse(line)
      return decoder.line(line)
    }),
    /decoding: 1000 odd lines, .*makes it throw SyntaxError/
  ],
  "walks down into anything": [
    withLine((line, decoder) => {
      const walk = (value: unknown): number =>
        typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(walk)) : 0
      inspect((event) => (walk(event) > 0 ? [] : []))
      try {
        walk(JSON.parse(line))
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
      }
      return decoder.line(line)
    }),
    /decoding: 1000 odd lines, .*makes it throw RangeError/
  ],
  "passes on figures as they come": [
    withLine((line, decoder) =>
      decoder
        .line(line)
        .map((event) => (event.kind === "usage" ? { ...event, usage: { ...event.usage, costUsd: Number.NaN } } : event))
    ),
    /decoding: text: events are of the documented shape/
  ],
  "is always done": [withLine((line, decoder) => [...decoder.line(line), done]), /verdict: e401-noretry: failed/],
  "is never done": [
    withLine((line, decoder) => decoder.line(line).filter((event) => event.kind !== "finished")),
    /verdict: text: completed/
  ],
  "is done before it begins": [
    { ...claude, decoder: () => ({ ...claude.decoder(), end: () => [done] }) },
    /verdict: a program that prints nothing is not completed/
  ],
  "puts the prompt into argv": [
    withInvocation(({ args }, { prompt }) => ({ args: [...args, prompt] })),
    /invocation: the prompt is on stdin .* is in an argument/
  ],
  "puts the first words of the prompt into argv": [
    withInvocation(({ args }, { prompt }) => ({ args: [...args, "--title", prompt.slice(0, 40)] })),
    /invocation: the prompt is on stdin .* is in an argument/
  ],
  "puts the prompt into a variable": [
    withInvocation(({ env }, { prompt }) => ({ env: { ...env, TASK: prompt } })),
    /invocation: the prompt is on stdin .* a variable/
  ],
  "cuts the prompt": [
    withInvocation((_, { prompt }) => ({ stdin: prompt.slice(0, 100_000) })),
    /invocation: the prompt is on stdin .* not whole/
  ],
  "puts the token into argv": [
    withInvocation(({ args }, { memory }) => ({ args: [...args, ...Object.values(memory?.env ?? {})] })),
    /invocation: no token and no key/
  ],
  "puts the user's key into argv": [
    withInvocation(({ args }, { env }) => ({ args: [...args, "--key", env["ANTHROPIC_API_KEY"] ?? "none"] })),
    /invocation: no token and no key/
  ],
  "writes files where it likes": [
    withInvocation(() => ({ files: { "../mcp.json": "{}" } })),
    /invocation: arguments, variables and files .* no plain name/
  ],
  "writes over the orchestrator's files": [
    withInvocation(() => ({ files: { stdout: "" } })),
    /invocation: arguments, variables and files .* orchestrator's own/
  ],
  "moves the user's home": [
    withInvocation(({ env }, { folder }) => ({ env: { ...env, HOME: folder } })),
    /invocation: arguments, variables and files .* HOME is the user's/
  ],
  "allows full as root": [
    trusting((request) => ({ ...request, root: false })),
    /invocation: full is refused as root: permission full as root is not refused/
  ],
  "claims a permission that it refuses": [
    {
      ...claude,
      invocation: (request) => (request.permission === "edit" ? { refused: "no" } : claude.invocation(request))
    },
    /invocation: every permission is honoured or refused: edit is refused/
  ],
  "takes a permission that it does not have": [
    { ...claude, capabilities: { ...claude.capabilities, permissions: ["read", "edit"] } },
    /invocation: every permission is honoured or refused: permission exec/
  ],
  "ignores the permission": [
    trusting((request) => ({ ...request, permission: "exec" })),
    /invocation: no permission starts the program as another does/
  ],
  "widens the permission of a resumed session": [
    trusting((request) => (request.resume === undefined ? request : { ...request, permission: "exec" })),
    /invocation: no permission .* edit \+ resume starts it exactly as read/
  ],
  "lets everything through": [
    withInvocation(({ args }) => ({ args: [...args, "--dangerously-skip-permissions"] })),
    /invocation: no permission .* starts it with dangerously/
  ],
  "takes an option for a model": [
    {
      ...claude,
      invocation: ({ model, ...request }) => {
        const invocation = claude.invocation({ ...request, model: undefined })
        return "refused" in invocation || model === undefined
          ? invocation
          : { ...invocation, args: [...invocation.args, "--model", model] }
      }
    },
    /invocation: a model or session that would be taken for an option/
  ],
  "forgets the model": [
    trusting((request) => ({ ...request, model: undefined })),
    /invocation: model and session reach the program/
  ],
  "forgets the memory": [
    trusting((request) => ({ ...request, memory: undefined })),
    /invocation: the memory is attached as asked.* not told of these/
  ],
  "attaches a memory that nobody asked for": [
    trusting((request) => ({
      ...request,
      memory: request.memory ?? { server: "serverprobe", command: "x", args: [], env: {} }
    })),
    /invocation: the memory is attached as asked.* no memory was asked for/
  ],
  "starts it another way each time": [
    withInvocation(({ args }) => ({ args: [...args, "--session-id", `${++calls}`] })),
    /invocation: the same request is the same invocation/
  ],
  "asks for the whole environment": [{ ...claude, passEnv: () => ["*"] }, /description: passEnv .*passEnv gives \*/],
  "claims a cost that is not there": [
    withLine((line, decoder) => decoder.line(line).filter((event) => event.kind !== "usage")),
    /description: cost and session .* no completed recording has a cost/
  ],
  "invents a cost": [
    { ...claude, capabilities: { ...claude.capabilities, cost: false } },
    /description: cost and session .* a cost is reported/
  ],
  "has no session to resume": [
    withLine((line, decoder) => decoder.line(line).filter((event) => event.kind !== "started")),
    /description: cost and session .* no session id/
  ],
  "has a name that no command line takes": [{ ...claude, name: "My Tool" }, /description: name, .*lower-case/]
}

describe("an adapter that", () => {
  it("is right fails nothing", async () => {
    expect(await failed(claude, "")).toBe("")
  })
  for (const [what, [adapter, check]] of Object.entries(broken)) {
    it(`${what} fails its check`, async () => {
      expect(await failed(adapter, check.source.slice(0, check.source.indexOf(":")))).toMatch(check)
    })
  }

  it("has no recordings, or only of success, fails a check", async () => {
    expect(await failed(claude, "description", {})).toMatch(
      /recordings of a completed and of a failed run are given: no recording/
    )
    const completed = eventLines.filter(({ expected }) => expected === "completed")
    expect(await failed(builtIn("mock"), "description", { recordings: completed, harmless: true })).toMatch(
      /no recording is expected to fail/
    )
  })

  it("is harmless by its own word only, and starts its program in several ways, fails a check", async () => {
    expect(await failed(claude, "invocation", { ...options, harmless: true })).toMatch(/permissions are all alike/)
    expect(await failed(builtIn("mock"), "invocation", { recordings: eventLines })).toMatch(
      /no permission starts the program/
    )
  })

  it("names another reason than the recording's fails its verdict", async () => {
    const recordings = eventLines.map((run) =>
      run.expected === "AuthFailed" ? ({ ...run, expected: "RateLimited" } as const) : run
    )
    expect(await failed(builtIn("mock"), "verdict", { recordings, harmless: true })).toMatch(
      /^verdict: no login: RateLimited: judged AuthFailed/
    )
  })

  it("reads plain text and ends an attempt by it fails a check", async () => {
    const text = known.find(({ title }) => title === "command")
    if (text === undefined) throw new Error("no command")
    const adapter: ToolAdapter = {
      ...text.adapter,
      decoder: () => ({ line: (line) => (line === "last" ? [done] : []) })
    }
    expect(await failed(adapter, "decoding", text.options)).toMatch(/decoding: no line of plain text ends an attempt/)
  })
})
