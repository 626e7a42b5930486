// @ts-check
/** The adapter: how to start the program, and what its lines mean. Data and pure functions, nothing to import. */
const program = new URL("./parrot.js", import.meta.url).pathname

/** @type {import("@contextfs/core/ToolAdapter").ToolAdapter} */
export default {
  name: "parrot",
  description: "Repeats what it is asked",
  program: null,
  command: [process.execPath, program],
  output: "events",
  exitAbove128: "signal",
  passEnv: () => ["PARROT_*"],
  // It only looks, so that is the one permission it can honour; the others are refused before anything starts.
  capabilities: { permissions: ["read"], memory: false, resume: false, model: true, cost: false },

  invocation: ({ prompt, permission, model, resume }) => {
    if (permission !== "read") return { refused: `parrot cannot honour permission "${permission}"; it has read` }
    if (resume !== undefined) return { refused: "parrot cannot continue a session" }
    if (model?.startsWith("-")) return { refused: `the model ${JSON.stringify(model)} is not a name` }
    return { args: model === undefined ? [] : ["--as", model], env: {}, stdin: prompt }
  },

  decoder: () => {
    let noise = 0
    /** @type {string | undefined} */
    let said
    /** @type {(line: string) => ReadonlyArray<import("@contextfs/core/ToolAdapter").AgentEvent> | undefined} */
    const read = (line) => {
      const { event, session, model, text, tokens, error } = objectIn(line)
      switch (event) {
        case "hello":
          return typeof session === "string" && typeof model === "string"
            ? [{ kind: "started", sessionId: session, model }]
            : undefined
        case "word":
          if (typeof text !== "string") return undefined
          said = text
          return [{ kind: "message", text }]
        case "bye":
          if (typeof error === "string") {
            return [{ kind: "finished", ok: false, error: { class: "other", message: error } }]
          }
          if (said === undefined || !Number.isFinite(tokens?.in) || !Number.isFinite(tokens?.out)) return undefined
          return [
            { kind: "usage", usage: { inputTokens: tokens.in, outputTokens: tokens.out } },
            { kind: "finished", ok: true, text: said }
          ]
        default:
          return undefined
      }
    }
    return {
      line: (line) => {
        const events = read(line)
        if (events === undefined && line.trim() !== "") noise += 1
        return events ?? []
      },
      noise: () => noise
    }
  }
}

/** The object in a line; an empty one where there is none. @param {string} line */
const objectIn = (line) => {
  try {
    return JSON.parse(line) ?? {}
  } catch {
    return {}
  }
}
