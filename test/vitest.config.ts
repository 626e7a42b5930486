import { defineConfig } from "vitest/config"

/** Promises about the workspace as a whole: what is packed, the two commands of the README. */
export default defineConfig({ test: { include: ["*.test.ts"], testTimeout: 600_000, hookTimeout: 600_000 } })
