/** docs/configuration.md, from the JSON Schema of a configuration. */
import * as Schema from "effect/Schema"

interface Value {
  readonly type?: string | undefined
  readonly description?: string | undefined
  readonly default?: unknown
  readonly enum?: ReadonlyArray<unknown> | undefined
  readonly pattern?: string | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly exclusiveMinimum?: number | undefined
  readonly minItems?: number | undefined
  readonly required?: ReadonlyArray<string> | undefined
  readonly properties?: { readonly [key: string]: Value } | undefined
  readonly additionalProperties?: Value | boolean | undefined
  readonly items?: Value | undefined
  readonly anyOf?: ReadonlyArray<Value> | undefined
}

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(schema)
const Value: Schema.Schema<Value> = Schema.Struct({
  type: optional(Schema.String),
  description: optional(Schema.String),
  default: optional(Schema.Unknown),
  enum: optional(Schema.Array(Schema.Unknown)),
  pattern: optional(Schema.String),
  minimum: optional(Schema.Number),
  maximum: optional(Schema.Number),
  exclusiveMinimum: optional(Schema.Number),
  minItems: optional(Schema.Number),
  required: optional(Schema.Array(Schema.String)),
  properties: optional(Schema.Record({ key: Schema.String, value: Schema.suspend(() => Value) })),
  additionalProperties: optional(
    Schema.Union(
      Schema.Boolean,
      Schema.suspend(() => Value)
    )
  ),
  items: optional(Schema.suspend(() => Value)),
  anyOf: optional(Schema.Array(Schema.suspend(() => Value)))
})

const bounds = ({ exclusiveMinimum, maximum, minimum }: Value): string => {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (exclusiveMinimum !== undefined && maximum !== undefined) return ` above ${exclusiveMinimum}, up to ${maximum}`
  return minimum === undefined ? "" : ` from ${minimum}`
}

const kind = (value: Value): string => {
  if (value.enum !== undefined) return value.enum.map((word) => `\`${word}\``).join(", ")
  if (value.anyOf !== undefined) return value.anyOf.map(kind).join(" or ")
  if (value.type === "array") return `list of ${value.items === undefined ? "anything" : `${kind(value.items)}s`}`
  if (value.type === "object") return "object"
  if (value.type === "string") return value.pattern === undefined ? "text" : `text like \`${value.pattern}\``
  if (value.type === "integer") return `whole number${bounds(value)}`
  return `${value.type ?? "anything"}${bounds(value)}`
}

const cell = (text: string): string => text.replaceAll("|", "\\|")

/** The keys of an object below a key stand after it, as `key.below`. */
const rows = ({ properties = {}, required = [] }: Value, path: string): ReadonlyArray<string> =>
  Object.entries(properties).flatMap(([key, value]) => [
    `| ${[
      `\`${path}${key}\`${required.includes(key) ? " (required)" : ""}`,
      value.description ?? "",
      kind(value),
      value.default === undefined ? "" : `\`${JSON.stringify(value.default)}\``
    ]
      .map(cell)
      .join(" | ")} |`,
    ...rows(value, `${path}${key}.`)
  ])

const table = (value: Value): ReadonlyArray<string> => [
  "",
  "| Key | What it is | Values | Default |",
  "| --- | --- | --- | --- |",
  ...rows(value, "")
]

const lists = `[
  { "role": "test", "directory": "./tests", "task": "Write unit tests for the auth module." },
  { "role": "code", "directory": "./src", "task": "Implement the auth module." }
]`

const whole = `{
  // Comments are allowed, and so is a comma after the last item.
  "project": "auth",
  "workers": 2,
  "timeout": "20 minutes",
  "tools": {
    "claude": { "args": ["--max-turns", "40"] },
    "careful": { "adapter": "claude", "env": { "TEAM": "auth" } }
  },
  "agents": [
    { "id": "tests", "role": "test", "directory": "./tests", "task": "Write unit tests for the auth module." },
    { "role": "review", "directory": ".", "task": "Review the auth module.", "tool": "careful", "permission": "read" }
  ]
}`

const yaml = `project: auth
workers: 2
timeout: 20 minutes
agents:
  - role: code
    directory: ./src
    task: |
      Implement the auth module.
      Save architecture decisions to memory.`

/** The whole page. */
export const reference = (jsonSchema: unknown): string => {
  const [list, object] = Schema.decodeUnknownSync(Value)(jsonSchema).anyOf ?? []
  const agent = list?.items
  const tool = object?.properties?.["tools"]?.additionalProperties
  if (agent === undefined || object === undefined || typeof tool !== "object") throw new Error("another shape")
  return `${[
    "# Configuration",
    "",
    "Written by `npm run docs` from the schema that decodes the file.",
    "",
    "A configuration says which agents there are. It is the list of agents alone:",
    "",
    "```bash",
    "mkdir -p tests src",
    "```",
    "",
    "```json agents.json",
    lists,
    "```",
    "",
    "or an object with `agents` and settings for all of them:",
    "",
    "```jsonc whole.json",
    whole,
    "```",
    "",
    "or the same in YAML, in a file that ends in `.yaml` or `.yml`:",
    "",
    "```yaml whole.yaml",
    yaml,
    "```",
    "",
    "`contextfs orchestrator init-config` writes a first file. Everything that is wrong with a file is told at once, each",
    "problem with its line, before anything is started; `contextfs orchestrator run FILE --dry-run` shows what each agent would",
    "be given, and starts nothing.",
    "",
    "Of a setting given in several places the first of these counts: the command line, the environment, the agent, the whole,",
    "the default. A role's own tool comes before that of the whole, a role's own permission after it. Times are seconds, or",
    'texts such as `"90s"`, `"5 minutes"` or `"1.5h"`; sizes are bytes, or texts such as `"64 MiB"`.',
    "",
    "## Each agent",
    ...table(agent),
    "",
    "One of `task` and `taskFile` is needed.",
    "",
    "## The whole",
    ...table(object),
    "",
    "## Each of `tools`",
    "",
    "The key is the tool's name, as `tool` and `--tool` take it.",
    ...table(tool)
  ].join("\n")}\n`
}
