import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { layerMemory, layerSqlite } from "@contextfs/memory/MemoryStore"
import { afterAll, describe, it } from "vitest"
import { memoryConformance } from "../src/MemoryConformance.js"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-testkit-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))
const newFile = (): string => path.join(fs.mkdtempSync(path.join(folder, "store-")), "memory.db")

describe("layerMemory", () => {
  for (const check of memoryConformance(() => layerMemory)) it(check.name, check.run)
})

describe("layerSqlite", () => {
  for (const check of memoryConformance(() => layerSqlite({ path: newFile() }))) it(check.name, check.run)
})
