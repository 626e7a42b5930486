/** What can go wrong with roles, in words for the one who asked. */
import * as Data from "effect/Data"
import * as Schema from "effect/Schema"

/** No role has this name; `known` are the names there are. */
export class RoleNotFound extends Data.TaggedError("RoleNotFound")<{
  readonly name: string
  readonly known: ReadonlyArray<string>
}> {
  override get message(): string {
    return `unknown role ${JSON.stringify(this.name)}: one of ${this.known.join(", ")}`
  }
}

const Issue = Schema.Struct({
  /** Absolute. */
  file: Schema.String,
  /** `saves[0]`; `$` is the whole. */
  path: Schema.String,
  /** From 1. */
  line: Schema.Number,
  /** From 1. */
  column: Schema.Number,
  message: Schema.String,
  suggestion: Schema.optionalWith(Schema.String, { exact: true })
})
export type Issue = typeof Issue.Type

/** Everything that is wrong with the role files there are, by file and line. Nothing has been started. */
export class RoleFileError extends Schema.TaggedError<RoleFileError>("@contextfs/roles/RoleFileError")(
  "RoleFileError",
  { issues: Schema.NonEmptyArray(Issue) }
) {
  override get message(): string {
    return this.issues
      .map(({ column, file, line, message, path, suggestion }) => {
        const where = path === "$" ? "" : ` ${path}:`
        return `${file}:${line}:${column}${where} ${message}${suggestion === undefined ? "" : ` – ${suggestion}`}`
      })
      .join("\n")
  }
}
