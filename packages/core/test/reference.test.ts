import { expect, it } from "vitest"
import { jsonSchema } from "../src/RunConfig.js"
import { reference } from "./reference.js"

it("docs/configuration.md is what the schema says: npm run docs writes it", async () => {
  await expect(reference(jsonSchema())).toMatchFileSnapshot("../../../docs/configuration.md")
})
