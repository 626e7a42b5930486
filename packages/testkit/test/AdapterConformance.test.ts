import { describe, expect, it } from "vitest"
import { adapterConformance } from "../src/AdapterConformance.js"
import { subjects } from "./builtIn.js"

for (const { title, adapter, options } of await subjects()) {
  describe(`the built-in adapter ${title}`, () => {
    const checks = adapterConformance(adapter, options)
    it("has checks of distinct names", () => {
      expect(checks.length).toBeGreaterThan(15)
      expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
    })
    for (const check of checks) it(check.name, check.run)
  })
}
