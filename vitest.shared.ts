import { defineConfig } from "vitest/config"

/** Settings of every package's tests: workspace packages resolve to their source; real processes need generous limits. */
export default defineConfig({
  resolve: { conditions: ["@contextfs/source"] },
  ssr: { resolve: { conditions: ["@contextfs/source"], externalConditions: ["@contextfs/source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
    server: { deps: { inline: [/@contextfs\//] } }
  }
})
