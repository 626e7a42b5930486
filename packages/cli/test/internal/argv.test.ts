import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { type Command, type Given, type Group, isGroup } from "../../src/Command.js"
import { root } from "../../src/Commands.js"
import { type Parsed, parse, unseal } from "../../src/internal/argv.js"
import { dispatch } from "../../src/internal/dispatch.js"
import { random } from "../harness.js"
import { session } from "../session.js"

const told = (parsed: Parsed): string => {
  switch (parsed.kind) {
    case "command":
      return parsed.argv.map((word) => word.replace(/^:/, "")).join(" ")
    case "wrong":
      return `${parsed.error.message} – ${parsed.error.where} – ${parsed.error.hint}`
    case "help":
      return `help of ${parsed.nodes.map(({ name }) => name).join(" ")}`
    case "version":
      return "version"
  }
}

const check = (...words: ReadonlyArray<string>) => told(parse(root, words))
const run = (...words: ReadonlyArray<string>) => check("orchestrator", "run", ...words)
const three = "orchestrator run --workers 3 -- agents.json"

describe("a good command line comes out in one form", () => {
  it.each([
    [["agents.json", "--workers", "3"], three],
    [["agents.json", "--workers=3"], three],
    [["agents.json", "-w", "3"], three],
    [["-w", "3", "agents.json"], three],
    [["--workers", "3", "agents.json"], three],
    [["-w3", "agents.json"], three],
    [["agents.json", "-w3"], three],
    [["agents.json", "-w=3"], three],
    [["agents.json", "--debug", "-w3"], three],
    [["-w3", "--", "agents.json"], three],
    [["agents.json"], "orchestrator run -- agents.json"],
    [["--", "--workers"], "orchestrator run -- --workers"],
    [["--", "-x"], "orchestrator run -- -x"],
    [["--project=a=b", "f"], "orchestrator run --project a=b -- f"],
    [["-p", "-", "f"], "orchestrator run --project - -- f"]
  ])("%j", (words, expected) => expect(run(...words)).toBe(expected))

  it("options that may be repeated, and texts that look like options after --", () => {
    expect(check("memory", "save", "--tags", "a", "x", "--tags", "b,c")).toBe("memory save --tags a --tags b,c -- x")
    expect(check("orchestrator", "spawn", "code", ".", "--wait", "--", "--rol code")).toBe(
      "orchestrator spawn --wait -- code . --rol code"
    )
    expect(check("orchestrator", "spawn", "code", ".", "x", "-wp", "shop")).toBe(
      "orchestrator spawn --wait --project shop -- code . x"
    )
  })

  it("options of every command stand anywhere", () => {
    expect(check("--debug", "orchestrator", "--debug", "roles")).toBe("orchestrator roles")
    expect(check("orchestrator", "--help", "run")).toBe("help of contextfs orchestrator run")
    expect(check("--help", "memory")).toBe("help of contextfs memory")
    expect(run("--nonsense", "--help")).toBe("help of contextfs orchestrator run")
    expect(run("--", "--help")).toBe("orchestrator run -- --help")
    expect(check("orchestrator", "run", "--version")).toBe("version")
    expect(check()).toBe("help of contextfs")
  })
})

describe("a bad one is refused by its own name, with what was meant", () => {
  it.each([
    [["orchestrator", "rnu"], 'unknown command "rnu" – contextfs orchestrator – did you mean run?'],
    [["orchestrater", "run"], 'unknown command "orchestrater" – contextfs – did you mean orchestrator?'],
    [["orchestrator", "RUN"], 'unknown command "RUN" – contextfs orchestrator – did you mean run?'],
    [["orchestrator", "find"], 'unknown command "find" – contextfs orchestrator – did you mean findings?'],
    [["xyzzy"], 'unknown command "xyzzy" – contextfs – one of orchestrator, memory, mcp'],
    [["orchestrator"], "a command is missing – contextfs orchestrator – one of init-config, run, spawn, roles,"],
    [
      ["orchestrator", "run", "--wrkers=3", "a.json"],
      'unknown option "--wrkers" – contextfs orchestrator run – did you mean --workers?'
    ],
    [
      ["orchestrator", "run", "a.json", "--WORKERS", "3"],
      'unknown option "--WORKERS" – contextfs orchestrator run – did you mean --workers?'
    ],
    [
      ["orchestrator", "run", "a.json", "--zzz"],
      'unknown option "--zzz" – contextfs orchestrator run – see contextfs orchestrator run --help'
    ],
    [["orchestrator", "spawn", "--rol", "code", "hello"], 'unknown option "--rol" – contextfs orchestrator spawn'],
    [
      ["orchestrator", "spawn", "code", ".", "-x"],
      'unknown option "-x" – contextfs orchestrator spawn – a text that begins with a hyphen goes after --'
    ],
    [["--workers", "3", "orchestrator", "run", "a"], 'option "--workers" stands before the command – contextfs'],
    [
      ["orchestrator", "run", "a", "-w3", "-w", "4"],
      "option --workers is given twice – contextfs orchestrator run – give it once"
    ],
    [["orchestrator", "run", "a", "--json", "--json"], "option --json is given twice"],
    [
      ["orchestrator", "run", "a", "b"],
      'unexpected argument "b" – contextfs orchestrator run – put a text of several words in quotes'
    ],
    [["orchestrator", "run"], "argument FILE is missing – contextfs orchestrator run"],
    [
      ["orchestrator", "run", ""],
      'argument FILE: "" is not valid – contextfs orchestrator run – expected a text that is not empty'
    ],
    [["orchestrator", "run", "a", "--json=yes"], "option --json takes no value"],
    [
      ["orchestrator", "run", "a", "--workers"],
      "option --workers needs a value – contextfs orchestrator run – write --workers INT"
    ],
    [
      ["orchestrator", "run", "a", "-w", "--json"],
      'option --workers needs a value – contextfs orchestrator run – if "--json" is meant, write --workers=--json'
    ],
    [["orchestrator", "run", "a", "-w", "--", "3"], "option --workers needs a value"],
    [
      ["memory", "save", "x", "--type", "decison"],
      'option --type: "decison" is not valid – contextfs memory save – did you mean decision?'
    ],
    [
      ["memory", "search", "x", "--limit", "0"],
      'option --limit: "0" is not valid – contextfs memory search – expected a whole number from 1 to 100'
    ]
  ])("%j", (words, message) => {
    const shown = check(...words)
    expect(shown.startsWith(message), shown).toBe(true)
  })

  it.each(["0", "-1", "1.5", "1e9", "NaN", "257", "", " 3", "3x", "Infinity", "0x10"])("--workers %j", (value) => {
    const shown = run("a", `--workers=${value}`)
    expect(shown).toBe(
      `option --workers: ${JSON.stringify(value)} is not valid – contextfs orchestrator run – expected a whole number from 1 to 256`
    )
    if (value !== "") expect(run("a", "-w", value)).toBe(shown)
  })

  it.each(["0", "-5", "soon", "31 days", "NaN"])("--timeout %s", (value) => {
    expect(run("a", "--timeout", value)).toContain('expected seconds above 0, or a text such as "5 minutes"')
  })
})

