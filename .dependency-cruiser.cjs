/** Imports point one way: memory ← roles ← mcp ← core ← cli; testkit may import core and below. */
const order = ["memory", "roles", "mcp", "core", "cli"]
const upward = order.map((name, index) => ({
  name: `${name}-imports-downward-only`,
  severity: "error",
  from: { path: `^packages/${name}/src` },
  to: { path: `^packages/(${[...order.slice(index + 1), "testkit", "fixtures"].join("|")})/` }
}))

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    {
      name: "everything-resolves",
      severity: "error",
      from: { path: "^packages/[^/]+/(src|test)" },
      to: { couldNotResolve: true }
    },
    ...upward,
    {
      name: "fixtures-import-nothing-of-ours",
      severity: "error",
      from: { path: "^packages/fixtures/src" },
      to: { path: "^packages/(?!fixtures)" }
    },
    {
      name: "testkit-imports-core-and-below",
      severity: "error",
      from: { path: "^packages/testkit/src" },
      to: { path: "^packages/cli/" }
    },
    {
      name: "internal-stays-inside",
      severity: "error",
      from: { path: "^packages/([^/]+)/" },
      to: { path: "^packages/(?!$1/)[^/]+/src/internal/" }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|node_modules)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@contextfs/source", "import", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json"]
    }
  }
}
