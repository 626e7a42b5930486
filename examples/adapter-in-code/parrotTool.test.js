import { readFileSync } from "node:fs"
import { test } from "node:test"
import { adapterConformance } from "@contextfs/testkit/AdapterConformance"
import adapter from "./parrotTool.js"

const recorded = (name) => readFileSync(new URL(`./recordings/${name}.out`, import.meta.url), "utf8")
const recordings = [
  { name: "hello", stdout: recorded("hello"), code: 0, expected: "completed" },
  { name: "silence", stdout: recorded("silence"), code: 1, expected: "AgentReported" }
]
for (const check of adapterConformance(adapter, { recordings })) test(check.name, check.run)