const answer = (json: unknown) => Effect.succeed({ text: "", json })

/** What the command comes to, through the parser. */
const readBack = ({ argv, command, group }: Extract<Parsed, { kind: "command" }>): unknown =>
  Effect.runSync(dispatch(command, group, argv, session())).json

const commandsOf = (group: Group): ReadonlyArray<readonly [ReadonlyArray<string>, Command]> =>
  group.commands.flatMap((node) =>
    isGroup(node)
      ? commandsOf(node).map(([path, command]) => [[node.name, ...path], command] as const)
      : [[[node.name], node] as const]
  )

describe("of any words", () => {
  const commands = commandsOf(root)
  const values = [
    "3",
    "a.json",
    "-1",
    "x y",
    "decision",
    "--",
    "-",
    "--x",
    "-w",
    "-q9",
    "日本",
    "=",
    "\u0000",
    ""
  ] as const

  const words = (source: ReturnType<typeof random>) => {
    const [path, command] = source.pick([commands[0] ?? [[], never()], ...commands.slice(1)])
    const options = command.parameters.filter(({ kind }) => kind !== "argument")
    const more = Array.from({ length: source.below(6) }, (): ReadonlyArray<string> => {
      const option = options[source.below(options.length)]
      const value = source.pick([...values])
      if (option === undefined || source.below(3) === 0) return [value]
      const name = source.below(2) === 0 || option.short === undefined ? `--${option.name}` : `-${option.short}`
      return source.pick([[name], [name, value], [`${name}=${value}`], [`${name}${value}`]])
    })
    return [...path, ...more.flat()]
  }

  it("the checker never throws, and the command is given exactly what it let through", () => {
    const source = random(4)
    let passed = 0
    for (let turn = 0; turn < 3_000; turn++) {
      const given = words(source)
      const parsed = parse(root, given)
      if (parsed.kind !== "command") continue
      passed++
      const { parameters } = parsed.command
      const texts = (given: Given) => parameters.map((parameter) => given(parameter))
      const seen = readBack({ ...parsed, command: { ...parsed.command, run: (given) => answer(texts(given)) } })
      const end = parsed.argv.indexOf("--")
      const options = end === -1 ? parsed.argv : parsed.argv.slice(0, end)
      const args = end === -1 ? [] : parsed.argv.slice(end + 1)
      const expected = parameters.map((parameter) => {
        if (parameter.kind === "argument") {
          const index = parameters.filter(({ kind }) => kind === "argument").indexOf(parameter)
          return Either.getOrThrow(
            parameter.read(args.slice(index, parameter.many ? undefined : index + 1).map(unseal))
          )
        }
        const found = options.flatMap((word, index) =>
          word === `--${parameter.name}` ? [parameter.kind === "flag" ? "" : unseal(options[index + 1] ?? "")] : []
        )
        return Either.getOrThrow(parameter.read(found))
      })
      expect(seen, JSON.stringify(given)).toEqual(expected)
    }
    expect(passed).toBeGreaterThan(300)
  })

  it("the order of options and arguments does not matter", () => {
    const source = random(5)
    const parts = [["-w3"], ["agents.json"], ["--project", "shop"], ["--timeout=5 minutes"], ["--json"]]
    const sorted = (parsed: Parsed) => (parsed.kind === "command" ? [...parsed.argv].sort() : parsed)
    const expected = sorted(parse(root, ["orchestrator", "run", ...parts.flat()]))
    expect(expected).toContain(":agents.json")
    for (let turn = 0; turn < 200; turn++) {
      const shuffled = [...parts]
      for (let index = shuffled.length - 1; index > 0; index--) {
        const [taken] = shuffled.splice(source.below(index + 1), 1)
        if (taken !== undefined) shuffled.push(taken)
      }
      expect(sorted(parse(root, ["orchestrator", "run", ...shuffled.flat()]))).toEqual(expected)
    }
  })

  it("no two commands, no two options of one command have the same name or letter", () => {
    for (const [path, { parameters }] of commands) {
      const names = parameters.flatMap(({ name, short }) => (short === undefined ? [name] : [name, short]))
      expect(new Set([...names, "help", "h", "version", "debug"]).size, path.join(" ")).toBe(names.length + 4)
    }
  })
})

function never(): never {
  throw new Error("the table of commands is empty")
}
