import { defineConfig } from "vitest/config"

/** The real agent programs; started by scripts/clients.mjs. */
export default defineConfig({
  test: {
    include: ["test/clients/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    pool: "forks",
    maxWorkers: 2,
    minWorkers: 1,
    reporters: ["default", ["json", { outputFile: ".test-results/clients.json" }]]
  }
})
