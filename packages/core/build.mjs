/** What the compiler leaves to do: the JSON Schema of a configuration, for editors. */
import { writeFileSync } from "node:fs"
import { jsonSchemaText } from "./dist/RunConfig.js"

writeFileSync(new URL("dist/agents.schema.json", import.meta.url), jsonSchemaText())
