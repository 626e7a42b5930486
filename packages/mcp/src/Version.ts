/** The version of the package that this code came in. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"

const decode = Schema.decodeUnknownSync(Schema.parseJson(Schema.Struct({ version: Schema.String })))

/** From the package.json above: ours, or the command's where we are in its bundle. All our packages have one version. */
export const version = (): string => decode(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version
